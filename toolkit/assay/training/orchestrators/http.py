"""Requests to an orchestrator's server: bounded, repeated while it is out of reach, unlogged."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import requests

from assay.errors import OutsideError

_REQUEST_SECONDS = 30.0
_MOST_BYTES = 32 * 1024 * 1024
_BUSY = frozenset({429, 500, 502, 503, 504})
_LONGEST_PAUSE = 10.0


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An answer of the server: status and what its JSON says, None where it is none."""

    status: int
    data: Any = None

    @property
    def said(self) -> str:
        """The server's own words, short."""
        detail = self.data.get("detail", self.data) if isinstance(self.data, dict) else self.data
        text = detail if isinstance(detail, str) else json.dumps(detail, default=str)
        return " ".join(text.split())[:300]


@dataclass(frozen=True, kw_only=True)
class Server:
    """A server at ``url``, called ``name`` in messages; out of reach for ``patience`` s at most.

    ``sleep`` and ``clock`` take and give seconds.
    """

    name: str
    url: str
    patience: float
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    session: requests.Session = field(default_factory=requests.Session, repr=False)

    def ask(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        patience: float | None = None,
    ) -> Answer:
        """Send one request, again and again while the server is out of reach or busy.

        A request may so arrive twice: send only what may. Raises OutsideError where the patience
        ends, or the answer is too large to be one.
        """
        ends = self.clock() + (self.patience if patience is None else patience)
        pause = 0.5
        while True:
            try:
                answer = self._once(method, path, body, query, headers)
                if answer.status not in _BUSY:
                    return answer
                why = f"it answers {answer.status}"
            except requests.RequestException as error:
                why = _reason(error)
            if self.clock() + pause > ends:
                raise OutsideError(
                    f"{self.name} at {self.url} cannot be reached: {why}.",
                    remedy="What was submitted there goes on; `assay train` again attaches to it.",
                )
            self.sleep(pause)
            pause = min(_LONGEST_PAUSE, pause * 2)

    def _once(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None,
        query: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
    ) -> Answer:
        with self.session.request(
            method,
            f"{self.url}{path}",
            json=body,
            params=query,
            headers={"Accept": "application/json", **(headers or {})},
            timeout=_REQUEST_SECONDS,
            # A redirect would carry the credentials to wherever it points.
            allow_redirects=False,
            stream=True,
        ) as response:
            content = response.raw.read(_MOST_BYTES + 1, decode_content=True)
            status = response.status_code
        if len(content) > _MOST_BYTES:
            raise OutsideError(f"{self.name} at {self.url} answered over {_MOST_BYTES:,} bytes.")
        try:
            return Answer(status=status, data=json.loads(content) if content else None)
        except (ValueError, RecursionError):
            return Answer(status=status)


def _reason(error: requests.RequestException) -> str:
    """Say what kind of failure it was: the library's own words hold whole addresses."""
    match error:
        case requests.exceptions.SSLError():
            return "its certificate is not trusted"
        case requests.Timeout():
            return f"no answer within {_REQUEST_SECONDS:.0f} seconds"
        case requests.ConnectionError():
            return "no connection"
        case _:
            return type(error).__name__
