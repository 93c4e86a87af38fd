"""A front before a real HTTP server that fails one chosen request, or all, the way servers do."""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from urllib.parse import urlsplit

from support.listening import listening


@dataclass
class Front:
    """Requests count from 0; that of number ``fails_at`` and all after it are not answered."""

    behind: str
    uri: str = ""
    fails_at: int | None = None
    hangs: bool = False
    seen: int = 0
    asked: list[str] = field(default_factory=list)

    def next_fails(self, what: str) -> bool:
        """Count a request; say whether it is to fail."""
        number, self.seen = self.seen, self.seen + 1
        self.asked.append(what)
        return self.fails_at is not None and number >= self.fails_at


@contextmanager
def failing_front(behind: str) -> Iterator[Front]:
    """Give a front on a free port that forwards to ``behind`` until it is told to fail."""
    front = Front(behind)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def forward(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if front.next_fails(f"{self.command} {urlsplit(self.path).path}"):
                if front.hangs:
                    time.sleep(60)
                self.close_connection = True
                return
            place = urlsplit(front.behind)
            upstream = http.client.HTTPConnection(place.hostname or "", place.port, timeout=30)
            headers = {k: v for k, v in self.headers.items() if k.lower() != "host"}
            upstream.request(self.command, self.path, body, headers)
            answer = upstream.getresponse()
            content = answer.read()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in {"transfer-encoding", "connection", "content-length"}:
                    self.send_header(name, value)
            # The answer to HEAD says how long the one to GET would be.
            length = answer.getheader("Content-Length") if self.command == "HEAD" else None
            self.send_header("Content-Length", length or str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            upstream.close()

        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = forward  # noqa: N815

    with listening(Handler) as front.uri:
        yield front
