"""Starts a version: loads the model, serves it, drains on SIGTERM.

Its one argument is a JSON file, written by the local target; see :class:`Settings`. Without it,
variables say the same (:mod:`container`).
"""

from __future__ import annotations

import asyncio
import json
import logging
import logging.handlers
import os
import signal
import socket
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import uvicorn

from . import container
from .middleware import App, Versioned
from .predictions import PredictionLog

KEEP_ALIVE_SECONDS = 75
_LOG_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True)
class Settings:
    """What a process is told: which model, where to listen, what to log."""

    version: str
    model: str
    server: str
    host: str
    port: int
    unit_header: str
    request_seconds: float
    drain_seconds: float
    requests: str
    """The log of requests: one JSON line each; rotated."""
    predictions: str
    """The folder of the prediction log."""
    share: float
    queue: int
    seconds: float
    inputs: bool
    workers: int = 1
    """Processes that share the port."""


def main() -> None:
    """Serve until SIGTERM; what waits to be logged is written before the end."""
    logging.basicConfig(level=logging.WARNING)
    if len(sys.argv) > 1:
        told = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    else:
        try:
            told = container.settings(os.environ)
        except container.RefusedError as error:
            sys.exit(f"refused: {error}")
    settings = Settings(**told)
    with _listening(settings) as listening:
        if settings.workers > 1:
            _fork(settings, listening)
        else:
            _one(settings, listening)


def _listening(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # Named as TCP, or asyncio leaves Nagle's algorithm on, and every answer takes 40 ms.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind((settings.host, settings.port))
    return listening


def _fork(settings: Settings, listening: socket.socket) -> None:
    """One child for each worker, before anything is loaded. They end together."""
    children = set()
    for number in range(settings.workers):
        child = os.fork()
        if child == 0:
            own = replace(settings, requests=f"{settings.requests}.{number}")
            _one(own, listening)
            os._exit(0)
        children.add(child)

    def end(*_: object) -> None:
        for child in children:
            os.kill(child, signal.SIGTERM)

    signal.signal(signal.SIGTERM, end)
    ended, status = os.wait()
    children.discard(ended)
    end()
    for child in children:
        os.waitpid(child, 0)
    sys.exit(os.waitstatus_to_exitcode(status))


def _one(settings: Settings, listening: socket.socket) -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    asyncio.run(_serve(settings, listening))


async def _serve(settings: Settings, listening: socket.socket) -> None:
    app = await _app(settings)
    predictions = PredictionLog(
        Path(settings.predictions),
        version=settings.version,
        share=settings.share,
        waiting=settings.queue,
        seconds=settings.seconds,
    )
    try:
        versioned = Versioned(
            app,
            version=settings.version,
            unit_header=settings.unit_header,
            requests=_request_log(settings.requests),
            predictions=predictions,
            inputs=settings.inputs,
        )
        server = uvicorn.Server(
            uvicorn.Config(
                versioned,
                log_level="warning",
                access_log=False,
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=max(1, round(settings.drain_seconds)),
            )
        )
        # uvicorn raises the signal again when it has shut down; the log is closed after that.
        signal.signal(signal.SIGTERM, lambda *_: None)
        await server.serve(sockets=[listening])
    finally:
        predictions.close()


async def _app(settings: Settings) -> App:
    os.environ["MLFLOW_SCORING_SERVER_REQUEST_TIMEOUT"] = str(round(settings.request_seconds))
    if settings.server == "mlserver":
        from .open_inference import app  # noqa: PLC0415 -- another environment has it

        return await app(settings.model)
    from mlflow.pyfunc import load_model, scoring_server  # noqa: PLC0415 -- likewise

    found: App = scoring_server.init(load_model(settings.model))
    return found


def _request_log(file: str) -> logging.Logger:
    logger = logging.getLogger("serving.requests")
    logger.propagate = False
    logger.setLevel(logging.INFO)
    handler = logging.handlers.RotatingFileHandler(file, maxBytes=_LOG_BYTES, backupCount=1)
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger.addHandler(handler)
    logging.raiseExceptions = False  # a full disk costs lines, not answers
    return logger
