"""`assay monitor` as a new user meets it: inputs that are wrong, or right in an unexpected way.

Each ends with what is meant, with a finding, or with an error that says where and what to do.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from assay.cli.edge import run
from assay.evidence import Look, Reference

START = datetime(2026, 9, 1, tzinfo=UTC)
ROWS, DAYS = 600, 5
Change = Callable[[dict[str, list[Any]]], None]


def predictions() -> dict[str, list[Any]]:
    """The columns of a log of five days; nine of ten predictions are right."""
    times = [START + timedelta(days=DAYS) * n / ROWS for n in range(ROWS)]
    truth = [n % 2 for n in range(ROWS)]
    said = [one if n % 10 else 1 - one for n, one in enumerate(truth)]
    score = [0.9 if one else 0.1 for one in said]
    ids: list[Any] = list(range(ROWS))
    return {"request_id": ids, "time": times, "prediction": said, "score": score, "truth": truth}


def labels(of: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """Every label, an hour after its prediction."""
    known = [one + timedelta(hours=1) for one in of["time"]]
    return {"request_id": list(of["request_id"]), "label": list(of["truth"]), "known": known}


@dataclass
class Watched:
    """A folder with assay.yaml, a log and labels, and nothing else of Assay's."""

    folder: Path
    monitoring: dict[str, Any] = field(default_factory=dict)
    columns: dict[str, Any] = field(default_factory=dict)
    log: dict[str, list[Any]] = field(default_factory=predictions)

    def __post_init__(self) -> None:
        self.labels = labels(self.log)

    def configure(self) -> None:
        monitoring = {
            "logs": {"source": "log", "score": "score"},
            "labels": {"source": "labels.csv", "time": "known", "delay": 3600},
            "silence": 864_000,
            "quality": {"accuracy": {"margin": 0.02, "reference": 0.9}},
            **self.monitoring,
        }
        model = {
            "predictions": "p.csv", "gates": {"accuracy": {"margin": 0.01}},
            "monitoring": monitoring, **({"columns": self.columns} if self.columns else {}),
        }  # fmt: skip
        text = json.dumps({"version": 1, "models": {"churn": model}})
        (self.folder / "assay.yaml").write_text(text)

    def write(self) -> None:
        """The log as Parquet, the labels as CSV."""
        self.configure()
        (self.folder / "log").mkdir(exist_ok=True)
        kept = {name: values for name, values in self.log.items() if name != "truth"}
        pq.write_table(pa.table(kept), self.folder / "log/a.parquet")
        self.write_labels(self.labels)

    def write_labels(self, columns: dict[str, list[Any]], *, end: str = "\n") -> None:
        rows = zip(*columns.values(), strict=True)
        lines = [",".join(columns), *(",".join(map(str, row)) for row in rows)]
        (self.folder / "labels.csv").write_bytes((end.join(lines) + end).encode())

    def run(self, *more: str, days: float = DAYS + 0.5) -> int:
        at = (START + timedelta(days=days)).isoformat()
        return run([
            "monitor", "--config", str(self.folder / "assay.yaml"), "--at", at,
            "--state", str(self.folder / "state"), "--evidence", str(self.folder / "evidence"),
            "--exit-zero", *more,
        ])  # fmt: skip

    def look(self, *more: str, days: float = DAYS + 0.5) -> Look:
        assert self.run(*more, days=days) == 0
        return Look.read(self.folder / "evidence/churn")


@pytest.fixture
def made(tmp_path: Path) -> Watched:
    return Watched(tmp_path)


def keys(look: Look) -> set[str]:
    return {problem.key for problem in look.problems}


def counted(look: Look) -> tuple[int, float | None]:
    """Labelled predictions of all windows, and how many were right of them."""
    found = [one for w in look.windows for one in w.quality if one.metric == "accuracy"]
    n = sum(one.n for one in found)
    return n, round(sum((one.value or 0) * one.n for one in found) / n, 3) if n else None


def test_nothing_is_wrong_with_what_is_right(made: Watched) -> None:
    made.write()
    look = made.look()
    assert (keys(look), counted(look)) == (set(), (ROWS, 0.9))


@pytest.mark.parametrize("column", ["request_id", "time", "prediction", "score"])
def test_a_log_without_a_column_is_named(made: Watched, column: str) -> None:
    del made.log[column]
    made.write()
    look = made.look()
    assert {"schema:logs files"} <= keys(look)
    assert f"log/a.parquet: it has no column {column!r}" in " ".join(look.unreadable)


