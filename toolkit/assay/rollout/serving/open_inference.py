"""MLServer's app: the Open Inference Protocol (V2), and MLflow's own /invocations beside it.

MLServer as a whole would also open a gRPC port and a metrics port; only its REST app is taken.
"""

from __future__ import annotations

import asyncio

from mlserver import MLServer, ModelSettings, Settings
from mlserver.server import HANDLED_SIGNALS

from .middleware import App

NAME = "model"


async def app(model: str) -> App:
    """Load the MLflow model in the folder ``model`` and return the app that serves it."""
    server = MLServer(Settings(parallel_workers=0, metrics_endpoint=None, debug=False))
    await server._model_registry.load(
        ModelSettings(
            name=NAME,
            implementation="mlserver_mlflow.MLflowRuntime",
            parameters={"uri": model},
        )
    )
    for number in HANDLED_SIGNALS:  # its own would stop servers that never started
        asyncio.get_running_loop().remove_signal_handler(number)
    found: App = server._rest_server._app
    return found
