"""OpenTelemetry to a receiver over OTLP, and logs as JSON; neither where nobody asked.

The receiver is a small server that decodes the protocol's messages: a stand-in for a collector.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest

from assay.alerting.push import looks_in
from assay.alerting.telemetry import CLOSING, Series, Telemetry
from assay.cli.edge import run
from assay.cli.telemetry import export_look, observing, wanted
from assay.rollout.controller.logs import Log
from assay.rollout.controller.metrics import Metrics
from support.collector import Collector, attributes, collector
from support.controllers import V1, V2
from support.fake_target import FakeTarget
from support.production import VERSION, Production
from support.services import Hosted
from support.watching import look, problem

ROOT = Path(__file__).parents[3]


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    for name in [name for name in os.environ if name.startswith("OTEL_")]:
        monkeypatch.delenv(name)
    with collector() as made:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", made.uri)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "5")
        yield made


def configured(folder: Path, *, wrong: float = 0.3, source: str = "logs") -> list[str]:
    """The arguments of a look at a model that is worse than promised."""
    made = Production(folder, settings={"logs": {"source": source, "score": "score"}})
    for number in range(5):
        made.day(number, wrong=wrong)
    made.label(made.rows)
    model = json.loads(made.model().model_dump_json(exclude_defaults=True))
    config = folder / "assay.yaml"
    config.write_text(json.dumps({"version": 1, "models": {"m": model}}))
    return [
        "monitor", "--config", str(config), "--state", str(folder / "state"),
        "--at", "2026-09-06T00:30Z", "--evidence", str(folder / "evidence"),
    ]  # fmt: skip


def test_a_look_is_exported_as_gauges_and_a_span(tmp_path: Path, receiver: Collector) -> None:
    assert run(configured(tmp_path)) == 1
    assert receiver.value("assay_monitor_state", model="m", state="fail") == 1
    assert receiver.value("assay_monitor_problem", model="m", kind="quality",
                          subject="accuracy", severity="block") == 1  # fmt: skip
    [span] = receiver.spans
    assert span.name == "look"
    assert attributes(span)["assay.artifact_digest"] == VERSION
    assert [event.name for event in span.events] == ["quality:accuracy"]
    assert span.end_time_unix_nano > span.start_time_unix_nano
    assert {one["service.name"] for one in receiver.resources} == {"assay-monitor"}


@pytest.mark.parametrize("away", [True, False])
def test_a_collector_that_is_away_fails_no_look_and_is_said(
    tmp_path: Path, receiver: Collector, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str], *, away: bool,
) -> None:  # fmt: skip
    receiver.down = True
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    if away:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    assert run([*configured(tmp_path, wrong=0.1), "--log-format", "json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    (warning,) = [one for one in lines if one["level"] == "warning"]
    assert "this look was not exported" in warning["event"]
    assert lines[-1]["event"] == "look"


def test_a_collector_that_never_answers_is_not_waited_for(
    receiver: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the exporters' own limit is; the kernel takes the connection, and nobody reads."""
    assert receiver.asked == 0
    heard: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{port}")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "60")
        began = time.monotonic()
        export_look(look(problem()), datetime.now(UTC), heard.append)
        assert time.monotonic() - began < CLOSING + 2
    assert len(heard) == 1
    assert "no answer within 5 s" in heard[0]