@pytest.mark.parametrize("column", ["request_id", "label", "known"])
def test_labels_without_a_column_are_named(made: Watched, column: str) -> None:
    del made.labels[column]
    made.write()
    look = made.look()
    assert {"schema:labels files"} <= keys(look)
    assert f"labels.csv: it has no column {column!r}" in " ".join(look.unreadable)


@pytest.mark.parametrize("gap", ["", "nan", "NaN"])
def test_labels_that_are_missing_are_no_labels(made: Watched, gap: str) -> None:
    made.labels["label"] = [gap if n % 5 == 0 else one for n, one in enumerate(made.log["truth"])]
    made.write()
    look = made.look()
    assert keys(look) == {"schema:labels rows"}
    assert "120 rows of the labels without an id" in look.problems[0].sentence
    assert counted(look)[0] == ROWS - 120


def test_nan_labels_of_a_parquet_file_are_none_either(made: Watched) -> None:
    made.monitoring = {"labels": {"source": "labels.parquet", "time": "known", "delay": 3600}}
    made.write()
    table = {**made.labels, "label": [float(one) for one in made.labels["label"]]}
    table["label"][:60] = [float("nan")] * 60
    pq.write_table(pa.table(table), made.folder / "labels.parquet")
    look = made.look()
    assert keys(look) == {"schema:labels rows"}
    assert counted(look)[0] == ROWS - 60


@pytest.mark.parametrize("name", ["empty.parquet", "empty.csv", "empty.jsonl"])
def test_an_empty_file_is_named_and_the_rest_is_read(made: Watched, name: str) -> None:
    made.write()
    (made.folder / "log" / name).touch()
    look = made.look()
    assert keys(look) == {"schema:logs files"}
    assert f"{name}: the file is empty" in look.unreadable[0]
    assert counted(look) == (ROWS, 0.9)


def test_a_file_of_the_targets_names_and_other_types_is_named(made: Watched) -> None:
    made.write()
    names = ("request_id", "row", "version", "assigned", "mirrored", "time", "output")
    pq.write_table(pa.table({name: [1] for name in names}), made.folder / "log/b.parquet")
    look = made.look()
    assert "b.parquet: column 'request_id' is not of the prediction log's type" in " ".join(
        look.unreadable
    )


def test_windows_line_ends_and_a_byte_order_mark_are_no_matter(made: Watched) -> None:
    made.write()
    made.write_labels(made.labels, end="\r\n")
    path = made.folder / "labels.csv"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    look = made.look()
    assert (keys(look), counted(look)) == (set(), (ROWS, 0.9))


@pytest.mark.parametrize(
    "written",
    [str, float, lambda one: None if one == 7 else float(one)],
    ids=["text", "floats", "floats with a gap"],
)
def test_ids_are_joined_whatever_their_type(made: Watched, written: Callable[[int], Any]) -> None:
    made.log["request_id"] = [written(one) for one in made.log["request_id"]]
    made.write()
    look = made.look()
    gaps = made.log["request_id"].count(None)
    assert counted(look) == (ROWS - gaps, 0.9)
    assert keys(look) == ({"schema:logs rows"} if gaps else set())


def test_ids_that_are_others_are_a_finding(made: Watched) -> None:
    made.labels["request_id"] = [f"id-{one}" for one in made.labels["request_id"]]
    made.write()
    look = made.look()
    assert "labels:orphans" in keys(look)
    assert counted(look) == (0, None)


@pytest.mark.parametrize("unit", [1, 1e3, 1e6, 1e9], ids=["s", "ms", "us", "ns"])
@pytest.mark.parametrize("kind", [int, float])
def test_times_as_numbers_are_read_in_the_unit_that_fits(
    made: Watched, unit: float, kind: type
) -> None:
    made.log["time"] = [kind(one.timestamp() * unit) for one in made.log["time"]]
    made.labels["known"] = [kind(one.timestamp() * unit) for one in made.labels["known"]]
    made.write()
    look = made.look()
    assert (keys(look), counted(look)) == (set(), (ROWS, 0.9))
    assert look.windows[0].start == "2026-09-01T00:00:00Z"


