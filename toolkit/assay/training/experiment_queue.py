"""What DVC's experiment queue leaves running when it is stopped."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from assay.errors import AssayError
from assay.training.process import run_streamed

_RUNS = Path(".dvc", "tmp", "exps", "run")
_MARK = "exp exec-run"
_PS_SECONDS = 30.0


def was_used(repository: Path) -> bool:
    """Whether the queue of a DVC repository has ever run anything."""
    return (repository / _RUNS).is_dir()


def running_groups(repository: Path, variables: Mapping[str, str]) -> tuple[int, ...]:
    """Return the process groups that the queue's running experiments are in.

    `dvc queue stop --kill` ends DVC's own process of an experiment, and not the command that it
    runs; the group holds both. Asked of `ps`, so that a number that is another's by now is none.
    """
    found = []
    for process in _unfinished(repository / _RUNS):
        lines: list[str] = []
        with suppress(AssayError):
            run_streamed(
                ["ps", "-o", "pgid=,args=", "-p", str(process)],
                cwd=repository,
                variables=variables,
                timeout=_PS_SECONDS,
                write=lines.append,
            )
        group, _, arguments = "".join(lines[:1]).strip().partition(" ")
        if group.isdigit() and _MARK in arguments and int(group) != os.getpgid(0):
            found.append(int(group))
    return tuple(dict.fromkeys(found))


def end_groups(groups: tuple[int, ...]) -> None:
    """Kill what is left of process groups."""
    for group in groups:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)


def _unfinished(folder: Path) -> Iterator[int]:
    """Yield the process of each run whose file names no exit code yet."""
    for file in sorted(folder.glob("*/*.json")):
        try:
            run = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        process = run.get("pid") if isinstance(run, dict) else None
        if isinstance(process, int) and process > 1 and run.get("returncode") is None:
            yield process
