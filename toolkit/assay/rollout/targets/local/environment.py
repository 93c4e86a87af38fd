"""The Python environment that a model is served in, built by uv from what its bundle lists.

One environment for each list, Python and list of our own; it is made aside and moved into place.
"""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from assay.errors import InputError
from assay.rollout.targets.local.processes import Launch, Program

SERVING_NEEDS = {
    "mlflow": ("mlflow-skinny", "pandas", "pyarrow", "uvicorn"),
    "mlserver": ("mlserver", "mlserver-mlflow", "pyarrow", "uvicorn"),
}
"""What the scoring server itself imports, beside what the model lists."""
_BUILD = """
made="$2.$$" &&
"$1" venv --quiet --no-project --no-config --relocatable --python "$3" "$made" &&
"$1" pip install --quiet --no-config --python "$made/bin/python" -r "$4" -r "$5" &&
{ [ -e "$2" ] || mv "$made" "$2"; }
code=$?
rm -rf "$made"
exit "$code"
"""
"""$1 uv, $2 the environment, $3 a Python version, $4 the model's requirements, $5 the server's."""


@dataclass(frozen=True, kw_only=True)
class Environments:
    """Builds environments below ``cache``, or takes ``python``, one that is there already."""

    uv: Path
    cache: Path
    variables: Mapping[str, str] = field(repr=False)
    python: Path | None = None
    _builds: dict[Path, Program] = field(default_factory=dict, repr=False)

    def interpreter(self, model: Path, server: str) -> tuple[Path | None, str]:
        """Return the Python to serve ``model`` with; None and why while there is none yet.

        Starts to build it where nobody does. Raises InputError where the bundle does not say what
        its model needs.
        """
        if self.python is not None:
            return self.python, ""
        listed = model / "requirements.txt"
        if not listed.is_file():
            raise InputError(
                f"{listed} is not there: the bundle does not say what its model needs.",
                remedy="Package the model with MLflow 3, which writes it.",
            )
        needs = "\n".join(SERVING_NEEDS[server]) + "\n"
        version = _python_version(model)
        stated = b"\0".join([listed.read_bytes(), needs.encode(), version.encode()])
        key = hashlib.sha256(stated + platform.machine().encode()).hexdigest()[:16]
        place = self.cache / f"serving-{key}"
        found = place / "bin" / "python"
        if found.exists():
            return found, ""
        return None, self._build(place, version, listed, needs)

    def _build(self, place: Path, version: str, listed: Path, needs: str) -> str:
        self.cache.mkdir(parents=True, exist_ok=True)
        build = self._builds.setdefault(place, Program(place.with_suffix(".pid")))
        if build.alive():
            return "its environment is being built"
        log = place.with_suffix(".log")
        failed = log.exists()
        said = last_words(log) if failed else ""
        log.write_bytes(b"")
        extra = place.with_suffix(".in")
        extra.write_text(needs, encoding="utf-8")
        told = map(str, (self.uv, place, version, listed, extra))
        build.start(
            Launch(
                command=["/bin/sh", "-c", _BUILD, "build", *told],
                cwd=self.cache,
                variables=self.variables,
                log=log,
            )
        )
        if said:
            return f"its environment could not be built and is tried again: {said}"
        return "its environment is being built"


def _python_version(model: Path) -> str:
    """The minor version that the model was made with; any that the scoring server knows else."""
    file = model / "python_env.yaml"
    stated = yaml.safe_load(file.read_text(encoding="utf-8")) if file.is_file() else None
    found = str(stated.get("python", "")) if isinstance(stated, dict) else ""
    parts = found.split(".")
    if len(parts) >= 2 and all(part.isdecimal() for part in parts[:2]):
        return ".".join(parts[:2])
    return ">=3.10"


def last_words(log: Path, *, characters: int = 300) -> str:
    """The end of what a program printed, in one line."""
    try:
        with log.open("rb") as handle:
            handle.seek(max(0, log.stat().st_size - 8 * characters))
            text = handle.read().decode(errors="replace")
    except FileNotFoundError:
        return ""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return " ".join(lines[-3:])[-characters:]
