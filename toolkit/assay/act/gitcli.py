"""Runs git for the harness."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from assay.errors import OutsideError

ALWAYS = {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}


def unconfigured(env: Mapping[str, str]) -> dict[str, str]:
    """``env`` without the user's and the machine's git configuration: for repositories of ours.

    The user's own repositories keep it: filters (Git LFS) and safe directories stand there.
    """
    return {**env, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}


def run_git(
    folder: Path,
    *arguments: str,
    env: Mapping[str, str],
    check: bool = True,
    stdin: bytes | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """``git -C folder …``, reading ``stdin``; it sees ``env`` (PATH in it) and :data:`ALWAYS`.

    Raises :class:`OutsideError` with git's own words if git is missing, or fails and ``check``.
    """
    command = ["git", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(
            command, env={**env, **ALWAYS}, input=stdin, capture_output=True, check=False
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
