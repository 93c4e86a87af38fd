"""The prediction log and late labels, to what the step takes."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from assay.config import OnlineMetric
from assay.evidence import Batch, Labelled, Rollout
from assay.rollout.labels import LabelReader, unjudged
from assay.rollout.records import State
from assay.rollout.serving.predictions import SCHEMA
from assay.tables.parts import FEWEST
from support.rollouts import NEW, OLD, strategy

MOMENT = datetime(2026, 11, 28, tzinfo=UTC)


def answer(request: str, output: object, version: str = OLD, **values: object) -> dict[str, Any]:
    return {
        "request_id": request, "row": 0, "unit": None, "version": version, "assigned": version,
        "generation": 2, "mirrored": False, "time": MOMENT, "input": None,
        "output": json.dumps(output), **values,
    }  # fmt: skip


def log(folder: Path, *answers: dict[str, Any], name: str = "1") -> None:
    """Write answers as their versions' scoring servers would."""
    for version in {each["version"] for each in answers}:
        rows = [each for each in answers if each["version"] == version]
        (folder / version).mkdir(parents=True, exist_ok=True)
        table = pa.Table.from_pylist(rows, schema=SCHEMA)
        pq.write_table(table, folder / version / f"{name}.parquet")


def rollout(kind: str = "ab", *generations: int, **values: object) -> Rollout:
    batches = tuple(Batch(generation=each, share=0.5) for each in generations or (2,))
    return Rollout(
        candidate=NEW, strategy=strategy(kind, **values), by="octo", at=0, batches=batches
    )


def read(tmp_path: Path, labels: str, of: Rollout, name: str = "labels.csv") -> Labelled:
    """The labels of the only generation."""
    (tmp_path / name).write_text(labels)
    reader = LabelReader(tmp_path / "log", tmp_path / name)
    (found,) = reader.refresh(OLD, of)
    assert reader.trouble == ""
    return found


def test_accuracy_is_summed_by_version(tmp_path: Path) -> None:
    log(
        tmp_path / "log",
        answer("a", 1), answer("b", 0), answer("c", "yes"), answer("d", {"prediction": 1.0}),
        answer("e", 1, NEW), answer("f", [0.2, 0.8], NEW),
        answer("g", ["0", "x"], NEW), answer("h", [], NEW),
    )  # fmt: skip
    labels = "request_id,label\na,1\nb,1\nc,yes\nd,1\ne,0\nf,1\ng,0\nh,0\nunknown,1\n"
    found = read(tmp_path, labels, rollout())
    old, new = found.arms[OLD], found.arms[NEW]
    assert (old.n, old.mean, old.events) == (4, 0.75, 1)
    assert old.squares == pytest.approx(4 * 0.75 * 0.25)
    assert (new.n, new.mean, new.events) == (2, 0.5, 1), "probabilities predict the likeliest class"


def test_one_unit_is_one_value(tmp_path: Path) -> None:
    log(
        tmp_path / "log",
        *(answer(str(n), 1, unit="octo") for n in range(4)),
        answer("x", 1, unit="hubot"),
    )
    labels = "request_id,label\n0,1\n1,1\n2,1\n3,0\nx,1\n"
    arm = read(tmp_path, labels, rollout("ab")).arms[OLD]
    assert (arm.n, arm.mean, arm.events) == (2, 0.875, 1)
    arm = read(tmp_path, labels, rollout("bandit")).arms[OLD]
    assert (arm.n, arm.mean) == (5, 0.8)


def test_labels_may_name_the_unit(tmp_path: Path) -> None:
    log(tmp_path / "log", answer("1", 3.5, unit="octo"), answer("2", 1.0, NEW, unit="hubot"))
    of = rollout(quality=OnlineMetric(metric="mae", margin=1.0))
    found = read(tmp_path, "unit,label\nocto,3\nhubot,3\n", of)
    assert found.arms[OLD].mean == 0.5
    assert found.arms[NEW].mean == 2.0


def test_a_column_of_the_labels_can_be_the_metric(tmp_path: Path) -> None:
    log(tmp_path / "log", answer("1", "whatever"), answer("2", "x", NEW), answer("3", "x", NEW))
    of = rollout(quality=OnlineMetric(metric="mean:clicked", margin=0.1))
    found = read(tmp_path, "request_id,clicked\n1,1\n2,0\n3,1\n", of)
    assert (found.arms[OLD].mean, found.arms[NEW].mean) == (1.0, 0.5)


def test_rows_of_one_request_are_joined_by_their_number(tmp_path: Path) -> None:
    log(tmp_path / "log", answer("1", 1, row=0), answer("1", 0, row=1))
    found = read(tmp_path, "request_id,row,label\n1,0,1\n1,1,1\n", rollout("bandit"))
    assert (found.arms[OLD].n, found.arms[OLD].mean) == (2, 0.5)


def test_a_label_that_stands_there_twice(tmp_path: Path) -> None:
    log(tmp_path / "log", answer("1", 1), answer("2", 1))
    plain = "request_id,label\n1,1\n1,0\n2,1\n2,1\n"
    assert read(tmp_path, plain, rollout()).arms[OLD].n == 1
    timed = "request_id,label,time\n1,1,2026-01-01\n1,0,2026-01-02\n"
    assert read(tmp_path, timed, rollout()).arms[OLD].mean == 0.0


def test_each_generation_has_its_own_sums_and_others_are_left_out(tmp_path: Path) -> None:
    log(
        tmp_path / "log",
        answer("1", 1, generation=2), answer("2", 1, generation=3), answer("3", 1, generation=9),
    )  # fmt: skip
    (tmp_path / "labels.csv").write_text("request_id,label\n1,1\n2,0\n3,1\n")
    reader = LabelReader(tmp_path / "log", tmp_path / "labels.csv")
    found = reader.refresh(OLD, rollout("canary", 2, 3, quality=OnlineMetric(margin=0.1)))
    assert [(each.generation, each.arms[OLD].mean) for each in found] == [(2, 1.0), (3, 0.0)]


