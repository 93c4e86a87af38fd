"""A server that answers as a scoring server's health check does, with given counts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

from support.listening import listening


@contextmanager
def serving_counts(counts: Mapping[str, Sequence[object]] | bytes) -> Iterator[int]:
    """Serve counts, or some other answer, on a free port of 127.0.0.1 until the block ends."""
    body = counts if isinstance(counts, bytes) else json.dumps({"counts": counts}).encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with listening(Handler) as address:
        yield int(address.rpartition(":")[2])
