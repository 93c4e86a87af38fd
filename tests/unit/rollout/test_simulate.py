"""`assay rollout simulate`: what it prints, what it counts, and what it refuses."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from assay.cli.edge import run
from assay.config import OnlineMetric, Strategy
from assay.rollout.rehearsal import Assumed, assume, rehearse
from assay.tables.request_log import read_request_log

BEGAN = datetime(2026, 11, 1, tzinfo=UTC)


def written(path: Path, n: int = 20_000, *, seed: int = 1, **columns: Any) -> Path:
    """A log of two hours; half of the requests are labelled, ten minutes later."""
    rng = np.random.default_rng(seed)
    seconds = np.sort(rng.uniform(0, 7_200, n))
    table = {
        "time": [BEGAN + timedelta(seconds=float(each)) for each in seconds],
        "unit": [f"user-{each}" for each in rng.integers(0, n // 4, n)],
        "error": rng.random(n) < 0.002,
        "milliseconds": rng.lognormal(4, 0.5, n),
        "value": pa.array((rng.random(n) < 0.85).astype(float), mask=rng.random(n) < 0.5),
        "label_time": [BEGAN + timedelta(seconds=float(each) + 600) for each in seconds],
        **{name: each(rng, n) for name, each in columns.items()},
    }
    pq.write_table(pa.table({name: each for name, each in table.items() if each is not None}), path)
    return path


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("log") / "requests.parquet")


def simulated(capsys: pytest.CaptureFixture[str], log: Path, *options: str) -> dict[str, Any]:
    assert run(["rollout", "simulate", "--log", str(log), *options, "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_a_failing_version_goes_back_and_its_cost_is_counted(
    capsys: pytest.CaptureFixture[str], log: Path
) -> None:
    found = simulated(capsys, log, "--strategy", "canary", "--more-errors", "0.2", "--replays", "5")
    assert (found["requests"], found["units"]) == (20_000, 4_896)
    for replay in found["replays"]:
        assert replay["outcome"] == "rolled-back by guard"
        assert replay["decisions"][0]["sentence"].startswith("Begins: 1")
        assert 0 < replay["bad_requests"] < replay["requests"]
    mean = np.mean([each["bad_requests"] for each in found["replays"]])
    assert found["expected_bad_requests"] == pytest.approx(mean)
    assert len({each["requests"] for each in found["replays"]}) > 1


def test_it_is_repeatable(capsys: pytest.CaptureFixture[str], log: Path) -> None:
    options = ("--strategy", "ab", "--margin", "0.05", "--replays", "2", "--seed", "7")
    assert simulated(capsys, log, *options) == simulated(capsys, log, *options)


def test_words_name_the_decision_the_labels_and_the_cost(
    capsys: pytest.CaptureFixture[str], log: Path
) -> None:
    options = ["--strategy", "bandit", "--margin", "0.05", "--value-change", "-0.15"]
    assert run(["rollout", "simulate", "--log", str(log), *options, "--replays", "2"]) == 0
    said = capsys.readouterr().out
    assert "bandit: 50" in said
    assert "The new version is assumed" in said
    assert "Goes back: Accuracy worse" in said
    assert "rolled-back by verdict: 2 (100" in said
    assert "labels at the end:" in said
    assert "expected (failed, or a worse value)" in said


def test_a_log_that_is_too_short_is_undecided(
    capsys: pytest.CaptureFixture[str], log: Path
) -> None:
    found = simulated(capsys, log, "--strategy", "ab", "--margin", "0.001", "--replays", "2")
    assert {each["outcome"] for each in found["replays"]} == {"undecided"}
    run(["rollout", "simulate", "--log", str(log), "--strategy", "ab", "--margin", "0.001"])
    assert "The log ends first" in capsys.readouterr().out


def test_a_second_versions_outcomes_are_used(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    both = written(
        tmp_path / "both.parquet",
        new_error=lambda rng, n: rng.random(n) < 0.002,
        new_value=lambda rng, n: (rng.random(n) < 0.6).astype(float),
    )
    options = ("--strategy", "shadow", "--margin", "0.05", "--replays", "2")
    found = simulated(capsys, both, *options)
    assert {each["outcome"] for each in found["replays"]} == {"rolled-back by verdict"}
    assert {each["requests"] for each in found["replays"]} == {0}
    refused = ["--strategy", "shadow", "--margin", "0.05", "--more-errors", "0.1"]
    assert run(["rollout", "simulate", "--log", str(both), *refused]) == 2
    assert "leave out --value-change" in capsys.readouterr().err


def test_labels_count_when_they_come_and_a_unit_once(log: Path) -> None:
    requests = read_request_log(log)
    how = Strategy(kind="ab", quality=OnlineMetric(margin=0.0001))
    new = assume(requests.serving, Assumed(), seed=0)
    (found,) = rehearse(requests, new, how, every=60, replays=1)
    labelled = ~np.isnan(requests.serving.value)
    in_time = labelled & (requests.labelled < requests.seconds[-1] + 60)
    assert found.labels <= np.unique(requests.unit[in_time]).size
    assert found.labels > 0.9 * np.unique(requests.unit[in_time]).size


def test_what_is_assumed_comes_about(log: Path) -> None:
    serving = read_request_log(log).serving
    new = assume(serving, Assumed(value=-0.1, errors=0.05, slower=2.0), seed=3)
    assert np.nanmean(new.value) - np.nanmean(serving.value) == pytest.approx(-0.1, abs=0.01)
    assert new.error.mean() - serving.error.mean() == pytest.approx(0.05, abs=0.005)
    assert np.array_equal(new.milliseconds, 2 * serving.milliseconds)
    assert np.array_equal(np.isnan(new.value), np.isnan(serving.value))
    better = assume(serving, Assumed(value=0.1), seed=3)
    assert np.nanmean(better.value) - np.nanmean(serving.value) == pytest.approx(0.1, abs=0.01)


def test_the_models_own_strategy_is_read(
    capsys: pytest.CaptureFixture[str], log: Path, tmp_path: Path
) -> None:
    config = tmp_path / "assay.yaml"
    config.write_text(
        "version: 1\nmodels:\n  churn:\n    task: binary\n    predictions: p.parquet\n"
        "    artifact: model\n"
        "    gates: {accuracy: {margin: 0.01}}\n"
        "    delivery:\n      targets: [production]\n"
        "      strategy: {kind: canary, steps: [{weight: 0.3}], guards: {error_rate: 0.02}}\n"
        "delivery:\n  targets:\n    production: {kind: local}\n"
    )
    found = simulated(capsys, log, "--config", str(config), "--replays", "1")
    assert found["strategy"]["steps"][0]["weight"] == 0.3
    config.write_text(config.read_text().split("    delivery:")[0])
    assert run(["rollout", "simulate", "--log", str(log), "--config", str(config)]) == 2
    assert "has no `delivery`" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("columns", "options", "said"),
    [
        ({"time": None}, [], "no column 'time'"),
        ({"unit": None}, [], "no column 'unit'"),
        ({"value": None}, ["--margin", "0.01"], "no column 'value'"),
        (
            {"error": None, "milliseconds": None, "value": None},
            [],
            "says nothing of what came of a request",
        ),
        ({"error": lambda _, n: ["maybe"] * n}, [], "'error' holds 50 values that are no number"),
        ({"time": lambda _, n: ["soon"] * n}, [], "'time' holds 50 values that are no time"),
        ({"error": None, "new_error": lambda _, n: [0] * n}, [], "nothing to compare"),
        ({}, ["--margin", "0.01", "--metric", "roc_auc"], "no rollout counts 'roc_auc'"),
        ({}, ["--margin", "0.01", "--metric", "log_loss"], "quantile_loss:Q or mean:COLUMN"),
        ({}, ["--value-change", "-0.99"], "cannot change by -0.99"),
    ],
)
def test_what_a_log_cannot_tell_is_refused(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    columns: dict[str, Any],
    options: list[str],
    said: str,
) -> None:
    path = written(tmp_path / "few.parquet", 50)
    table = pq.read_table(path)
    for name, values in columns.items():
        if name in table.column_names:
            table = table.drop_columns(name)
        if values is not None:
            table = table.append_column(name, pa.array(values(None, 50)))
    pq.write_table(table, path)
    asked = ["rollout", "simulate", "--log", str(path), "--strategy", "canary", *options]
    assert run(asked) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--strategy", "ab"], "Give a --margin"),
        (["--margin", "0.1"], "need --strategy"),
        (["--metric", "mae"], "need --strategy"),
        (["--strategy", "canary", "--metric", "mae"], "needs a --margin"),
        (["--strategy", "rainbow"], "is not one of"),
        (["--strategy", "canary", "--every", "0"], "--every"),
        (["--strategy", "canary", "--replays", "0"], "--replays"),
        ([], "assay.yaml"),
    ],
)
def test_what_cannot_be_asked_is_refused(
    capsys: pytest.CaptureFixture[str],
    log: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: list[str],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["rollout", "simulate", "--log", str(log), *options]) == 2
    assert said in capsys.readouterr().err


def test_a_missing_and_a_broken_log_are_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    missing = tmp_path / "none.parquet"
    assert run(["rollout", "simulate", "--log", str(missing), "--strategy", "canary"]) == 2
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"PAR1 and nothing else")
    assert run(["rollout", "simulate", "--log", str(broken), "--strategy", "canary"]) == 2
    assert "broken.parquet" in capsys.readouterr().err
