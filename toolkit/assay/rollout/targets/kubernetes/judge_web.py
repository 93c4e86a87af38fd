"""The judge over HTTP: ``/verdict`` for Argo Rollouts, ``/gate`` and ``/rollback`` for Flagger.

All three take ``candidate`` (an artifact digest) and ``step`` as a query. ``/verdict`` answers 200
with ``{"state": "pass"|"fail"|"inconclusive", "sentence": …}``; ``/gate`` answers 200 on a pass
alone, ``/rollback`` 200 on a fail alone, and 403 otherwise.
"""

from __future__ import annotations

import json
import re
import threading
from collections import OrderedDict
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from assay.errors import AssayError, InputError, OutsideError
from assay.rollout.targets.kubernetes.judge import Judge, Judgement

KEPT = 64
"""Steps that are remembered; the one that was asked for longest ago is forgotten first."""
_OPENS = {"/gate": "pass", "/rollback": "fail"}
Make = Callable[[str, int], Judge]
"""Given a candidate's digest and a step, a judge that begins to look."""


class Judges:
    """One judge for each candidate and step, from when it is first asked for.

    A fail stays one. A pass is looked at again, for those who ask until the rollout ends.
    """

    def __init__(self, make: Make) -> None:
        self._make = make
        self._judges: OrderedDict[tuple[str, int], Judge] = OrderedDict()
        self._failed: dict[tuple[str, int], Judgement] = {}
        self._lock = threading.Lock()

    def verdict(self, candidate: str, step: int) -> Judgement:
        """Look once. Raises InputError for a step that is none, OutsideError for a lost API."""
        key = (candidate, step)
        with self._lock:
            if key not in self._judges:
                self._judges[key] = self._make(candidate, step)
            self._judges.move_to_end(key)
            while len(self._judges) > KEPT:
                self._failed.pop(self._judges.popitem(last=False)[0], None)
            found = self._failed.get(key) or self._judges[key].look()
            if found.state == "fail":
                self._failed[key] = found
            return found


def serve(host: str, port: int, judges: Judges) -> ThreadingHTTPServer:
    """Return a server that listens; run its ``serve_forever``."""

    class Handler(BaseHTTPRequestHandler):
        timeout = 10

        def do_GET(self) -> None:
            code, facts = answer(judges, self.path)
            body = (json.dumps(facts) + "\n").encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        # Flagger posts its hooks; what it says in the body is not needed.
        do_POST = do_GET  # noqa: N815 -- the base class's naming

        def log_message(self, *_: object) -> None:
            """Say nothing of each request."""

    try:
        return ThreadingHTTPServer((host, port), Handler)
    except OSError as error:
        raise OutsideError(
            f"cannot listen on {host}:{port}: {error.strerror}.",
            remedy="Name another address with --listen.",
        ) from None


def answer(judges: Judges, path: str) -> tuple[int, dict[str, str]]:
    """Return the status code and the facts for one request."""
    asked = urlsplit(path)
    if asked.path == "/healthz":
        return 200, {"state": "well"}
    if asked.path != "/verdict" and asked.path not in _OPENS:
        return 404, {"error": "There are /verdict, /gate, /rollback and /healthz."}
    try:
        found = judges.verdict(*_query(asked.query))
    except InputError as error:
        return 400, {"error": str(error)}
    except AssayError as error:
        return 503, {"error": str(error)}
    facts = {"state": found.state, "sentence": found.sentence}
    opens = _OPENS.get(asked.path, found.state)
    return (200 if found.state == opens else 403), facts


def _query(query: str) -> tuple[str, int]:
    given = parse_qs(query)
    candidate, step = given.get("candidate", [""])[0], given.get("step", ["0"])[0]
    if not re.fullmatch(r"[0-9a-f]{64}", candidate) or not re.fullmatch(r"[0-9]{1,3}", step):
        raise InputError("candidate is an artifact digest (64 hex digits), step a number from 0.")
    return candidate, int(step)
