"""Looks at five weeks of a log with weekends: what is compared with what, and what is not yet."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from assay.alerting.news import issues_of, messages
from assay.cli.monitor_table import print_look
from assay.config import Columns, parse_config
from assay.errors import IntegrityError
from assay.evidence import Look, Quality
from assay.evidence.monitoring import Reference
from assay.monitoring.look import Task, take_look
from assay.monitoring.profile import make_reference
from assay.monitoring.seasons import WEEK, spans_of
from assay.report.look_page import look_html, look_markdown
from support.data_files import write_parquet
from support.watching import told

DAY, HOUR = 86_400, 3_600
HOSTILE = "\x1b[31m::error::@all"
START = datetime(2026, 8, 31, tzinfo=UTC)
ROWS = 400
CONFIG = """\
version: 1
models:
  m:
    predictions: p.parquet
    gates: {accuracy: {margin: 0.01}}
    columns: {positive: 1}
    monitoring:
      logs: {source: "logs/*.parquet", id: id, time: at, version: null, score: score}
      labels: {source: "labels/*.parquet", id: id, time: known, delay: 172800}
      quality: {accuracy: {margin: 0.05}}
"""


def drawn(seed: int, x: np.ndarray, *, concept: float = 0.0) -> dict[str, np.ndarray]:
    """`x` decides; the score is calibrated unless the concept has moved."""
    rng = np.random.default_rng(seed)
    score = 1 / (1 + np.exp(-x))
    true = 1 / (1 + np.exp(-(x - concept)))
    return {
        "x": x,
        "plan": rng.choice(["free", "pro"], x.size),
        "score": score,
        "prediction": (score > 0.5).astype(int),
        "label": (rng.random(x.size) < true).astype(int),
    }


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    folder = tmp_path_factory.mktemp("reference")
    rng = np.random.default_rng(1)
    x = rng.normal(0, 1, 8_000) + 0.5 * (rng.integers(0, 7, 8_000) >= 5)
    path = write_parquet(folder / "p.parquet", drawn(2, x))
    return make_reference(model="m", predictions=path, data=None, columns=Columns(positive=1))


@dataclass
class Watching:
    """A folder with a file of predictions and one of labels for each day."""

    folder: Path
    reference: Reference
    drift: str = "{}"

    def days(
        self, *numbers: int, late: float = 0.0, concept: float = 0.0, plans: Sequence[str] = ()
    ) -> None:
        """Weekends are half a deviation higher; these days move by `late`, and have new `plans`."""
        rng = np.random.default_rng(100 + numbers[0])
        day = np.repeat(numbers, ROWS)
        x = rng.normal(0, 1, day.size) + 0.5 * (day % 7 >= 5) + late
        rows = drawn(200 + numbers[0], x, concept=concept)
        names = [f"{number}-{place}" for number in numbers for place in range(ROWS)]
        at = [
            START + timedelta(days=number, seconds=place * DAY / ROWS)
            for number in numbers
            for place in range(ROWS)
        ]
        if plans:
            new = [plans[place % len(plans)] for place in range(x.size // 10)]
            rows["plan"] = np.array([*new, *rows["plan"][len(new) :]], dtype=object)
        label = rows.pop("label")
        for kind in ("logs", "labels"):
            (self.folder / kind).mkdir(exist_ok=True)
        write_parquet(self.log(numbers[0]), {"id": names, "at": at, **rows})
        known = [each + timedelta(days=1) for each in at]
        write_parquet(
            self.folder / "labels" / f"{numbers[0]:02}.parquet",
            {"id": names, "known": known, "label": label},
        )

    def log(self, number: int) -> Path:
        return self.folder / "logs" / f"{number:02}.parquet"

    def look(self, days: float) -> Look:
        model = parse_config(f"{CONFIG}      drift: {self.drift}\n", file="assay.yaml").models["m"]
        assert model.monitoring is not None
        task = Task(
            name="m",
            model=model,
            monitoring=model.monitoring,
            root=self.folder,
            state=self.folder / "state",
            at=START + timedelta(days=days),
            promised={"accuracy": self.reference.quality["accuracy"]},
            replayed=True,
            reference=self.reference,
        )
        return take_look(task, self.folder / "evidence")


def moved(look: Look) -> set[tuple[str, str]]:
    return {(each.role, each.against) for each in look.drift if each.moved}


def test_spans() -> None:
    hour, day = HOUR * 1_000_000, DAY * 1_000_000
    spans = spans_of(2_000, length=hour)
    assert spans.week == tuple(range(1_833, 2_001))
    assert spans.earlier == (1_832, 1_664, 1_496, 1_328)
    assert len(spans.usual) == 6
    assert spans.usual[0] == (1_808, 1_640, 1_472, 1_304)
    assert spans_of(100, length=WEEK).usual == ()
    assert spans_of(100, length=5 * day).earlier == ()
    assert spans_of(100, length=2 * WEEK).week == (100,)


def test_a_day_is_compared_with_the_same_day_of_earlier_weeks(
    tmp_path: Path, reference: Reference
) -> None:
    made = Watching(tmp_path, reference)
    made.days(*range(28))
    made.days(*range(28, 33))
    calm = made.look(33)
    assert not moved(calm)
    assert {each.against for each in calm.drift} == {"reference", "same hours"}
    assert {each.role for each in calm.drift} == {"feature", "prediction", "score", "label"}
    assert calm.notes == ()
    made.log(0).unlink()
    made.days(33, late=2.5)
    loud = made.look(34)
    found = moved(loud)
    assert ("feature", "same hours") in found
    assert ("prediction", "same hours") in found
    assert ("label", "same hours") not in found, "its labels are not there yet"
    assert "drift:x" in {problem.key for problem in loud.problems}
    made.days(34, 35)
    assert ("label", "same hours") in moved(made.look(36))


def test_the_first_weeks_are_named(tmp_path: Path, reference: Reference) -> None:
    made = Watching(tmp_path, reference)
    made.days(0, 1, 2)
    made.days(3, late=1.0)
    young = made.look(4)
    assert moved(young) == set()
    assert any("features" in note and "newest week is not whole" in note for note in young.notes)
    made.days(*range(4, 10))
    older = made.look(10)
    assert not any("not whole" in note for note in older.notes if "labels" not in note)
    assert any("there are 1" in note for note in older.notes)


def test_what_is_broken_is_found_in_the_first_week(tmp_path: Path, reference: Reference) -> None:
    made = Watching(tmp_path, reference)
    made.days(0, 1, late=30)
    (drift,) = [each for each in made.look(2).drift if each.column == "x"]
    assert drift.moved
    assert {each.name for each in drift.effects if each.threshold} == {"missing", "unseen"}


def test_new_categories_are_named_wherever_a_finding_is_told(
    tmp_path: Path, reference: Reference, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Watching(tmp_path, reference)
    made.days(*range(7))
    made.days(7, plans=("team",))
    for number in (8, 9):
        made.days(number, plans=("team", "team", HOSTILE, "pay<script>`|" + "x" * 99))
    look = made.look(10)
    (plan,) = [each for each in look.drift if each.column == "plan"]
    cut = "pay<script>`|" + "x" * 27
    counts = [("team", 80), (HOSTILE, 20), ("pay<script>`|" + "x" * 47, 20)]
    assert [(new.value, new.rows) for new in plan.new] == counts
    (problem,) = [each for each in look.problems if each.key == "drift:plan"]
    assert "; new, in at least so many rows: 'team' 80, " in problem.sentence
    assert f"'{cut}'… 20" in problem.sentence
    (issue, *_), _ = issues_of(told(look))
    ((_, message), *_) = messages(told(look), None)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    shown = io.StringIO()
    print_look(Console(file=shown, width=1_000, markup=False), look)
    for text in (look_markdown(look), issue.body, message["text"], shown.getvalue()):
        assert "team" in text
        assert "\x1b" not in text
        assert "x" * 41 not in text
    assert "::error" not in shown.getvalue()
    assert "<script>" not in look_html(look) + issue.body.replace("\\<", "")


def test_nothing_is_kept_of_a_column_that_is_ignored(tmp_path: Path, reference: Reference) -> None:
    made = Watching(tmp_path, reference)
    made.days(0, plans=("team",))
    for ignore, kept in (("[plan]", False), ("[x]", True)):
        made.drift = f"{{ignore: {ignore}}}"
        made.look(1)
        assert (b"team" in (tmp_path / "state/columns.parquet").read_bytes()) is kept


def estimates(look: Look, window: int) -> dict[str, Quality]:
    return {each.metric: each for each in look.windows[window].quality if each.estimated}


def test_estimates_stand_before_labels_and_are_scored_by_them(
    tmp_path: Path, reference: Reference
) -> None:
    made = Watching(tmp_path, reference)
    made.days(*range(5), late=0.5)
    made.days(*range(5, 9), late=-0.5)
    look = made.look(9)
    newest = estimates(look, -2)
    assert set(newest) == {"accuracy", "precision", "recall", "f1"}
    assert newest["accuracy"].n == ROWS
    score = 1 / (1 + np.exp(-np.random.default_rng(1).normal(-0.5, 1, 9_999)))
    assert newest["accuracy"].value == pytest.approx(np.maximum(score, 1 - score).mean(), abs=0.05)
    told = {each.metric: each for each in look.retrospects}
    assert told["accuracy"].windows == 7
    assert told["accuracy"].held >= 6
    assert told["accuracy"].error < 0.04
    truth = next(q for q in look.windows[0].quality if q.metric == "accuracy" and not q.estimated)
    low, high = estimates(look, 0)["accuracy"].interval or (1, 0)
    assert truth.value is not None
    assert low <= truth.value <= high


def test_an_estimate_is_blind_to_a_concept_drift_and_never_blocks(
    tmp_path: Path, reference: Reference
) -> None:
    made = Watching(tmp_path, reference)
    made.days(*range(9), concept=3.0)
    look = made.look(9)
    (told,) = [each for each in look.retrospects if each.metric == "accuracy"]
    assert told.held == 0
    assert {problem.key for problem in look.problems} >= {"quality:accuracy"}
    assert {problem.key.split(":")[0] for problem in look.problems} <= {"quality", "drift"}


def test_what_was_counted_is_kept_and_checked(tmp_path: Path, reference: Reference) -> None:
    made = Watching(tmp_path, reference)
    made.days(*range(8))
    first = made.look(8)
    kept = tmp_path / "state" / "columns.parquet"
    kept.unlink()
    assert made.look(8).drift == first.drift
    kept.write_bytes(kept.read_bytes()[:-40])
    with pytest.raises(IntegrityError, match="earlier windows"):
        made.look(8)
