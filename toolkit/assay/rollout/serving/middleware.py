"""What is put around MLflow's (or MLServer's) app: a version on every answer, and two logs."""

from __future__ import annotations

import json
import logging
import time
import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from .predictions import Answer, PredictionLog
from .tally import Tally

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

HEALTH = "/assay/health"
VERSION = b"x-assay-version"
LARGEST_LOGGED = 1024 * 1024
"""A larger body is answered, and not logged as a prediction."""
_MODEL_RAISED = b"Encountered an unexpected error while evaluating the model"


@dataclass
class Exchange:
    """One request while it is answered."""

    request_id: str
    unit: str | None
    assigned: str | None
    generation: int | None
    mirrored: bool
    logged: bool
    slow_over: float | None = None
    status: int = 0
    held: Message | None = None
    asked: bytearray = field(default_factory=bytearray)
    answered: bytearray = field(default_factory=bytearray)


class Versioned:
    """An ASGI app that names its version on every answer, logs a line, and logs predictions."""

    def __init__(
        self,
        app: App,
        *,
        version: str,
        unit_header: str,
        requests: logging.Logger,
        predictions: PredictionLog,
        inputs: bool,
    ) -> None:
        self.app = app
        self.version = version
        self.unit_header = unit_header.lower().encode()
        self.requests = requests
        self.predictions = predictions
        self.inputs = inputs
        self.tally = Tally()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if scope["path"] == HEALTH:
            await self._health(send)
            return
        began = time.perf_counter()
        exchange = self._exchange(scope)
        try:
            await self.app(scope, self._listening(exchange, receive), self._naming(exchange, send))
        except Exception:  # the model's environment decides what can be raised
            logging.getLogger("serving").exception("request %s", exchange.request_id)
            if exchange.status:
                raise
            await self._naming(exchange, send)(_start(500))
            await send({"type": "http.response.body", "body": b'{"error":"the server failed"}'})
        finally:
            self._note(scope, exchange, (time.perf_counter() - began) * 1000)

    async def _health(self, send: Send) -> None:
        facts = {
            "version": self.version,
            "predictions": self.predictions.counters(),
            "counts": self.tally.counters(),
        }
        body = json.dumps(facts)
        await send(_start(200, [(VERSION, self.version.encode())]))
        await send({"type": "http.response.body", "body": body.encode()})

    def _exchange(self, scope: Scope) -> Exchange:
        headers = dict(scope["headers"])
        generation = _text(headers.get(b"x-assay-generation"))
        request_id = _text(headers.get(b"x-request-id")) or str(uuid.uuid4())
        host = (_text(headers.get(b"host")) or "").split(":")[0]
        scoring = scope["method"] == "POST" and scope["path"].endswith(("/invocations", "/infer"))
        return Exchange(
            request_id=request_id,
            unit=_text(headers.get(self.unit_header)),
            assigned=_text(headers.get(b"x-assay-assigned")),
            generation=int(generation) if generation and generation.isdecimal() else None,
            # Envoy appends this to the host of a request that it mirrors.
            mirrored=host.endswith("-shadow"),
            logged=scoring and self.predictions.samples(request_id),
            slow_over=_number(headers.get(b"x-assay-slow-over")) if scoring else None,
        )

    def _listening(self, exchange: Exchange, receive: Receive) -> Receive:
        if not (exchange.logged and self.inputs):
            return receive

        async def listen() -> Message:
            message = await receive()
            if message["type"] == "http.request" and exchange.logged:
                exchange.asked += message.get("body", b"")
                exchange.logged = len(exchange.asked) <= LARGEST_LOGGED
            return message

        return listen

    def _naming(self, exchange: Exchange, send: Send) -> Send:
        async def name(message: Message) -> None:
            if message["type"] == "http.response.start":
                exchange.status = message["status"]
                message["headers"] = [*message.get("headers", []), (VERSION, self.version.encode())]
                if exchange.status == 400:
                    exchange.held = message
                    return
            elif message["type"] == "http.response.body":
                await self._body(exchange, message, send)
            await send(message)

        return name

    async def _body(self, exchange: Exchange, message: Message, send: Send) -> None:
        """Send a start that was held back; collect the answer where it is logged.

        MLflow answers 400 where the model itself raised on input that its signature accepts. That
        is the server's failure, so it becomes a 500: guards and retries then see it as one.
        """
        body = message.get("body", b"")
        if exchange.held is not None:
            if _MODEL_RAISED in body:
                exchange.status = exchange.held["status"] = 500
            await send(exchange.held)
            exchange.held = None
        if exchange.logged and exchange.status == 200:
            exchange.answered += body
            exchange.logged = len(exchange.answered) <= LARGEST_LOGGED

    def _note(self, scope: Scope, exchange: Exchange, milliseconds: float) -> None:
        now = time.time()
        line = {
            "time": datetime.fromtimestamp(now, tz=timezone.utc).isoformat(timespec="microseconds"),
            "request_id": exchange.request_id,
            "unit": exchange.unit,
            "version": self.version,
            "assigned": exchange.assigned,
            "generation": exchange.generation,
            "mirrored": exchange.mirrored,
            "method": scope["method"],
            "path": scope["path"],
            "status": exchange.status,
            "milliseconds": round(milliseconds, 3),
        }
        if exchange.generation is not None and exchange.slow_over is not None:
            self.tally.add(
                exchange.generation,
                status=exchange.status,
                milliseconds=milliseconds,
                slow_over=exchange.slow_over,
            )
        self.requests.info(json.dumps(line, separators=(",", ":")))
        if exchange.logged and exchange.status == 200:
            self.predictions.add(
                Answer(
                    request_id=exchange.request_id,
                    unit=exchange.unit,
                    assigned=exchange.assigned,
                    generation=exchange.generation,
                    mirrored=exchange.mirrored,
                    time=now,
                    request=bytes(exchange.asked) if self.inputs else None,
                    answer=bytes(exchange.answered),
                )
            )


def _start(status: int, headers: list[tuple[bytes, bytes]] | None = None) -> Message:
    kind = (b"content-type", b"application/json")
    return {"type": "http.response.start", "status": status, "headers": [kind, *(headers or [])]}


def _number(value: bytes | None) -> float | None:
    try:
        return float(value or b"")
    except ValueError:
        return None


def _text(value: bytes | None) -> str | None:
    return value.decode("latin-1") if value else None
