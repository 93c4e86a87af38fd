from __future__ import annotations

import time
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from assay.evidence import Lineage
from assay.registry.record import record_of
from assay.registry.spool import Waiting, put, waiting
from assay.registry.tracking import (
    Tracker,
    UploadError,
    limit_waiting,
    local_uri,
    without_userinfo,
)
from support.runs import record, training


def test_a_record_carries_parameters_numbers_and_lineage() -> None:
    made = record()
    assert made.params == {"depth": "3"}
    assert made.metrics == {"auc": 0.75, "train.loss": 2.0, "assay.seconds": 2.0}
    assert made.tags["mlflow.source.git.commit"] == "a" * 40
    assert made.tags["assay.tree"] == "b" * 40
    assert made.tags["assay.seed"] == "7"
    assert made.tags["pull_request"] == "7"
    assert made.ended_ms - made.started_ms == 2000


def test_the_same_run_has_the_same_key_and_another_another() -> None:
    assert record().key == record().key
    assert record(started_ms=1001).key != record().key


@given(st.dictionaries(st.text(), st.text(max_size=6000), max_size=4))
def test_any_parameter_name_becomes_one_that_mlflow_takes(params: dict[str, str]) -> None:
    made = record_of(
        training(lineage=Lineage(params=params)),
        experiment="churn",
        started_ms=0,
        metrics={},
        tags={},
    )
    for name, value in made.params.items():
        assert 0 < len(name) <= 250
        assert not name.startswith("/")
        assert ".." not in name
        assert all(char.isascii() for char in name)
        assert len(value) <= 500


class Uploads:
    """Remembers what was uploaded; fails the first ``failures`` times."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.seen: list[tuple[str, tuple[str, ...]]] = []

    def __call__(self, run: Waiting) -> str:
        if self.failures:
            self.failures -= 1
            message = "the server is down"
            raise UploadError(message)
        self.seen.append((run.record.key, tuple(file.name for file in run.artifacts)))
        return f"run-{len(self.seen)}"


def test_a_tracked_run_leaves_nothing_in_the_spool(tmp_path: Path) -> None:
    evidence = tmp_path / "training.json"
    evidence.write_text("{}")
    uploads = Uploads()
    tracker = Tracker(tmp_path / "spool", lambda: uploads)
    tracker.warm()
    done = tracker.track(record(), [evidence])
    assert (done.run_id, done.uploaded, done.left) == ("run-1", 1, 0)
    assert uploads.seen == [(record().key, ("training.json",))]
    assert str(done) == "MLflow run run-1"


def test_a_server_that_is_down_keeps_the_run_for_the_next_one_once(tmp_path: Path) -> None:
    uploads = Uploads(failures=1)
    first = Tracker(tmp_path / "spool", lambda: uploads).track(record(1), [])
    assert first.run_id is None
    assert first.why == "the server is down"
    assert first.left == 1
    second = Tracker(tmp_path / "spool", lambda: uploads).track(record(2), [])
    assert second.run_id == "run-2"
    assert second.uploaded == 2
    assert [key for key, _ in uploads.seen] == [record(1).key, record(2).key]
    third = Tracker(tmp_path / "spool", lambda: uploads).track(record(3), [])
    assert third.uploaded == 1


def test_a_store_that_cannot_be_opened_keeps_the_run(tmp_path: Path) -> None:
    def connect() -> Uploads:
        message = "no such host"
        raise UploadError(message)

    done = Tracker(tmp_path / "spool", connect).track(record(), [])
    assert "no such host" in str(done)
    assert len(waiting(tmp_path / "spool")) == 1


def test_a_server_that_never_answers_costs_bounded_time(tmp_path: Path) -> None:
    def hang(_run: Waiting) -> str:
        time.sleep(2)
        return "late"

    started = time.monotonic()
    done = Tracker(tmp_path / "spool", lambda: hang, seconds=0.1).track(record(), [])
    assert time.monotonic() - started < 1
    assert done.run_id is None
    assert "did not answer" in (done.why or "")


def test_the_same_run_is_kept_once(tmp_path: Path) -> None:
    put(tmp_path, record(), [])
    put(tmp_path, record(), [])
    assert len(waiting(tmp_path)) == 1
    assert len(list(tmp_path.iterdir())) == 1


def test_a_half_written_run_is_set_aside(tmp_path: Path) -> None:
    kept = put(tmp_path, record(), [])
    (kept.folder / "run.json").write_text("{")
    put(tmp_path, record(2), [])
    assert [one.record.started_ms for one in waiting(tmp_path)] == [2]
    assert kept.folder.with_suffix(".broken").is_dir()


def test_a_spool_that_cannot_be_written_is_said_and_not_raised(tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("a file")
    done = Tracker(tmp_path / "spool", Uploads).track(record(), [])
    assert done.run_id is None
    assert "cannot be kept" in (done.why or "")


def test_limits_leave_what_is_set() -> None:
    environ = {"MLFLOW_HTTP_REQUEST_TIMEOUT": "3"}
    limit_waiting(environ)
    assert environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] == "3"
    assert environ["MLFLOW_DISABLE_TELEMETRY"] == "true"


def test_addresses_lose_their_passwords(tmp_path: Path) -> None:
    text = "cannot reach https://octo:secret@mlflow.example.org/x"
    assert without_userinfo(text) == "cannot reach https://mlflow.example.org/x"
    assert local_uri(tmp_path) == f"sqlite:///{tmp_path}/mlflow.db"
