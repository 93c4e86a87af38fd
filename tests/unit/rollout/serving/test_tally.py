"""What a scoring server counts of its own answers, through its ASGI app."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from assay.rollout.serving.middleware import HEALTH, Versioned
from assay.rollout.serving.predictions import PredictionLog
from assay.rollout.serving.tally import KEPT, Tally
from assay.rollout.targets.manifests import HEALTH as PROBED
from assay.rollout.targets.manifests.routes import GENERATION_HEADER, SLOW_HEADER


async def answering(scope: Any, receive: Any, send: Any) -> None:
    """Answer with the status that the query asks for."""
    if scope["query_string"] == b"raise":
        raise RuntimeError("the model failed")
    status = int(scope["query_string"] or b"200")
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": b"{}"})


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Versioned]:
    log = PredictionLog(tmp_path, version="v", share=0.0, waiting=1, seconds=60)
    yield Versioned(
        answering, version="v", unit_header="x-unit", requests=logging.getLogger("quiet"),
        predictions=log, inputs=False,
    )  # fmt: skip
    log.close()


def call(made: Versioned, path: str, headers: Mapping[str, str], query: str = "") -> bytes:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {
        "type": "http", "method": "GET" if path == HEALTH else "POST", "path": path,
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }  # fmt: skip
    asyncio.run(made(scope, receive, send))
    return b"".join(each.get("body", b"") for each in sent)


def counts(made: Versioned) -> Any:
    return json.loads(call(made, HEALTH, {}))["counts"]


@pytest.mark.parametrize(
    ("query", "counted"),
    [("200", [1, 0, 0]), ("400", [1, 0, 0]), ("500", [1, 1, 1]), ("raise", [1, 1, 1])],
)
def test_an_answer_is_counted_by_what_it_says(
    made: Versioned, query: str, counted: list[int]
) -> None:
    told = {GENERATION_HEADER: "7", SLOW_HEADER: "60000"}
    call(made, "/invocations", told, query)
    assert counts(made) == {"7": counted}


def test_what_takes_longer_than_the_route_says_is_slow(made: Versioned) -> None:
    call(made, "/invocations", {GENERATION_HEADER: "7", SLOW_HEADER: "0"})
    assert counts(made) == {"7": [1, 0, 1]}


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/invocations", {}),
        ("/invocations", {GENERATION_HEADER: "7"}),
        ("/invocations", {GENERATION_HEADER: "seven", SLOW_HEADER: "500"}),
        ("/invocations", {GENERATION_HEADER: "7", SLOW_HEADER: "soon"}),
        ("/version", {GENERATION_HEADER: "7", SLOW_HEADER: "500"}),
    ],
)
def test_what_no_route_sent_is_not_counted(
    made: Versioned, path: str, headers: Mapping[str, str]
) -> None:
    call(made, path, headers)
    assert counts(made) == {}


def test_only_some_generations_are_kept() -> None:
    tally = Tally()
    for generation in range(KEPT + 3):
        tally.add(generation, status=200, milliseconds=1, slow_over=2)
    assert list(tally.counters()) == [str(each) for each in range(3, KEPT + 3)]


def test_the_probes_ask_where_the_server_answers() -> None:
    assert PROBED == HEALTH
