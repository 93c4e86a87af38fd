"""One git command: a list of arguments in, bytes out; no shell, no prompt, no hooks."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from assay.errors import OutsideError

LOCAL_SECONDS = 120.0
NETWORK_SECONDS = 900.0

# A hook or the monitor is a program that the repository chose: reading history needs neither.
_SAFE = ("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false")

# Inside a git hook these would point every command at the caller's repository and index.
_INHERITED = (
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
    "GIT_EXTERNAL_DIFF",
)


@dataclass(frozen=True, kw_only=True)
class Finished:
    """A command that ended: its exit code and what it wrote."""

    code: int
    stdout: bytes
    stderr: bytes


Runner = Callable[[Sequence[str], Path, Mapping[str, str], float], Finished]


def run_process(
    arguments: Sequence[str], cwd: Path, environment: Mapping[str, str], timeout: float
) -> Finished:
    """Run ``arguments`` in ``cwd`` with exactly ``environment``, for at most ``timeout`` seconds.

    Raises OutsideError where the program is missing or does not end in time.
    """
    try:
        done = subprocess.run(
            list(arguments),
            cwd=cwd,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout,
            check=False,
        )
    except FileNotFoundError:
        missing = arguments[0] if cwd.is_dir() else cwd.as_posix()
        raise OutsideError(
            f"{missing} was not found.", remedy="Install git, or name an existing folder."
        ) from None
    except subprocess.TimeoutExpired:
        raise OutsideError(
            f"{arguments[0]} did not end within {timeout:.0f} seconds.",
            remedy="Look at the network and the remote, then run it again.",
        ) from None
    except (OSError, ValueError) as error:
        raise OutsideError(f"{arguments[0]} could not be started: {error}.") from None
    return Finished(code=done.returncode, stdout=done.stdout, stderr=done.stderr)


def git_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return ``environment`` made safe for git: it never prompts and speaks one language."""
    kept = {name: value for name, value in environment.items() if name not in _INHERITED}
    return {
        "GIT_ASKPASS": "true",
        **kept,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "LC_ALL": "C",
        "LANGUAGE": "C",
    }


def git_arguments(arguments: Sequence[str]) -> list[str]:
    """Return the whole command line of a git command."""
    return ["git", *_SAFE, *arguments]


def message_of(finished: Finished) -> str:
    """Return git's own words, on one line, without its prefixes, at most 400 characters."""
    text = finished.stderr.decode(errors="backslashreplace").strip()
    lines = [
        line.removeprefix("fatal: ").removeprefix("error: ").strip()
        for line in text.splitlines()
        if line.strip() and not line.startswith("hint:")
    ]
    said = " ".join(lines)[:400].rstrip(".")
    return said or f"exit code {finished.code}"
