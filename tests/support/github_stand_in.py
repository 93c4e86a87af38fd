"""A stand-in for GitHub's API, of the standard library alone: canned answers by path.

For what the local GitHub of tests/act cannot show: failures, odd answers, races.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from support.listening import listening


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request that arrived; ``path`` without its query."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    authorization: str


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What is sent back."""

    status: int = 200
    document: Any = None
    raw: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)


Respond = Callable[[Asked], Answer]


@dataclass
class StandIn:
    """What was asked of it, in order."""

    url: str = ""
    asked: list[Asked] = field(default_factory=list)


@contextmanager
def stand_in(respond: Respond) -> Iterator[StandIn]:
    """Serve on a free port of 127.0.0.1 until the block ends."""
    made = StandIn()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            parts = urlsplit(self.path)
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            asked = Asked(
                method=self.command,
                path=parts.path,
                query=dict(parse_qsl(parts.query)),
                body=json.loads(raw) if raw else None,
                authorization=self.headers.get("Authorization", ""),
            )
            made.asked.append(asked)
            answer = respond(asked)
            body = answer.raw if answer.raw is not None else json.dumps(answer.document).encode()
            self.send_response(answer.status)
            for name, value in {"Content-Type": "application/json", **answer.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PATCH = do_DELETE = handle_any  # noqa: N815 - http.server's

    with listening(Handler) as made.url:
        yield made
