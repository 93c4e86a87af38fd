"""Features that move together while each stays what it was: told apart by a real classifier."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from assay.config import Columns, parse_config
from assay.environments import Tool
from assay.errors import InputError
from assay.evidence import Look
from assay.evidence.monitoring import Drift, Reference
from assay.monitoring.look import Task, take_look
from assay.monitoring.profile import make_reference
from support.classifiers import classifier, ready_classifier
from support.data_files import write_parquet

DAY = 86_400
START = datetime(2026, 8, 31, tzinfo=UTC)
ROWS = 600
CONFIG = """\
version: 1
models:
  m:
    predictions: p.parquet
    gates: {{accuracy: {{margin: 0.01}}}}
    monitoring:
      logs: {{source: "logs/*.parquet", id: id, time: at, version: null}}
      drift: {{multivariate: {multivariate}, ignore: [{ignore}]}}
"""


def rows(seed: int, number: int, *, turned: bool = False) -> dict[str, np.ndarray]:
    """Two features that go with each other, or against; a plan, and one that is often missing."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=number)
    y = (-0.9 if turned else 0.9) * x + 0.436 * rng.normal(size=number)
    rare = rng.normal(size=number)
    rare[rng.random(number) < 0.3] = np.nan
    return {
        "x": x,
        "y": y,
        "plan": rng.choice(["free", "pro", "team"], number),
        "rare": rare,
        "prediction": (x > 0).astype(int),
    }


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    folder = tmp_path_factory.mktemp("reference")
    given = rows(1, 5_000)
    path = write_parquet(folder / "p.parquet", {**given, "label": given["prediction"]})
    return make_reference(model="m", predictions=path, data=None, columns=Columns())


@dataclass
class Watching:
    folder: Path
    reference: Reference
    tool: Tool | None = None
    multivariate: str = "{}"
    ignore: str = ""
    known: list[int] = field(default_factory=list)

    def days(self, *numbers: int, turned: bool = False) -> None:
        (self.folder / "logs").mkdir(exist_ok=True)
        for number in numbers:
            at = [START + timedelta(days=number, seconds=n * DAY / ROWS) for n in range(ROWS)]
            names = [f"{number}-{place}" for place in range(ROWS)]
            given = rows(100 + number, ROWS, turned=turned)
            write_parquet(
                self.folder / "logs" / f"{number:02}.parquet", {"id": names, "at": at, **given}
            )

    def look(self, days: int) -> Look:
        text = CONFIG.format(multivariate=self.multivariate, ignore=self.ignore)
        model = parse_config(text, file="assay.yaml").models["m"]
        assert model.monitoring is not None
        return take_look(
            Task(
                name="m",
                model=model,
                monitoring=model.monitoring,
                root=self.folder,
                state=self.folder / "state",
                at=START + timedelta(days=days),
                promised={},
                replayed=True,
                reference=self.reference,
                classifier=self.tool,
            ),
            self.folder / "evidence",
        )


@pytest.fixture
def made(tmp_path: Path, reference: Reference) -> Watching:
    return Watching(tmp_path, reference, ready_classifier(tmp_path / "cache"))


def whole(look: Look) -> dict[str, Drift]:
    return {one.against: one for one in look.drift if one.role == "features"}


def notes(look: Look) -> list[str]:
    return [note for note in look.notes if "together" in note or "baseline" in note]


def test_what_no_column_shows_is_found(made: Watching) -> None:
    made.days(*range(28))
    calm = made.look(28)
    (found,) = whole(calm).values()
    assert (found.column, found.against, found.moved) == (Drift.ALL, "same hours", False)
    assert found.interval is not None
    assert found.interval[0] < 0.52
    assert found.leading == ()
    assert not notes(calm)
    made.days(28, turned=True)
    loud = made.look(29)
    found = whole(loud)["same hours"]
    assert {one.column for one in loud.drift if one.moved} == {Drift.ALL}
    assert found.moved
    assert found.effects[0].value > 0.8
    assert set(found.leading[:2]) == {"x", "y"}
    assert found.cost is None
    (problem,) = [one for one in loud.problems if one.kind == "drift"]
    assert problem.subject == Drift.ALL
    assert problem.sentence.startswith(
        "all features together moved against the same hours of earlier weeks: a classifier tells "
        "the rows apart with an area under the ROC curve of 0."
    )
    assert "mostly by " in problem.sentence