@pytest.mark.parametrize("form", ["%d.%m.%Y %H:%M", "%m/%d/%Y %I:%M %p"])
def test_a_time_that_is_none_is_shown(made: Watched, form: str) -> None:
    made.log["time"] = [one.strftime(form) for one in made.log["time"]]
    made.labels["known"] = [one.strftime(form) for one in made.labels["known"]]
    made.write()
    look = made.look()
    assert {"schema:logs rows", "schema:labels rows"} <= keys(look)
    for one in look.problems:
        if one.subject in {"logs rows", "labels rows"}:
            assert f"{START.strftime(form)[:6]}" in one.sentence
            assert "write 2026-11-01T12:00:00Z, or seconds" in one.sentence


@pytest.mark.parametrize("old", ["1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z"])
def test_a_row_of_another_age_is_left_out_and_shifts_nothing(made: Watched, old: str) -> None:
    # As a window of its own it would begin 20,000 sequences, and hide a day without traffic.
    made.log["time"] = [one.isoformat() for one in made.log["time"]]
    made.log["time"][1] = old
    made.write()
    look = made.look()
    assert (keys(look), counted(look)) == ({"schema:logs rows"}, (ROWS - 1, 0.9))
    assert f"{old[:10]}" in look.problems[0].sentence
    assert look.windows[0].start == "2026-09-01T00:00:00Z"
    (rule,) = look.rules
    assert rule.n == ROWS - 1
    assert made.look(days=DAYS + 0.6).problems == look.problems


@pytest.mark.parametrize("gap", [None, float("nan")])
def test_predictions_without_a_value_are_a_finding(made: Watched, gap: float | None) -> None:
    said = [float(one) for one in made.log["prediction"]]
    made.log["prediction"] = [gap if n % 20 == 0 else one for n, one in enumerate(said)]
    made.write()
    look = made.look()
    assert keys(look) == {"schema:logs predictions"}
    assert "without a value: 30 predictions" in look.problems[0].sentence


@pytest.mark.parametrize("name", ["old.csv.gz", "old.jsonl.zst"])
def test_a_compressed_file_is_named(made: Watched, name: str) -> None:
    made.write()
    text = b"request_id,time,prediction,score\n"
    (made.folder / "log" / name).write_bytes(
        gzip.compress(text) if name.endswith("gz") else b"\x28\xb5\x2f\xfd" + text
    )
    look = made.look()
    assert keys(look) == {"schema:logs files"}
    assert f"{name}: this is" in look.unreadable[0]
    assert "compressed" in look.unreadable[0]


def test_labels_that_stop_to_match_are_a_finding(made: Watched) -> None:
    made.write()
    made.labels["request_id"] = [
        one if known < START + timedelta(days=3) else f"new-{one}"
        for one, known in zip(made.labels["request_id"], made.labels["known"], strict=True)
    ]
    made.write_labels(made.labels)
    look = made.look()
    assert keys(look) == {"labels:coverage"}
    assert "Of 120 predictions in the 1 d from 2026-09-05" in look.problems[0].sentence
    assert "0 have one; of those before it 74" in look.problems[0].sentence


def test_times_without_a_zone_are_utc_and_times_that_are_none_are_counted(made: Watched) -> None:
    made.log["time"] = [one.replace(tzinfo=None) for one in made.log["time"]]
    made.labels["known"] = [one.replace(tzinfo=None) for one in made.labels["known"]]
    made.labels["known"][:50] = ["yesterday"] * 50
    made.write()
    look = made.look()
    assert keys(look) == {"schema:labels rows"}
    assert counted(look)[0] == ROWS - 50
    assert look.windows[0].start == "2026-09-01T00:00:00Z"


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "Asia/Kolkata"])
def test_times_are_read_in_every_type_that_parquet_has(
    made: Watched, unit: str, zone: str | None
) -> None:
    made.monitoring = {"labels": {"source": "labels.parquet", "time": "known", "delay": 3600}}
    kind = pa.timestamp(unit, tz=zone)
    made.log["time"] = pa.array([one.replace(tzinfo=None) for one in made.log["time"]], type=kind)
    made.write()
    known = pa.array([one.replace(tzinfo=None) for one in made.labels["known"]], type=kind)
    pq.write_table(pa.table({**made.labels, "known": known}), made.folder / "labels.parquet")
    look = made.look()
    assert (keys(look), counted(look)) == (set(), (ROWS, 0.9))
    assert look.windows[0].start == "2026-09-01T00:00:00Z"


