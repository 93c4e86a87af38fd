"""Runs git for the harness, in an environment that no user's configuration reaches."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

from assay.errors import OutsideError

QUIET = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}


def run_git(
    folder: Path,
    *arguments: str,
    env: Mapping[str, str],
    check: bool = True,
    stdin: bytes | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """``git -C folder …``; ``env`` is what git sees beside :data:`QUIET` (it needs PATH).

    Raises :class:`OutsideError` with git's own words if git is missing, or fails and ``check``.
    """
    command = ["git", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(
            command, env={**env, **QUIET}, input=stdin, capture_output=True, check=False
        )
    except FileNotFoundError as error:
        raise OutsideError("there is no git on PATH", remedy="Install git.") from error
    if check and done.returncode:
        words = done.stderr.decode(errors="replace").strip() or f"exit code {done.returncode}"
        raise OutsideError(f"git {arguments[0]} failed in {folder}: {words}")
    return done


def git(folder: Path, *arguments: str, env: Mapping[str, str]) -> str:
    """The standard output of :func:`run_git`, stripped."""
    return run_git(folder, *arguments, env=env).stdout.decode(errors="replace").strip()
