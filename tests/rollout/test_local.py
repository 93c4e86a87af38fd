"""The local target at its door: a real Envoy in front of real scoring servers."""

from __future__ import annotations

import json
import socket
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import requests

from assay.errors import InputError, OutsideError
from assay.rollout.target import Route
from assay.rollout.targets.local import Local
from assay.rollout.targets.local.bootstrap import STAT_PREFIX
from support.models import probe_model
from support.serving import Stage, ask, local_target, processes, ready, until

pytestmark = pytest.mark.xdist_group("local-target")


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    stage = Stage(tmp_path_factory.mktemp("local"))
    yield stage
    stage.target.close()


def test_every_answer_names_its_version_and_its_request(stage: Stage) -> None:
    stage.share(0)
    mine = ask(stage.target, **{"x-request-id": "mine"})
    assert (mine.status, mine.version) == (200, stage.good.digest)
    assert json.loads(mine.body) == {"predictions": ["good"]}
    assert mine.request_id == "mine"


def test_a_unit_stays_with_its_version_while_the_new_one_grows(stage: Stage) -> None:
    units = [f"user-{number}" for number in range(200)]
    stage.share(2_000, sticky=True)
    before = {unit: ask(stage.target, unit=unit).version for unit in units}
    again = {unit: ask(stage.target, unit=unit).version for unit in units}
    stage.share(6_000, sticky=True)
    after = {unit: ask(stage.target, unit=unit).version for unit in units}
    assert before == again
    assert 20 <= Counter(before.values())[stage.new.digest] <= 60
    assert 90 <= Counter(after.values())[stage.new.digest] <= 150
    assert all(after[u] == stage.new.digest for u in units if before[u] == stage.new.digest)


def test_requests_without_a_unit_stay_out_of_a_sticky_experiment(stage: Stage) -> None:
    generation = stage.share(5_000, sticky=True)
    assert {ask(stage.target).version for _ in range(30)} == {stage.good.digest}
    ask(stage.target, unit="somebody")
    seen = until(stage.target, lambda seen: bool(seen.counts))
    assert seen.applied == generation
    assert sum(count.requests for count in seen.counts.values()) == 1


def test_requests_without_a_unit_take_part_in_a_canary_each_as_its_own(stage: Stage) -> None:
    stage.share(5_000, sticky=True, anonymous=True)
    served = Counter(ask(stage.target).version for _ in range(60))
    assert set(served) == {stage.good.digest, stage.new.digest}
    seen = until(
        stage.target, lambda seen: sum(count.requests for count in seen.counts.values()) == 60
    )
    assert {digest: count.units for digest, count in seen.counts.items()} == served


def test_counts_are_the_applied_generations_alone(stage: Stage) -> None:
    stage.share(10_000)
    for number in range(20):
        ask(stage.target, unit=f"{number % 4}")
    seen = until(
        stage.target,
        lambda seen: (
            stage.new.digest in seen.counts and seen.counts[stage.new.digest].requests == 20
        ),
    )
    assert seen.counts[stage.new.digest].units == 4
    assert seen.counts[stage.new.digest].errors == 0
    stage.share(0)
    assert stage.new.digest not in stage.target.observe().counts


def test_callers_cannot_choose_a_version_or_reach_the_servers_own_pages(stage: Stage) -> None:
    stage.share(0)
    forged = ask(stage.target, **{"x-assay-assigned": stage.new.digest})
    assert forged.version == stage.good.digest
    assert ask(stage.target, path="/assay/health").status == 404
    assert ask(stage.target, path="/%2e%2e/assay/health").status in {400, 404}


def test_a_route_is_refused_before_the_router_sees_it(stage: Stage) -> None:
    generation = stage.share(0)
    strange = "f" * 64
    with pytest.raises(OutsideError, match="ffffffffffff cannot take requests: it was never"):
        stage.target.route(
            Route(generation=generation + 1, weights={strange: 10_000}, stable=strange)
        )
    with pytest.raises(InputError, match="is not newer than"):
        stage.target.route(
            Route(
                generation=generation, weights={stage.new.digest: 10_000}, stable=stage.new.digest
            )
        )
    with pytest.raises(InputError, match="Route without it first"):
        stage.target.stop(stage.good.digest)
    assert stage.target.observe().applied == generation
    assert ask(stage.target).version == stage.good.digest