def test_a_shadow_is_compared_on_the_same_requests(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    truth, old, new = (rng.integers(0, 2, 200) for _ in range(3))
    log(
        tmp_path / "log",
        *(answer(str(n), int(old[n])) for n in range(200)),
        *(answer(str(n), int(new[n]), NEW, mirrored=True) for n in range(0, 200, 2)),
    )
    labels = "request_id,label\n" + "".join(f"{n},{each}\n" for n, each in enumerate(truth))
    found = read(tmp_path, labels, rollout("shadow", quality=OnlineMetric(margin=0.1)))
    apart = ((new == truth).astype(float) - (old == truth).astype(float))[::2]
    assert found.paired is not None
    assert (found.paired.n, found.paired.events) == (100, int((apart != 0).sum()))
    assert found.paired.mean == pytest.approx(apart.mean())
    assert found.paired.squares == pytest.approx(((apart - apart.mean()) ** 2).sum())
    assert found.agreement is not None
    assert (found.agreement.equal, found.agreement.compared) == ((old == new)[::2].sum(), 100)
    assert found.arms[OLD].n == 200
    assert NEW not in found.arms


def test_agreement_needs_no_labels(tmp_path: Path) -> None:
    log(tmp_path / "log", answer("1", 1), answer("1", 1.0, NEW, mirrored=True))
    (found,) = LabelReader(tmp_path / "log", None).refresh(OLD, rollout("shadow"))
    assert found.agreement is not None
    assert (found.agreement.equal, found.agreement.compared) == (1, 1)
    assert found.paired is None


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ("request_id,truth\n1,1\n", "no column 'label'"),
        ("id,label\n1,1\n", "no column 'unit'"),
        ("request_id,label\n", "no rows"),
    ],
)
def test_what_is_wrong_with_labels_is_said_and_what_was_found_stays(
    tmp_path: Path, labels: str, said: str
) -> None:
    log(tmp_path / "log", answer("1", 1))
    path = tmp_path / "labels.csv"
    path.write_text("request_id,label\n1,1\n")
    reader = LabelReader(tmp_path / "log", path)
    before = reader.refresh(OLD, rollout())
    path.write_text(labels)
    of = rollout(quality=OnlineMetric(margin=0.1))
    assert reader.refresh(OLD, of) == before
    assert said in reader.trouble


def test_a_broken_log_file_is_left_out(tmp_path: Path) -> None:
    log(tmp_path / "log", answer("1", 1))
    (tmp_path / "log" / OLD / "2.parquet").write_bytes(b"PAR1 cut off")
    assert read(tmp_path, "request_id,label\n1,1\n", rollout()).arms[OLD].n == 1


def test_a_control_loop_does_not_wait(tmp_path: Path) -> None:
    log(tmp_path / "log", answer("1", 1))
    (tmp_path / "labels.csv").write_text("request_id,label\n1,1\n")
    reader = LabelReader(tmp_path / "log", tmp_path / "labels.csv", seconds=0.01)
    state = State(generation=2, stable=OLD, rollout=rollout())
    assert reader(State()) == ()
    found: tuple[Labelled, ...] = ()
    for _ in range(500):
        found = reader(state)
        if found:
            break
        time.sleep(0.01)
    assert found[0].arms[OLD].n == 1
    other = state.model_copy(
        update={"rollout": rollout().model_copy(update={"candidate": "d" * 64})}
    )
    assert reader(other) == ()


def test_what_could_never_be_judged_is_said_before_it_begins(tmp_path: Path) -> None:
    blind = LabelReader(tmp_path, None)
    labelled = LabelReader(tmp_path, tmp_path / "labels.csv")
    judged, agreeing = strategy("ab"), strategy("shadow", quality=None, agreement=0.9)
    assert "no prediction log" in (unjudged(judged, None) or "")
    assert "without --labels" in (unjudged(judged, blind) or "")
    assert unjudged(judged, labelled) is None
    assert "agreement cannot be judged" in (unjudged(agreeing, None) or "")
    assert unjudged(agreeing, blind) is None
    assert unjudged(strategy("canary"), None) is None


def test_many_small_files_say_what_one_says(tmp_path: Path) -> None:
    answers = [
        answer(str(n), n % 3, version, unit=f"u{n % 40}")
        for n in range(4 * FEWEST)
        for version in (OLD, NEW)
    ]
    for place, each in enumerate(answers):
        log(tmp_path / "many/log", each, name=f"{place:04}")
    log(tmp_path / "one/log", *answers)
    labels = "request_id,label\n" + "".join(f"{n},1\n" for n in range(4 * FEWEST))
    assert read(tmp_path / "many", labels, rollout()) == read(tmp_path / "one", labels, rollout())


class Slow(LabelReader):
    """Each of its reads takes half a minute, by its own clock."""

    now = 0.0
    reads = 0

    def _read(self, *_: object) -> tuple[Labelled, ...]:
        self.now += 30.0
        self.reads += 1
        return ()


@pytest.mark.parametrize(("later", "reads"), [(269.0, 1), (271.0, 2)])
def test_after_a_long_read_nothing_is_read_for_nine_times_as_long(
    tmp_path: Path, later: float, reads: int
) -> None:
    reader = Slow(tmp_path, None)
    reader.clock = lambda: reader.now
    state = State(generation=2, stable=OLD, rollout=rollout())
    for pause in (later, 0.0):
        reader(state)
        assert reader._thread is not None
        reader._thread.join()
        reader.now += pause
    assert reader.reads == reads
