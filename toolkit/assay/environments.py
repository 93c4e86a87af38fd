"""Programs that run in an environment of their own, apart from the toolkit's.

Each environment is filled from a lock with hashes, once for each lock. A program in it is a script
that the toolkit starts and never imports; they meet through files.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

LONGEST_REASON = 500
_PYTHON = ">=3.11,<3.13"
_FOR_INSTALLING = (
    "PATH", "HOME", "TMPDIR", "XDG_CACHE_HOME", "SSL_CERT_FILE", "SSL_CERT_DIR", "NETRC",
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "no_proxy",
    "all_proxy", "ASSAY_CACHE", "RUNNER_TOOL_CACHE", "RUNNER_TEMP", "PIP_INDEX_URL", "PIP_CERT",
)  # fmt: skip
_INSTALL_SECONDS = 1800.0


@dataclass(frozen=True, kw_only=True)
class Tool:
    """How a program is run here: the uv program, its lock, a cache folder and the variables.

    ``say`` is told what takes long.
    """

    name: str
    uv: str
    lock: Path
    cache: Path
    variables: Mapping[str, str] = field(repr=False)
    say: Callable[[str], None]
    seed: int = 0


class NotRunError(Exception):
    """A program could not be run; the message says why."""


def environment(tool: Tool) -> Path:
    """Return the Python of the tool's environment, made from its lock where there is none yet.

    It is filled aside and moved into place, so that two first starts, or a kill, leave no half.
    Raises NotRunError.
    """
    digest = hashlib.sha256(tool.lock.read_bytes()).hexdigest()[:16]
    place = tool.cache / f"{tool.name}-{digest}-{platform.system()}-{platform.machine()}"
    python = Path("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if (place / ".ready").exists():
        return place / python
    tool.say(f"Preparing the environment of {tool.name} (once for this version) ...")
    try:
        tool.cache.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=f"{tool.name}.", dir=tool.cache))
    except OSError as error:
        why = f"its environment cannot be made in {tool.cache}: {error.strerror}"
        raise NotRunError(why) from None
    variables = {
        name: value
        for name, value in tool.variables.items()
        if name in _FOR_INSTALLING or name.startswith("UV_")
    }
    try:
        common = ["--quiet", "--no-config"]
        made = [tool.uv, "venv", *common, "--relocatable", "--allow-existing", "--no-project",
                "--python", _PYTHON, str(scratch)]  # fmt: skip
        filled = [tool.uv, "pip", "sync", *common, "--require-hashes", "--python",
                  str(scratch / python), str(tool.lock)]  # fmt: skip
        for command in (made, filled):
            run(command, variables, _INSTALL_SECONDS, "its environment could not be made")
        (scratch / ".ready").touch()
        try:
            scratch.rename(place)
        except OSError:
            # Another start was first: rename refuses a folder that is there already.
            if not (place / ".ready").exists():
                raise NotRunError(f"its environment could not be moved to {place}") from None
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return place / python


def run_script(
    tool: Tool,
    python: Path,
    script: Path,
    files: Sequence[Path],
    *,
    seconds: float,
    what: str,
    variables: Mapping[str, str] | None = None,
) -> None:
    """Run a script of the toolkit's with `python`, on files that lie in one folder of its own.

    The script has PATH, that folder for its home, and `variables`. Raises what :func:`run` does.
    """
    folder = str(files[0].parent)
    known = {
        "PATH": tool.variables.get("PATH", os.defpath),
        "HOME": folder,
        "TMPDIR": folder,
        "PYTHONHASHSEED": "0",
        **(variables or {}),
    }
    run([str(python), "-I", str(script), *map(str, files)], known, seconds, what)


def run(command: Sequence[str], variables: Mapping[str, str], seconds: float, what: str) -> None:
    """Run a program to its end with these variables alone.

    Raises NotRunError, which begins with `what`, where it cannot start, fails, or is not done
    after `seconds`; then it is killed with all that it started.
    """
    try:
        process = subprocess.Popen(
            command,
            env=dict(variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise NotRunError(f"{what}: {command[0]}: {error.strerror}") from None
    try:
        _, errors = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise NotRunError(f"{what}: it did not end within {seconds:.0f} seconds") from None
    if process.returncode != 0:
        lines = [line for line in errors.decode(errors="replace").splitlines() if line.strip()]
        last = lines[-1].strip()[:LONGEST_REASON] if lines else "it said nothing"
        raise NotRunError(f"{what} (exit code {process.returncode}): {last}")