def test_the_same_route_may_be_asked_for_again(stage: Stage) -> None:
    generation = stage.share(0)
    weights = {stage.new.digest: 0, stage.good.digest: 10_000}
    stage.target.route(Route(generation=generation, weights=weights, stable=stage.good.digest))
    assert stage.target.observe().applied == generation


def test_predictions_are_written_with_who_was_asked(stage: Stage) -> None:
    stage.share(10_000)
    ask(stage.target, unit="who", **{"x-request-id": "to-be-labelled"})
    folder = stage.target.setup.folder / "predictions" / stage.new.digest
    deadline = time.monotonic() + 10
    found: list[dict[str, object]] = []
    while not found and time.monotonic() < deadline:
        rows = [row for file in folder.glob("*.parquet") for row in pq.read_table(file).to_pylist()]
        found = [row for row in rows if row["request_id"] == "to-be-labelled"]
        time.sleep(0.05)
    (row,) = found
    assert (row["unit"], row["version"], row["assigned"]) == (
        "who", stage.new.digest, stage.new.digest,
    )  # fmt: skip
    assert (row["generation"], row["mirrored"]) == (stage.generation, False)
    assert (row["input"], row["output"]) == ('{"a":1.0}', '"new"')


def test_a_version_without_traffic_ends_and_leaves_nothing_behind(
    stage: Stage, tmp_path: Path
) -> None:
    stage.share(0)
    third = probe_model(tmp_path / "third", "third")
    stage.target.start(third)
    ready(stage.target, third.digest)
    stage.target.stop(third.digest)
    until(stage.target, lambda seen: third.digest not in seen.backends, patience=15)
    assert not processes(stage.target.setup.folder, third.digest)


def test_where_no_route_was_ever_asked_for_a_version_ends_without_the_time_for_requests(
    tmp_path: Path,
) -> None:
    with closing(local_target(tmp_path / "target")) as target:
        only = probe_model(tmp_path / "only", "only")
        target.start(only)
        ready(target, only.digest)
        target.stop(only.digest)
        assert target.setup.serving.drain_seconds > 15
        until(target, lambda seen: only.digest not in seen.backends, patience=15)
        assert not processes(target.setup.folder, only.digest)


def test_a_port_that_is_taken_is_said_and_taken_once_it_is_free(tmp_path: Path) -> None:
    with socket.socket() as taken, ExitStack() as stack:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        target = local_target(tmp_path / "target", port=taken.getsockname()[1])
        stack.callback(target.close)
        seen = until(target, lambda seen: "Address already in use" in seen.detail)
        assert not seen.router
        taken.close()
        until(target, lambda seen: seen.router)
        assert ask(target).status == 503


def test_statistics_are_on_loopback_and_nothing_else_of_the_admin_interface(
    tmp_path: Path,
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    setup = replace(local_target(tmp_path / "target").setup, metrics_port=port)
    with closing(Local(setup)) as target:
        until(target, lambda seen: seen.router)
        base = f"http://127.0.0.1:{port}"
        text = requests.get(f"{base}/metrics", timeout=10).text
        assert "envoy_server_live{} 1" in text
        # What the generated alert rules read (assay.alerting.burn_rates).
        router = f'envoy_http_conn_manager_prefix="{STAT_PREFIX}"'
        for series in (
            f'envoy_http_downstream_rq_xx{{envoy_response_code_class="5",{router}}}',
            f"envoy_http_downstream_rq_completed{{{router}}}",
        ):
            assert series in text
        assert requests.get(f"{base}/config_dump", timeout=10).status_code == 404
        assert requests.post(f"{base}/quitquitquit", timeout=10).status_code == 404
        assert requests.post(f"{base}/metrics", timeout=10).status_code == 404
