"""``/healthz`` and ``/metrics`` over HTTP, for what watches processes."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from assay.errors import OutsideError
from assay.rollout.controller.metrics import CONTENT_TYPE, Metrics

HEALTHY_SECONDS = 15.0
"""A controller that has not ended a round for longer is not well."""


class Web:
    """Answers on ``host:port`` (0: any free one, see :attr:`port`) in threads of its own."""

    def __init__(
        self, host: str, port: int, *, status: Callable[[], dict[str, Any]], metrics: Metrics
    ) -> None:
        class Handler(BaseHTTPRequestHandler):
            timeout = 10

            def do_GET(self) -> None:
                if self.path == "/healthz":
                    self._answer(*_health(status()))
                elif self.path == "/metrics":
                    self._answer(200, CONTENT_TYPE, metrics.text())
                else:
                    self._answer(404, "text/plain", b"There are /healthz and /metrics.\n")

            def _answer(self, code: int, kind: str, body: bytes) -> None:
                self.send_response(code)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing of each scrape."""

        try:
            self._server = ThreadingHTTPServer((host, port), Handler)
        except OSError as error:
            raise OutsideError(
                f"cannot listen on {host}:{port}: {error.strerror}.",
                remedy="Name another address with --listen.",
            ) from None
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._server.shutdown()
        self._server.server_close()


def _health(status: dict[str, Any]) -> tuple[int, str, bytes]:
    well = status["age"] is not None and status["age"] < HEALTHY_SECONDS
    facts = {
        "healthy": well,
        "seconds_since_round": status["age"],
        "journal": status["journal"]["state"],
        "trouble": status["trouble"],
    }
    return 200 if well else 503, "application/json", (json.dumps(facts) + "\n").encode()
