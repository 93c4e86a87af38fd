"""The scoring server's own socket."""

from __future__ import annotations

import socket
from dataclasses import replace

from assay.rollout.serving.server import Settings, _listening

SETTINGS = Settings(
    version="v", model="m", server="mlflow", host="127.0.0.1", port=0, unit_header="x-assay-unit",
    request_seconds=15, drain_seconds=30, requests="r", predictions="p", share=1.0, queue=1,
    seconds=1, inputs=True,
)  # fmt: skip


def test_connections_are_named_as_tcp_so_that_answers_are_not_held_back() -> None:
    """asyncio turns Nagle's algorithm off for those alone; with it, every answer took 40 ms."""
    with _listening(SETTINGS) as listening:
        assert listening.proto == socket.IPPROTO_TCP
    with _listening(replace(SETTINGS, host="::1")) as listening:
        assert listening.family == socket.AF_INET6