def test_a_place_that_is_no_number_is_a_row_that_is_left_out(made: Watched) -> None:
    made.monitoring = {
        "logs": {"source": "log", "score": "score", "row": "place"},
        "labels": {
            "source": "labels.csv", "time": "known", "delay": 3600, "row": "place",
        },
    }  # fmt: skip
    made.log["place"] = ["first" if n < 30 else "1" for n in range(ROWS)]
    made.labels["place"] = [1] * ROWS
    made.write()
    look = made.look()
    assert keys(look) == {"schema:logs rows"}
    assert "30 rows of the logs" in look.problems[0].sentence
    assert counted(look)[0] == ROWS - 30


def test_scores_that_are_percentages_are_a_finding(made: Watched) -> None:
    made.log["score"] = [one * 100 for one in made.log["score"]]
    made.write()
    look = made.look()
    assert keys(look) == {"schema:logs scores"}
    assert "that of 600 predictions lies outside" in look.problems[0].sentence
    assert counted(look) == (ROWS, 0.9)


def test_a_score_that_is_missing_is_no_finding(made: Watched) -> None:
    made.log["score"] = [float("nan") if n % 3 else one for n, one in enumerate(made.log["score"])]
    made.write()
    assert keys(made.look()) == set()


def in_words(made: Watched, **columns: Any) -> Watched:
    """The same classes by names, of which F1 is judged."""
    words = ["no", "yes"]
    made.log["prediction"] = [words[one] for one in made.log["prediction"]]
    made.labels["label"] = [words[one] for one in made.labels["label"]]
    made.monitoring = {"quality": {"f1": {"margin": 0.02, "reference": 0.9}}}
    made.columns = columns
    return made


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({}, "Nothing says which class is the positive one: they are 'no', 'yes'."),
        ({"positive": "churned"}, "No label and no prediction is 'churned', the positive class"),
    ],
    ids=["unnamed", "never occurs"],
)
def test_a_positive_class_that_is_none_is_a_finding(
    made: Watched, columns: dict[str, Any], words: str
) -> None:
    in_words(made, **columns).write()
    look = made.look()
    assert keys(look) == {"schema:positive class"}
    assert words in look.problems[0].sentence
    assert "columns.positive" in look.problems[0].step


def test_a_positive_class_that_occurs_or_that_nobody_needs_is_no_finding(
    made: Watched, tmp_path: Path
) -> None:
    in_words(made, positive="yes").write()
    assert keys(made.look()) == set()
    (tmp_path / "other").mkdir()
    other = in_words(Watched(tmp_path / "other"))
    other.monitoring = {}
    other.write()
    assert keys(other.look()) == set()


def test_a_slice_that_is_nowhere_is_said(made: Watched) -> None:
    made.monitoring = {"slices": ["plan", "score"]}
    made.write()
    look = made.look()
    assert look.notes == ("Quality by 'plan' is not shown: no file of the log has that column.",)


def reference(made: Watched, **changes: Any) -> Path:
    folder = made.folder / "reference"
    facts = {"model": "churn", "columns": (), "quality": {"accuracy": 0.9}, **changes}
    Reference(**facts).write(folder)
    return folder


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ("another", 2, "this is the evidence of fraud, and churn is looked at"),
        ("newer", 4, "expected a document of schema assay/reference/1, found 'assay/reference/2'"),
        ("cut", 4, "this is not JSON"),
        ("gone", 2, "comparison.json: there is no such evidence"),
    ],
)
def test_a_reference_that_is_none_of_this_model_is_refused(
    made: Watched, capsys: pytest.CaptureFixture[str], change: str, code: int, words: str
) -> None:
    made.write()
    folder = reference(made, **({"model": "fraud"} if change == "another" else {}))
    file = folder / Reference.FILE
    if change == "newer":
        file.write_text(file.read_text().replace("assay/reference/1", "assay/reference/2"))
    elif change == "cut":
        file.write_text(file.read_text()[:40])
    elif change == "gone":
        file.unlink()
    assert made.run("--reference", str(folder)) == code
    said = capsys.readouterr().err
    assert words in said
    assert folder.as_posix() in said
    assert not (made.folder / "state/state.json").exists()


def test_a_state_that_cannot_be_is_refused(
    made: Watched, capsys: pytest.CaptureFixture[str]
) -> None:
    made.write()
    (made.folder / "state").write_text("a file")
    assert made.run() == 2
    assert "is a file" in capsys.readouterr().err
    assert made.run("--state", "/proc/nowhere/state") == 3
    said = capsys.readouterr().err
    assert "/proc/nowhere" in said
    assert "name another one" in said
