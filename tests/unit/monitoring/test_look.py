from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score

from assay.errors import InputError
from assay.evidence import ColumnReference, Look, Outcome, Reference, State
from support.production import DAY, START, VERSION, Production


def _made(folder: Path, days: int = 6, **settings: Any) -> Production:
    made = Production(folder, settings=settings)
    for number in range(days):
        made.day(number)
    made.label(made.rows)
    return made


def _window(look: Look, day: int) -> Any:
    start = (START + timedelta(days=day)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return next(window for window in look.windows if window.start == start)


def _keys(look: Look) -> set[str]:
    return {problem.key for problem in look.problems}


def test_quality_of_a_window_is_that_of_scikit_learn(tmp_path: Path) -> None:
    made = _made(tmp_path, slices=["plan"])
    look = made.look(6.0)
    rows = [row for row in made.rows if row["time"] < START + timedelta(days=1)]
    truth, said = [row["label"] for row in rows], [row["said"] for row in rows]
    found = {each.metric: each for each in _window(look, 0).quality if each.slice == "all"}
    oracles = {
        "accuracy": accuracy_score,
        "precision": precision_score,
        "recall": recall_score,
        "f1": f1_score,
    }
    for name, oracle in oracles.items():
        assert found[name].value == pytest.approx(oracle(truth, said))
        assert found[name].interval is not None
    assert found["calibration_error"].value is not None

    mature = _window(look, 3)
    of_slice = {(e.metric, e.slice): e for e in mature.quality}
    those = [
        row
        for row in made.rows
        if row["time"] >= START + timedelta(days=3)
        and row["time"] < START + timedelta(days=4)
        and '"pro"' in row["input"]
    ]
    expected = accuracy_score([r["label"] for r in those], [r["said"] for r in those])
    assert of_slice["accuracy", "plan=pro"].value == pytest.approx(expected)


def test_coverage_and_delay_are_stated_and_young_windows_are_provisional(tmp_path: Path) -> None:
    made = _made(tmp_path)
    look = made.look(6.0)
    oldest, newest = _window(look, 0), _window(look, 5)
    assert (oldest.coverage.labelled, oldest.coverage.provisional) == (300, False)
    assert oldest.coverage.delay_median == pytest.approx(DAY)
    assert newest.coverage.provisional
    assert newest.coverage.labelled < 300
    assert (look.state, look.version) == (Outcome.PASS, VERSION)
    (rule,) = look.rules
    assert rule.n == 4 * 300


def test_a_worse_model_is_found_and_stays_one_problem(tmp_path: Path) -> None:
    made = _made(tmp_path)
    for number in range(6, 12):
        made.day(number, wrong=0.25)
    made.label(made.rows[6 * 300 :])
    first = made.look(10.1)
    (rule,) = first.rules
    assert (rule.state, first.state) == (State.WORSE, Outcome.FAIL)
    assert "quality:accuracy" in _keys(first)
    assert "since 2026-09-07" in first.sentence
    again = made.look(11.1)
    (problem,) = [each for each in again.problems if each.key == "quality:accuracy"]
    assert problem.since == first.at
    assert Look.read(tmp_path / "evidence" / "m") == again
    assert Look.read(tmp_path / "state" / "previous" / "m") == first


def test_looking_twice_changes_nothing(tmp_path: Path) -> None:
    made = _made(tmp_path)
    made.look(5.0)
    first, second = made.look(6.0), made.look(6.0)
    assert first.windows == second.windows
    assert first.labels == second.labels
    assert first.rules == second.rules


def test_many_looks_count_what_one_look_counts(tmp_path: Path) -> None:
    often, once = _made(tmp_path / "often"), _made(tmp_path / "once")
    for day in (1.5, 2.25, 3.0, 4.75):
        often.look(day)
    many, one = often.look(6.0), once.look(6.0)
    assert many.rules == one.rules
    assert [w.quality for w in many.windows] == [w.quality for w in one.windows]


def test_what_is_remembered_outlives_the_log(tmp_path: Path) -> None:
    made = _made(tmp_path, days=12)
    made.look(11.0)
    for number in range(3):
        (tmp_path / "logs" / f"{number:03}.parquet").unlink()
    (rule,) = made.look(12.0).rules
    assert rule.n == 10 * 300


def test_labels_that_correct_and_contradict(tmp_path: Path) -> None:
    made = _made(tmp_path, days=4)
    before = made.look(3.9)
    known = START + timedelta(days=2)
    made.labels += [
        ("r0-0", 1 - made.rows[0]["label"], known),
        ("r0-1", 0, known),
        ("r0-1", 1, known),
        ("nobody", 1, known),
        made.labels[5],
    ]
    made.write_labels()
    after = made.look(4.0)
    assert before.labels is not None
    assert after.labels is not None
    assert after.labels.corrected == 1
    assert after.labels.contradictory == 1
    assert after.labels.duplicates == 1
    assert after.labels.orphans == 1
    assert "labels:contradictory" in _keys(after)
    values = [
        next(q for q in _window(look, 0).quality if q.metric == "accuracy")
        for look in (before, after)
    ]
    assert values[0].n == 300
    assert values[1].n == 299
    made.labels.append(("r0-1", 1, known + timedelta(hours=1)))
    made.write_labels()
    settled = made.look(4.1)
    assert settled.labels is not None
    assert settled.labels.contradictory == 0


def test_a_prediction_that_is_logged_twice_counts_once(tmp_path: Path) -> None:
    made = _made(tmp_path)
    made.write_log("again.parquet", made.rows[:500])
    assert _window(made.look(6.0), 0).predictions == 300


def test_answers_that_stood_in_and_mirrored_ones_are_left_out(tmp_path: Path) -> None:
    made = _made(tmp_path, days=1)
    rows = [dict(made.rows[0], request_id="x", assigned="b" * 64)]
    rows += [dict(made.rows[0], request_id="y", mirrored=True)]
    made.write_log("more.parquet", rows)
    assert _window(made.look(1.0), 0).predictions == 300


def test_labels_that_are_missing_by_prediction_are_named(tmp_path: Path) -> None:
    made = Production(tmp_path)
    for number in range(4):
        made.day(number)
    made.label([row for row in made.rows if row["said"] or row["request_id"].endswith("3")])
    selection = _window(made.look(4.0), 1).coverage.selection
    assert selection is not None
    assert "leans towards 1" in selection


def test_a_new_version_is_judged_by_its_own_labels(tmp_path: Path) -> None:
    made = _made(tmp_path)
    for number in range(6, 9):
        made.day(number, version="b" * 64)
    (rule,) = made.look(8.0).rules
    assert (rule.state, rule.reason) == (State.NOT_MEASURED, "no window is mature yet")


def test_regression_is_measured_by_its_errors(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    random = np.random.default_rng(0)
    truth = random.normal(10, 3, 200)
    said = truth + random.normal(0, 2, 200)
    log = ["id,when,predicted"]
    log += [f"{k},2026-09-01T00:{k % 60:02}:00Z,{v}" for k, v in enumerate(said)]
    (tmp_path / "logs" / "a.csv").write_text("\n".join(log))
    labels = ["id,label"] + [f"{k},{v}" for k, v in enumerate(truth)]
    made = Production(
        tmp_path,
        settings={
            "logs": {"source": "logs/*.csv", "id": "id", "time": "when", "prediction": "predicted"},
            "labels": {"source": "labels.csv", "id": "id", "delay": DAY},
            "quality": {"mae": {"margin": 0.2, "reference": 1.0}},
        },
    )
    (tmp_path / "labels.csv").write_text("\n".join(labels))
    look = made.look(2.5)
    found = {each.metric: each.value for each in _window(look, 0).quality}
    assert found["mae"] == pytest.approx(abs(truth - said).mean())
    assert found["rmse"] == pytest.approx(((truth - said) ** 2).mean() ** 0.5)
    (rule,) = look.rules
    assert rule.state is State.WORSE


def test_a_look_before_the_last_one_is_refused(tmp_path: Path) -> None:
    made = _made(tmp_path)
    made.look(6.0)
    with pytest.raises(InputError, match="after 2026-09-06"):
        made.look(5.0)


def test_drift_is_measured_where_there_is_a_reference_and_warns(tmp_path: Path) -> None:
    made = _made(tmp_path, days=8)
    columns = (
        ColumnReference(
            name="plan",
            role="feature",
            kind="category",
            rows=1_000,
            missing=0,
            values=("free", "pro"),
            counts=(900, 100, 0),
        ),
        ColumnReference(
            name="prediction",
            role="prediction",
            kind="category",
            rows=1_000,
            missing=0,
            values=("0", "1"),
            counts=(580, 420, 0),
        ),
    )
    look = made.look(8.0, reference=Reference(model="m", columns=columns))
    assert {one.column: one.moved for one in look.drift} == {"plan": True, "prediction": False}
    assert "drift:plan" in _keys(look)
    assert look.state is Outcome.WARN
