"""Callers of a router: one request, and many at a fixed rate."""

from __future__ import annotations

import http.client
import threading
import time
from dataclasses import dataclass

_TIMEOUT = 30.0
_SERVER_FAULT = 500


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What came back. ``status`` 0 is no answer at all; ``version`` is who says it answered."""

    status: int
    version: str | None = None
    body: bytes = b""
    reason: str = ""


class Caller:
    """Keeps one connection to a router, and opens another where it breaks."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._connection: http.client.HTTPConnection | None = None

    def ask(self, body: bytes) -> Reply:
        """Score one request."""
        head = {"content-type": "application/json"}
        try:
            if self._connection is None:
                self._connection = http.client.HTTPConnection(
                    self._host, self._port, timeout=_TIMEOUT
                )
            self._connection.request("POST", "/invocations", body, head)
            answer = self._connection.getresponse()
            return Reply(
                status=answer.status,
                version=answer.getheader("x-assay-version"),
                body=answer.read(),
            )
        except (OSError, http.client.HTTPException) as error:
            self.close()
            return Reply(status=0, reason=type(error).__name__)

    def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


@dataclass(frozen=True, kw_only=True)
class Fired:
    """A load that was fired: latencies in seconds of what was answered, counted from when each
    request was due, so that a server which falls behind is not flattered."""

    latencies: tuple[float, ...]
    requests: int
    errors: int
    seconds: float


def fire(
    host: str, port: int, body: bytes, *, rate: float, seconds: float, workers: int = 8
) -> Fired:
    """Send ``rate`` requests a second for ``seconds``, whatever comes back; open loop."""
    total = max(1, round(rate * seconds))
    shots: list[tuple[float, int]] = []
    lock = threading.Lock()
    begin = time.monotonic()

    def run(first: int) -> None:
        caller = Caller(host, port)
        own = []
        for number in range(first, total, workers):
            due = begin + number / rate
            time.sleep(max(0.0, due - time.monotonic()))
            status = caller.ask(body).status
            own.append((time.monotonic() - due, status))
        caller.close()
        with lock:
            shots.extend(own)

    threads = [threading.Thread(target=run, args=(first,)) for first in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    good = tuple(latency for latency, status in shots if 0 < status < _SERVER_FAULT)
    return Fired(
        latencies=good,
        requests=len(shots),
        errors=len(shots) - len(good),
        seconds=time.monotonic() - begin,
    )
