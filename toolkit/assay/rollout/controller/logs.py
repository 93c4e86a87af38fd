"""Structured logs on standard error: one JSON object a line, or the same as text for a person."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TextIO

from assay.rollout.controller.clock import Clock


@dataclass(frozen=True, kw_only=True)
class Log:
    """Writes lines with what all of them share."""

    as_json: bool = True
    shared: Mapping[str, object] = field(default_factory=dict)
    stream: TextIO = field(default_factory=lambda: sys.stderr, repr=False)
    clock: Clock = field(default_factory=Clock, repr=False)
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def info(self, event: str, **facts: object) -> None:
        """Say what happened."""
        self._write("info", event, facts)

    def warning(self, event: str, **facts: object) -> None:
        """Say what did not work and is tried again."""
        self._write("warning", event, facts)

    def alert(self, event: str, **facts: object) -> None:
        """Say what a person should look at."""
        self._write("alert", event, facts)

    def _write(self, level: str, event: str, facts: Mapping[str, object]) -> None:
        line = {"time": self.clock.moment(), "level": level, "event": event}
        if self.as_json:
            text = json.dumps({**line, **self.shared, **facts}, default=str)
        else:
            more = "".join(f" {name}={_word(value)}" for name, value in facts.items())
            text = f"{line['time']} {level} {_word(event, spaces=True)}{more}"
        with self.lock:
            try:
                self.stream.write(text + "\n")
                self.stream.flush()
            except (OSError, ValueError):
                # The disk of the log is full or its reader went away: the traffic matters more.
                return


def _word(value: object, *, spaces: bool = False) -> str:
    """One value on one line; what comes from outside steers no terminal."""
    text = "".join(one if one.isprintable() else "?" for one in str(value))
    return text if spaces or " " not in text else json.dumps(text, ensure_ascii=False)
