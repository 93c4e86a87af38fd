"""Runs that go on where an earlier process stopped: a line of JSON for each that is finished."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Runner:
    """Where runs are made, and where what they found is kept; nothing is kept without a file.

    Delete the file when a formula has changed: what is in it is not run again.
    """

    pool: ProcessPoolExecutor
    state: Path | None = None

    def each(self, function: Callable[..., Any], asked: Sequence[tuple[Any, ...]]) -> list[Any]:
        """What the function makes of each tuple of arguments, as JSON gives it back."""
        done = self._done()
        keys = [_key(function, arguments) for arguments in asked]
        left = {
            self.pool.submit(function, *arguments): key
            for key, arguments in zip(keys, asked, strict=True)
            if key not in done
        }
        for future in as_completed(left):
            line = json.dumps([left[future], future.result()], ensure_ascii=False)
            done[left[future]] = json.loads(line)[1]
            if self.state is not None:
                with self.state.open("a", encoding="utf-8") as lines:
                    lines.write(f"{line}\n")
        return [done[key] for key in keys]

    def _done(self) -> dict[str, Any]:
        if self.state is None or not self.state.exists():
            return {}
        lines = self.state.read_text(encoding="utf-8").splitlines()
        return dict(json.loads(line) for line in lines)


def _key(function: Callable[..., Any], arguments: tuple[Any, ...]) -> str:
    return f"{function.__name__}{arguments!r}"
