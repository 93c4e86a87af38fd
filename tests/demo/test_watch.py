"""The parts of the watching demo that need no model: the month, the feed, the findings."""

from __future__ import annotations

import ast
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import yaml

from assay.config import Severity, load_config
from assay.evidence import Look, Outcome
from assay.evidence.monitoring import Problem, ProblemKind
from assay.rollout.serving.predictions import SCHEMA
from demo import alarms, detection, month
from demo.retrained import write_caller
from demo.watched import MODEL, template_watched

TEMPLATE = Path(__file__).parents[2] / "template-repo"
AFTER = month.CHANGE + timedelta(hours=1)


@pytest.fixture
def population() -> pd.DataFrame:
    """Forty members of two plans, each with one to ten visits."""
    numbers = np.arange(40)
    return pd.DataFrame(
        {
            "id": [f"m{number:05d}-01" for number in numbers],
            "member": [f"m{number:05d}" for number in numbers],
            "plan": np.where(numbers % 4 == 0, "25%", "individual deductible"),
            "visits": numbers % 10 + 1,
            "input": '{"coinsurance": 25.0}',
            "output": "[0.4, 0.6]",
            "score": 0.6,
        }
    )


def test_a_week_has_its_nights_and_its_weekend() -> None:
    hours = [month.START + timedelta(hours=each) for each in range(7 * 24)]
    rates = [month.rate(hour) for hour in hours]
    assert np.mean(rates) == pytest.approx(month.RATE)
    assert month.rate(hours[14]) > 4 * month.rate(hours[2]) > 0
    assert month.rate(hours[5 * 24]) < month.rate(hours[0])


def test_the_worlds_are_one_until_the_change(population: pd.DataFrame) -> None:
    hour = month.CHANGE - timedelta(hours=1)
    one, other = (month.draw(population, world, hour) for world in (month.COVARIATE, month.CONCEPT))
    pd.testing.assert_frame_equal(one, other)
    pd.testing.assert_frame_equal(one, month.draw(population, month.COVARIATE, hour))


def test_a_covariate_drift_moves_who_asks_and_nothing_else(population: pd.DataFrame) -> None:
    asked = month.draw(population, month.COVARIATE, AFTER)
    plan = population["plan"].to_numpy()[asked["row"]]
    assert np.mean(plan == "25%") == pytest.approx(4 / 7, abs=0.08)
    assert (asked["visits"] == population["visits"].to_numpy()[asked["row"]]).all()


def test_a_concept_drift_moves_what_is_true_of_one_plan(population: pd.DataFrame) -> None:
    asked = month.draw(population, month.CONCEPT, AFTER)
    chosen = population.iloc[asked["row"]].reset_index(drop=True)
    hit = (chosen["plan"] == "individual deductible") & (chosen["visits"] <= 5)
    assert (asked["visits"][hit] == 0).all()
    assert (asked["visits"][~hit] == chosen["visits"][~hit]).all()
    assert np.mean(chosen["plan"] == "25%") == pytest.approx(0.25, abs=0.08)


def test_labels_come_a_week_late_and_some_never(population: pd.DataFrame) -> None:
    asked = month.draw(population, month.CONCEPT, AFTER)
    late = (asked["known"] - asked["time"]).dt.total_seconds().dropna()
    assert late.between(*month.LATE).all()
    assert asked["known"].isna().mean() == pytest.approx(month.NEVER, abs=0.03)


def test_a_replay_leaves_what_production_would(population: pd.DataFrame, tmp_path: Path) -> None:
    replay = month.Replay(
        world=month.CONCEPT, folder=tmp_path, population=population, version="a" * 64
    )
    while replay.now < month.START + timedelta(days=18):
        replay.run_to(replay.now + timedelta(days=1))
    logs = sorted((tmp_path / "predictions").iterdir())
    assert pq.read_schema(logs[0]).equals(SCHEMA, check_metadata=True)
    assert logs[0].name == "20260107T0000.parquet"
    assert [file.name for file in sorted((tmp_path / "labels").iterdir())] == [
        "20260121T0000.csv", "20260122T0000.csv",
    ]  # fmt: skip
    asked = pd.concat(replay.asked)
    assert asked["request_id"].is_unique
    came = pd.read_csv(tmp_path / "labels" / "20260122T0000.csv")
    known = pd.to_datetime(came["known_at"], utc=True)
    assert known.between(month.START + timedelta(days=17), replay.now).all()
    assert known.is_monotonic_increasing


