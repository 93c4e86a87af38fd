"""Stand-in for actions/setup-python: finds an interpreter on this machine and installs nothing."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from assay.act.stand_ins.kit import Failed, Step, run

QUESTION = "import platform, sys; print(platform.python_version(), sys.executable)"


def wanted_version(step: Step) -> str:
    if step.text("python-version"):
        return step.text("python-version")
    named = step.text("python-version-file")
    if not named:
        return ""
    file = step.place(named)
    if not file.is_file():
        raise Failed(f"python-version-file '{named}' does not exist")
    return (file.read_text(encoding="utf-8").split() or [""])[0]


def asked(program: str) -> tuple[str, str]:
    """(version, real path) of an interpreter; empty words if it does not start."""
    command = [program, "-I", "-c", QUESTION]
    done = subprocess.run(command, capture_output=True, check=False)
    version, _, path = done.stdout.decode().strip().partition(" ")
    return (version, path) if done.returncode == 0 else ("", "")


def candidates(minor: str) -> Iterator[str]:
    for name in (f"python{minor}", "python3"):
        found = shutil.which(name)
        if found:
            yield found
    uv = shutil.which("uv")
    if uv and minor:
        command = [uv, "python", "find", "--no-project", minor]
        done = subprocess.run(command, capture_output=True, check=False)
        if done.returncode == 0:
            yield done.stdout.decode().strip()


def set_up(step: Step) -> Mapping[str, str]:
    wanted = wanted_version(step)
    numbers = re.match(r"\d+\.\d+", wanted)
    minor = numbers[0] if numbers else ""
    for program in candidates(minor):
        version, path = asked(program)
        if not version or (minor and not version.startswith(minor + ".")):
            continue
        if step.text("update-environment") != "false":
            with Path(step.github["GITHUB_PATH"]).open("a", encoding="utf-8") as lines:
                lines.write(f"{Path(path).parent}\n")
        print(f"Python {version} at {path}")
        return {"python-version": version, "python-path": path, "cache-hit": "false"}
    raise Failed(f"no Python {wanted} on this machine, and the stand-in installs none")


if __name__ == "__main__":
    run("setup-python", set_up)
