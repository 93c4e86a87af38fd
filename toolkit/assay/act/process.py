"""Runs act: one process group, its JSON log kept and parsed as it comes, ended at a deadline."""

from __future__ import annotations

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
    that was started here, and no other, gets SIGTERM and, ten seconds later, SIGKILL.
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
    """End the group that ``process`` leads; its jobs' own children are in it."""
    for number, patience in ((signal.SIGTERM, GRACE), (signal.SIGKILL, GRACE)):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            return
        try:
            process.wait(timeout=patience)
        except subprocess.TimeoutExpired:
            continue
