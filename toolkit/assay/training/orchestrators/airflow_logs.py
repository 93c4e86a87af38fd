"""The logs of a DAG run's tasks, each line once, while they are written."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import quote

from assay.training.orchestrators.http import Answer
from assay.training.process import Redactor

_PAGE = 100
_MOST_PAGES = 50
_TAIL_LINES = 200
_MOST_CHUNKS = 200
_ENDED = frozenset({"success", "failed", "skipped", "upstream_failed", "removed"})
_WRITING = frozenset({"running", "deferred", "up_for_retry", "restarting"})
_MARKS = ("::group::", "::endgroup::")


class Ask(Protocol):
    """Sends one request to the server."""

    def __call__(self, method: str, path: str, **more: Any) -> Answer:
        """Return the answer."""


@dataclass(kw_only=True)
class Logs:
    """Shows what tasks of the run at ``path`` have written since it last looked."""

    ask: Ask
    path: str
    write: Callable[[str], None]
    redact: Redactor
    _tail: deque[str] = field(default_factory=lambda: deque(maxlen=_TAIL_LINES), init=False)
    _states: dict[str, str] = field(default_factory=dict, init=False)
    _last: dict[str, str] = field(default_factory=dict, init=False)
    _seen: dict[tuple[str, int, int], str | None] = field(default_factory=dict, init=False)

    @property
    def tail(self) -> tuple[str, ...]:
        """The last lines that were shown."""
        return tuple(self._tail)

    def show(self) -> None:
        """Read the tasks' states and what is new in their logs."""
        for task in self._tasks():
            name = str(task.get("task_id"))
            number, tried = task.get("map_index", -1), task.get("try_number") or 0
            named = name if number == -1 else f"{name}[{number}]"
            state = str(task.get("state"))
            if tried and task.get("start_date") and state in _WRITING | _ENDED:
                self._read(named, name, (name, number, tried))
            if self._states.get(named) != state and state in _ENDED:
                self._put(named, state)
            self._states[named] = state

    def failures(self) -> str:
        """Name each task that failed, with the last line it wrote."""
        failed = [name for name, state in self._states.items() if state == "failed"]
        shown = [f"task {name}: {self._last.get(name, 'it wrote nothing')}" for name in failed[:3]]
        return f": {'; '.join(shown)}" if shown else " without a failed task (cancelled there?)"

    def _tasks(self) -> Iterator[Mapping[str, Any]]:
        for page in range(_MOST_PAGES):
            query = {"limit": str(_PAGE), "offset": str(page * _PAGE)}
            answer = self.ask("GET", f"{self.path}/taskInstances", query=query)
            found = answer.data.get("task_instances") if isinstance(answer.data, dict) else None
            listed = [each for each in found or () if isinstance(each, dict)]
            yield from sorted(listed, key=lambda each: str(each.get("start_date") or "~"))
            if len(listed) < _PAGE:
                return

    def _read(self, named: str, name: str, log: tuple[str, int, int]) -> None:
        if log in self._seen and self._seen[log] is None:
            return
        for _ in range(_MOST_CHUNKS):
            query = {"map_index": str(log[1])}
            token = self._seen.get(log)
            if token:
                query["token"] = token
            path = f"{self.path}/taskInstances/{quote(name, safe='')}/logs/{log[2]}"
            answer = self.ask("GET", path, query=query)
            if answer.status != 200 or not isinstance(answer.data, dict):
                return
            lines = list(_lines(answer.data.get("content")))
            for line in lines:
                self._put(named, line)
            self._seen[log] = answer.data.get("continuation_token")
            if self._seen[log] is None or not lines:
                return

    def _put(self, task: str, text: str) -> None:
        line = self.redact(f"[{task}] {text}")
        if text not in _ENDED:
            self._last[task] = self.redact(text)[:300]
        self._tail.append(line[:1000])
        self.write(line)


def _lines(content: Any) -> Iterator[str]:
    """Yield what was written, without the entries that say where the log lies."""
    entries = content if isinstance(content, list) else []
    for entry in entries:
        text = entry.get("event") if isinstance(entry, dict) else entry
        dated = isinstance(entry, str) or "timestamp" in entry
        if not isinstance(text, str) or not dated or text.startswith(_MARKS):
            continue
        detail = entry.get("error_detail") if isinstance(entry, dict) else None
        yield from text.splitlines()
        for error in detail if isinstance(detail, list) else ():
            if isinstance(error, dict):
                yield f"{error.get('exc_type')}: {error.get('exc_value')}"