def test_the_newest_week_is_held_against_a_baseline(made: Watching) -> None:
    write_parquet(made.folder / "base.parquet", rows(7, 3_000))
    made.multivariate = "{baseline: base.parquet, auc: 0.55}"
    made.days(*range(5))
    young = made.look(5)
    assert not whole(young)
    assert any("once the log has a whole week" in note for note in notes(young))
    made.days(*range(5, 8))
    made.days(*range(8, 15), turned=True)
    found = whole(made.look(15))["baseline"]
    assert found.moved
    assert found.effects[0].threshold == 0.55


def test_weeks_that_always_differ_are_no_drift(made: Watching) -> None:
    for week in range(4):
        made.days(*range(7 * week, 7 * week + 7), turned=week % 2 == 1)
    made.days(28, turned=True)
    found = whole(made.look(29))["same hours"]
    assert not found.moved
    threshold = found.effects[0].threshold
    assert threshold is not None
    assert threshold > 0.8


def test_features_that_are_ignored_are_not_compared(made: Watching) -> None:
    made.ignore = "y"
    made.days(*range(28))
    made.days(28, turned=True)
    found = whole(made.look(29))["same hours"]
    assert not found.moved
    (made.folder / "state").rename(made.folder / "old")
    again = whole(made.look(29))["same hours"]
    assert again == found, "the same rows and the same trees come again"


def test_nothing_is_measured_from_few_weeks_or_rows(made: Watching) -> None:
    made.days(0, 1)
    (note,) = notes(made.look(2))
    assert "from 3 such weeks on; the log holds rows of 0" in note
    short = write_parquet(made.folder / "base.parquet", rows(7, 50))
    made.multivariate = f"{{baseline: {short.name}}}"
    made.days(*range(2, 9))
    assert any(
        "from 200 rows of each side on; there are 50 of" in one for one in notes(made.look(9))
    )


def test_rows_of_earlier_weeks_that_are_gone_are_named(made: Watching) -> None:
    made.days(*range(28))
    made.look(28)
    for path in sorted((made.folder / "logs").iterdir())[:20]:
        path.unlink()
    made.days(28)
    look = made.look(29)
    assert {one.against for one in look.drift} == {"reference", "same hours"}
    assert not whole(look)
    assert any("the log holds rows of 1" in note for note in notes(look))


def test_a_baseline_without_a_feature_or_a_row_says_so(made: Watching) -> None:
    given = rows(7, 1_000)
    given.pop("rare")
    write_parquet(made.folder / "base.parquet", given)
    (made.folder / "cut.parquet").write_bytes(b"PAR1 cut")
    made.multivariate = '{baseline: "*.parquet"}'
    made.days(*range(8))
    found = notes(made.look(8))
    assert any("has no column 'rare'" in note and "drift.ignore" in note for note in found)
    assert any("a file is left out" in note and "cut.parquet" in note for note in found)
    (made.folder / "base.parquet").unlink()
    made.days(8)
    assert any("holds no rows" in note for note in notes(made.look(9)))
    made.multivariate = "{baseline: nowhere}"
    with pytest.raises(InputError, match=r"multivariate\.baseline: there is no such folder"):
        made.look(10)


def test_an_environment_that_cannot_be_made_is_a_note_and_the_look_goes_on(
    tmp_path: Path, reference: Reference
) -> None:
    made = Watching(tmp_path, reference, classifier(tmp_path / "cache", uv="/no/uv"))
    made.days(*range(28))
    look = made.look(28)
    assert look.drift
    assert not whole(look)
    (note,) = notes(look)
    assert note.startswith("Drift of all features together was not measured: its environment could")
    made.tool = None
    made.days(28)
    assert any("no environment was given" in one for one in notes(made.look(29)))


def test_nothing_is_asked_of_a_model_that_does_not_want_it(made: Watching) -> None:
    made.multivariate = "null"
    made.days(*range(28))
    look = made.look(28)
    assert not whole(look)
    assert not notes(look)
