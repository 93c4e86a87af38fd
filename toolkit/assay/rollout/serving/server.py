"""Starts one process of a version: loads the model, serves it, drains on SIGTERM.

Its one argument is a JSON file, written by the local target; see :class:`Settings`.
"""

from __future__ import annotations

import asyncio
import json
import logging
import logging.handlers
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

import uvicorn

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


def main() -> None:
    """Serve until SIGTERM; what waits to be logged is written before the end."""
    settings = Settings(**json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    logging.basicConfig(level=logging.WARNING)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    asyncio.run(_serve(settings))


async def _serve(settings: Settings) -> None:
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
                host=settings.host,
                port=settings.port,
                log_level="warning",
                access_log=False,
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=max(1, round(settings.drain_seconds)),
            )
        )
        # uvicorn raises the signal again when it has shut down; the log is closed after that.
        signal.signal(signal.SIGTERM, lambda *_: None)
        await server.serve()
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
