"""A stand-in for Airflow's REST API v2: the few answers that a client of it needs, and faults.

The real one runs in tests/heavy/test_airflow.py; this one is here to lose an answer, to die in
between, and to say what Airflow says once a year.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from support.listening import listening

PASSWORD = "a-password-of-tests"
TOKEN = "a-token-of-tests"
LOSE = 0
"""The status of an answer that gets lost: the server has acted, and the client never hears."""


@dataclass
class StandIn:
    """Runs by id; a run ends with ``end`` once its state was read ``looks`` times."""

    url: str = ""
    looks: int = 2
    end: str = "success"
    paused: bool = False
    report: Any = None
    lines: list[str] = field(default_factory=lambda: ["epoch 1", "epoch 2", "epoch 3"])
    runs: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    fault: Callable[[str, str], int | None] = lambda _method, _path: None
    """Given method and path: a status to answer instead, LOSE to act and say nothing, or None."""
    read: dict[str, int] = field(default_factory=dict)

    def triggered(self) -> list[str]:
        return [path for method, path in self.asked if (method, path[-8:]) == ("POST", "/dagRuns")]

    def answer(
        self, method: str, path: str, query: dict[str, list[str]], body: Any
    ) -> tuple[int, Any]:
        if path == "/auth/token":
            known = body == {"username": "assay", "password": PASSWORD}
            return (201, {"access_token": TOKEN}) if known else (401, {"detail": "who?"})
        if path == "/api/v2/dags/train":
            return 200, {"dag_id": "train", "is_paused": self.paused}
        if path == "/api/v2/dags/train/dagRuns" and method == "POST":
            return self._trigger(body)
        match = re.fullmatch(r"/api/v2/dags/train/dagRuns/([^/]+)(/.*)?", path)
        run = self.runs.get(match[1]) if match else None
        if match is None or run is None:
            return 404, {"detail": "there is no such thing"}
        if method == "PATCH":
            run.update(state=body["state"], note=body["note"])
            return 200, run
        return self._of_run(run, match[2] or "", query)

    def _trigger(self, body: dict[str, Any]) -> tuple[int, Any]:
        name = body["dag_run_id"]
        if name in self.runs:
            return 409, {"detail": {"reason": "Unique constraint violation"}}
        self.runs[name] = {"dag_run_id": name, "state": "queued", "conf": body["conf"]}
        return 200, self.runs[name]

    def _of_run(
        self, run: dict[str, Any], rest: str, query: dict[str, list[str]]
    ) -> tuple[int, Any]:
        name = run["dag_run_id"]
        if rest == "":
            self.read[name] = self.read.get(name, 0) + 1
            if run["state"] in {"queued", "running"}:
                run["state"] = self.end if self.read[name] > self.looks else "running"
            return 200, run
        if rest == "/taskInstances":
            state = run["state"] if run["state"] in {"success", "failed"} else "running"
            task = {"task_id": "fit", "map_index": -1, "try_number": 1, "state": state,
                    "start_date": "2026-01-02T03:04:05Z"}  # fmt: skip
            return 200, {"task_instances": [task]}
        if rest == "/taskInstances/fit/logs/1":
            return 200, self._log(run, query)
        if rest == "/taskInstances/report/xcomEntries/return_value" and self.report is not None:
            return 200, {"value": self.report}
        return 404, {"detail": "there is no such thing"}

    def _log(self, run: dict[str, Any], query: dict[str, list[str]]) -> dict[str, Any]:
        """A running task has written one line more for each look; the token says what was read."""
        over = run["state"] in {"success", "failed"}
        first = int(query.get("token", ["0"])[0])
        upto = len(self.lines) if over else min(self.read[run["dag_run_id"]], len(self.lines))
        head = [{"event": "::group::Log message source details"}, {"event": "/a/path"}]
        new = [{"timestamp": "t", "event": line} for line in self.lines[first:upto]]
        return {"content": head + new, "continuation_token": None if over else str(upto)}


@contextmanager
def airflow_stand_in(**settings: Any) -> Iterator[StandIn]:
    """Serve a stand-in on a free port."""
    state = StandIn(**settings)

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            address = urlsplit(self.path)
            path = unquote(address.path)
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            state.asked.append((self.command, path))
            status = state.fault(self.command, path)
            data: Any = {"detail": "a fault"}
            if path != "/auth/token" and self.headers["Authorization"] != f"Bearer {TOKEN}":
                status = 401
            if status in {None, LOSE}:
                acted, data = state.answer(self.command, path, parse_qs(address.query), body)
                if status == LOSE:
                    self.close_connection = True
                    return
                status = acted
            content = json.dumps(data).encode()
            self.send_response(status or 500)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = _serve  # noqa: N815

    with listening(Handler) as state.url:
        yield state
