"""Runs act: one process group, its JSON log kept and parsed as it comes, ended at a deadline."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.act.stream import Stream

GRACE = 10.0
"""Seconds between asking act to end and making it."""


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How act ended; ``exit_code`` is None if it was ended at the deadline."""

    exit_code: int | None
    seconds: float
    stream: Stream


def run_act(
    command: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    log: Path,
    timeout: float,
    watch: Callable[[Mapping[str, Any]], None] | None = None,
) -> Ended:
    """Run ``command`` until it ends or ``timeout`` seconds are over.

    Every line goes to ``log`` as it is and to ``watch`` parsed. At the deadline the process group
    that was started here gets SIGTERM and, ten seconds later, SIGKILL; then what its steps had
    started and left behind, and nothing else.
    """
    began = time.monotonic()
    stream = Stream(time.monotonic)
    expired = threading.Event()
    process = subprocess.Popen(
        list(command),
        cwd=cwd,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    )

    def expire() -> None:
        expired.set()
        _end(process)

    timer = threading.Timer(timeout, expire)
    timer.daemon = True
    timer.start()
    try:
        with log.open("w", encoding="utf-8") as kept:
            for line in process.stdout or ():
                kept.write(line)
                entry = stream.feed(line)
                if watch is not None and entry is not None:
                    watch(entry)
        code = process.wait()
    except BaseException:
        _end(process)
        raise
    finally:
        timer.cancel()
    seconds = time.monotonic() - began
    return Ended(exit_code=None if expired.is_set() else code, seconds=seconds, stream=stream)


def _end(process: subprocess.Popen[str]) -> None:
    """End act, and what its steps started: act gives every step a process group of its own."""
    started = _descendants(process.pid)
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=GRACE)
            break
    for pid, birth in started.items():
        if _parent_and_birth(pid)[1] == birth:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _parent_and_birth(pid: int) -> tuple[int, str]:
    """The parent of a process and when it began, from ``/proc``; (0, '') where there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return 0, ""
    fields = text.rpartition(")")[2].split()
    return int(fields[1]), fields[19]


def _descendants(root: int) -> dict[int, str]:
    """Every process below ``root``, with when it began, so that a number used again is not it."""
    pids = [int(entry.name) for entry in Path("/proc").glob("[0-9]*")]
    facts = {pid: _parent_and_birth(pid) for pid in pids}
    found: dict[int, str] = {}
    todo = [root]
    while todo:
        parent = todo.pop()
        for pid, (above, birth) in facts.items():
            if above == parent and pid not in found:
                found[pid] = birth
                todo.append(pid)
    return found