def test_an_environment_without_the_exporter_is_said_before_a_look_is_taken(
    tmp_path: Path, receiver: Collector, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    assert receiver.asked == 0
    monkeypatch.setitem(sys.modules, "assay.alerting.telemetry", None)
    assert run(configured(tmp_path)) == 2
    assert "ASSAY_ENVIRONMENT=delivery" in capsys.readouterr().err
    assert not (tmp_path / "state").exists()
    assert run(configured(tmp_path / "far", source="s3://bucket/log")) == 2
    assert "ASSAY_ENVIRONMENT=sources" in capsys.readouterr().err


@pytest.mark.parametrize("environment", ["delivery", "kubernetes", "sources"])
def test_the_environments_that_are_advised_have_the_exporter(environment: str) -> None:
    lock = (ROOT / f"requirements/{environment}.txt").read_text()
    assert "\nopentelemetry-exporter-otlp-proto-http==" in lock


def test_a_collector_that_goes_and_comes_back_is_said_once_each(
    receiver: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_METRIC_EXPORT_INTERVAL", "100")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    gauge = Series(name="assay_up", help="", samples=(({}, 1.0),))
    heard: list[str] = []

    def until(lines: int) -> None:
        ends = time.monotonic() + 60
        while len(heard) < lines and time.monotonic() < ends:
            time.sleep(0.05)

    made = Telemetry(service="s", attributes={}, collect=lambda: [gauge], say=heard.append)
    for lines in (2, 4):
        receiver.down = True
        until(lines - 1)
        before = receiver.asked
        ends = time.monotonic() + 60
        while receiver.asked < before + 3 and time.monotonic() < ends:
            time.sleep(0.05)
        assert len(heard) == lines - 1
        assert "does not take metrics: " in heard[-1]
        receiver.down = False
        until(lines)
        assert len(heard) == lines
        assert "the collector takes metrics again; " in heard[-1]
    assert made.lost
    made.close()
    assert receiver.value("assay_up") == 1
    assert len(heard) == 4


def test_nothing_of_it_is_imported_where_nobody_asked(tmp_path: Path) -> None:
    arguments = configured(tmp_path, wrong=0.1)
    program = (
        "import sys; from assay.cli.edge import run; code = run(sys.argv[1:]); "
        "found = [name for name in sys.modules if name.startswith('opentelemetry')]; "
        "sys.exit(f'{code} {found}')"
    )
    known = {name: text for name, text in os.environ.items() if not name.startswith("OTEL_")}
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env={**known, "PYTHONPATH": str(ROOT / "toolkit")},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stderr.strip().endswith("0 []")


def test_the_variables_of_opentelemetry_are_obeyed() -> None:
    assert not wanted({})
    assert wanted({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c"})
    assert not wanted({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_SDK_DISABLED": "true"})


def test_a_controller_exports_its_gauges_and_each_decision_once(
    tmp_path: Path, receiver: Collector
) -> None:
    heard: list[str] = []
    look(problem()).write(tmp_path / "looks/churn")
    with ExitStack() as stack:
        hosted = Hosted(tmp_path, stack, FakeTarget())
        hosted.deploy(V1)
        before = len(hosted.links)
        service = hosted.service
        metrics, looks = Metrics(service.controller, service.status), looks_in(tmp_path / "looks")
        with observing(service, [metrics, looks], heard.append):
            hosted.deploy(V2)
            time.sleep(0.1)
        made = hosted.links[before:]
    assert [attributes(span)["assay.kind"] for span in receiver.spans] == [
        link.facts["kind"] for link in made
    ]
    of_rollout = [one for one in receiver.spans if attributes(one).get("assay.intent")]
    assert len({span.trace_id for span in of_rollout}) == 1
    assert receiver.value("assay_controller_weight", artifact_digest=V2) == 10_000
    assert receiver.value("assay_controller_decisions", kind="promoted") == 2
    assert receiver.value("assay_monitor_predictions", model="churn") == 1200
    assert {one["assay.target"] for one in receiver.resources} == {"production"}
    # An exporter that another test left behind may still be trying to reach its own collector.
    assert not [line for line in heard if receiver.uri.rpartition(":")[2] in line]


def test_a_look_is_logged_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*configured(tmp_path), "--log-format", "json"]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    first, second = (json.loads(line) for line in printed.err.splitlines())
    assert first["event"] == "look"
    assert first["state"] == "fail"
    assert second["key"] == "quality:accuracy"
    assert second["level"] == "alert"


def test_an_error_is_logged_as_json_with_the_same_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSAY_LOG_FORMAT", "json")
    assert run(["monitor", "--config", str(tmp_path / "absent.yaml")]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert json.loads(line)["exit_code"] == 2


def test_a_log_for_a_person_is_one_line_whatever_it_holds() -> None:
    stream = StringIO()
    Log(as_json=False, stream=stream).warning("it\nfailed", reason="a b\x1b[2J", count=3)
    assert stream.getvalue().count("\n") == 1
    assert stream.getvalue().rstrip().endswith('warning it?failed reason="a b?[2J" count=3')
