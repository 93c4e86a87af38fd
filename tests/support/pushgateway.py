"""A stand-in for a Prometheus Pushgateway."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

from support.listening import listening


@contextmanager
def pushgateway() -> Iterator[tuple[str, dict[str, str]]]:
    """Give its address, and the last push of each group by its path."""
    groups: dict[str, str] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            groups[self.path] = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

    with listening(Handler) as address:
        yield address, groups