def test_the_feed_ends_with_what_was_heard_last(population: pd.DataFrame, tmp_path: Path) -> None:
    replay = month.Replay(
        world=month.CONCEPT, folder=tmp_path, population=population, version="a" * 64
    )
    replay.run_to(month.CHANGE + timedelta(days=8))
    count = replay.write_feed(tmp_path / "returns.csv", ["id", "visits"])
    feed = pd.read_csv(tmp_path / "returns.csv")
    assert len(feed) == count
    last = feed.drop_duplicates("id", keep="last").set_index("id")["visits"].sort_index()
    expected = month.CONCEPT.visits(population)
    assert last.tolist() == expected.tolist()


def test_the_template_is_watched_and_reads_what_is_known_since(tmp_path: Path) -> None:
    production, returns = tmp_path / "production", tmp_path / "returns"
    made = template_watched(TEMPLATE, tmp_path / "made", production=production, returns=returns)
    model = load_config(made / "assay.yaml").models[MODEL]
    assert model.monitoring is not None
    assert model.monitoring.logs.source == f"{production}/predictions"
    assert model.retrain is not None
    ast.parse((made / "doctor_visit" / "ingest.py").read_text())


def test_the_caller_looks_as_of_a_moment_and_hands_the_look_over(tmp_path: Path) -> None:
    (tmp_path / ".github/workflows").mkdir(parents=True)
    write_caller(tmp_path, state=tmp_path / "state", reference=tmp_path / "reference")
    jobs = yaml.safe_load((tmp_path / ".github/workflows/retrain.yml").read_text())["jobs"]
    checkout, monitor, upload = jobs["look"]["steps"]
    assert monitor["with"]["at"] == "${{ inputs.at }}"
    assert "/actions/monitor@" in monitor["uses"]
    assert checkout["uses"].startswith("actions/checkout@")
    assert upload["id"] == "upload"
    assert jobs["retrain"]["with"]["look-artifact"] == "${{ needs.look.outputs.artifact-id }}"


def looks(*found: ProblemKind | None) -> list[Look]:
    """One look every twelve hours from the eve of the change on, each with at most one problem."""
    taken = []
    for place, kind in enumerate(found):
        at = month.CHANGE + timedelta(hours=12 * place - 9)
        moment = f"{at:%Y-%m-%dT%H:%M:%SZ}"
        problem = kind and Problem(
            kind=kind, subject="accuracy", severity=Severity.BLOCK, sentence="worse.", since=moment
        )
        look = Look(
            model=MODEL, at=moment, version=None, windows=(), state=Outcome.PASS, sentence="-",
            problems=(problem,) if problem else (),
        )  # fmt: skip
        taken.append(look)
    return taken


def test_what_looks_found_is_counted_from_the_change(population: pd.DataFrame) -> None:
    asked = month.draw(population, month.CONCEPT, AFTER)
    asked["known"] = asked["known"].where(asked.index % 2 == 0) - timedelta(days=6, hours=20)
    found = detection.found_by_looks(
        looks(ProblemKind.DRIFT, None, ProblemKind.QUALITY), ProblemKind.QUALITY, asked
    )
    assert (found.hours, found.alarms, found.chances) == (15, 1, 1)
    assert found.labels == (asked["known"] < found.at).sum() > 0
    never = replace(found, at=None)
    assert never.hours is None
    assert "never" in detection.table([("world", never)])


def test_a_weekly_threshold_waits_for_the_week(population: pd.DataFrame) -> None:
    hours = [month.START + timedelta(hours=each) for each in range(0, 27 * 24, 6)]
    asked = pd.concat([month.draw(population, month.CONCEPT, one) for one in hours]).reset_index()
    right = asked["visits"] > 0
    found = detection.weekly_threshold(
        asked, right, promised=1.0, margin=0.02, until=month.START + timedelta(days=28)
    )
    assert found.at == month.START + timedelta(days=28)
    assert (found.alarms, found.chances) == (0, 2)


def test_what_is_scraped_changes_with_each_look() -> None:
    found = {each["series"]: each["values"].split() for each in alarms.series(
        looks(None, ProblemKind.QUALITY, None))}  # fmt: skip
    (name,) = (each for each in found if each.startswith("assay_monitor_problem"))
    assert 'kind="quality"' in name
    first = 14 * 24
    assert found[name][first : first + 36] == ["_"] * 12 + ["1"] * 12 + ["_"] * 12
    (stamp,) = (each for each in found if "timestamp" in each)
    assert found[stamp][first + 12] == str((first + 12) * 3600)
