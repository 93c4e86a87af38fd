"""`assay retrain` at a terminal: it says what it would do, and changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from assay.cli.retrain import retrain
from assay.cli.retrain_rows import count_rows
from assay.errors import InputError, IntegrityError
from assay.evidence import Retraining
from assay.retraining.decide import reserve
from assay.retraining.triggers import Facts
from support.retrainings import NOW, Pipeline, asked, look

CONFIG = """\
version: 1
models:
  churn:
    predictions: p.csv
    gates: {accuracy: {margin: 0.01}}
    retrain: {new_data: {source: rows, share: 0.5}}
  other: {path: other, predictions: p.csv, gates: {accuracy: {margin: 0.01}}}
"""


@pytest.fixture
def pipeline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pipeline]:
    for name in ("GITHUB_ACTIONS", "GITHUB_EVENT_NAME", "GITHUB_OUTPUT"):
        monkeypatch.delenv(name, raising=False)
    with ExitStack() as stack:
        made = Pipeline.make(tmp_path, stack)
        (made.clone.root / "assay.yaml").write_text(CONFIG)
        monkeypatch.chdir(made.clone.root)
        yield made


def run(*arguments: str) -> Result:
    return CliRunner().invoke(retrain, arguments, catch_exceptions=False)


def put_rows(folder: Path, count: int) -> None:
    folder.mkdir(exist_ok=True)
    lines = "".join(f"{number}\n" for number in range(count))
    (folder / "a.csv").write_text("id\n" + lines)


def test_it_decides_for_each_model_with_rules_and_reserves_nothing(pipeline: Pipeline) -> None:
    put_rows(pipeline.clone.root / "rows", 15)
    rules = "{new_data: {source: rows, share: 0.5}}"
    reserve(asked(rules, id="run-9"), Facts(now=NOW, rows=10), pipeline.book())
    said = run("decide").output
    assert "churn is to be trained anew:" in said
    assert "new-data: 5 new rows, 50.0% of the 10" in said
    assert "not looked at: production: there is no monitor.json" in said
    made = Retraining.read(Path(".assay/retrain/churn"))
    assert (made.due, made.rows, made.base) == (True, 15, None)
    assert pipeline.git("rev-list", "--count", "assay/desired") == "1"
    assert not Path(".assay/retrain/other").exists()


def test_the_lock_is_named_from_the_root_of_the_repository(
    pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = pipeline.clone.root
    (root / "models").mkdir()
    config = root / "models" / "assay.yaml"
    config.write_text(CONFIG.replace("retrain: {new_data", "path: churn\n    retrain: {new_data"))
    for folder, named in (
        (root, str(config)),
        (root, "./models/../models/assay.yaml"),
        (root / "models", "assay.yaml"),
        (tmp_path, str(config)),
    ):
        monkeypatch.chdir(folder)
        run("decide", "--config", named, "--folder", str(tmp_path / "made"))
        made = Retraining.read(tmp_path / "made" / "churn")
        assert made.paths == ("models/churn/dvc.lock",)
    outside = tmp_path / "assay.yaml"
    outside.write_text(CONFIG)
    with pytest.raises(InputError, match="no git repository"):
        run("decide", "--config", str(outside))


def test_a_look_is_read_by_file_or_by_folder(pipeline: Pipeline, tmp_path: Path) -> None:
    put_rows(pipeline.clone.root / "rows", 1)
    look().write(tmp_path / "looks" / "churn")
    folder, file = tmp_path / "looks", tmp_path / "looks/churn/monitor.json"
    for place in (folder, file):
        assert "production" not in run("decide", "--look", str(place)).output
    other = look(model="other").write(tmp_path / "other")
    assert "no monitor.json of this model" in run("decide", "--look", str(other)).output


def test_a_person_who_gives_a_reason_asks(pipeline: Pipeline) -> None:
    assert pipeline.commit
    said = run("decide", "--model", "churn", "--reason", "late\n::error::x").output
    assert "manual:" in said
    assert "\n::error::" not in said
    assert "not looked at: new data: rows: 0 files" in said


def test_what_dvc_did_not_write_is_not_looked_at_and_said(pipeline: Pipeline) -> None:
    root = pipeline.clone.root
    (root / "assay.yaml").write_text(CONFIG.replace("source: rows", 'source: "dvc:rows"'))
    (root / "rows.dvc").write_bytes(b"\xff\xfeouts:\n- md5: [\n")
    assert "new data: rows.dvc: this is no file that DVC wrote" in run("decide").output
    (root / "rows.dvc").write_text(f"outs:\n- md5: {'a' * 32}\n  hash: md5\n  path: rows\n")
    (root / ".dvc").mkdir()
    (root / ".dvc/config").write_bytes(b"[core\xff\n")
    assert "new data: .dvc/config: there is no default DVC remote" in run("decide").output


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"schema": "assay/monitor/9"}', "expected a document of schema assay/monitor/1"),
        ('{"schema": "assay/mon', "this is not JSON"),
    ],
    ids=["newer", "cut off"],
)
def test_a_look_that_cannot_be_read_is_refused(
    pipeline: Pipeline, tmp_path: Path, text: str, words: str
) -> None:
    assert pipeline.commit
    (tmp_path / "monitor.json").write_text(text)
    with pytest.raises(IntegrityError, match=words):
        run("decide", "--look", str(tmp_path / "monitor.json"))


@pytest.mark.parametrize("operation", ["propose", "settle"])
def test_what_needs_a_job_is_refused_elsewhere(pipeline: Pipeline, operation: str) -> None:
    assert pipeline.commit
    with pytest.raises(InputError):
        run(operation)


def test_rows_are_counted_in_a_file_a_folder_and_a_glob(tmp_path: Path) -> None:
    put_rows(tmp_path / "rows", 3)
    put_rows(tmp_path / "rows" / "more", 4)
    assert count_rows(str(tmp_path / "rows" / "a.csv")) == 3
    assert count_rows(str(tmp_path / "rows")) == 7
    assert count_rows(f"{tmp_path}/rows/**/*.csv") == 7
    assert count_rows(f"{tmp_path}/rows/m*/*.csv") == 4
    with pytest.raises(InputError, match="0 files"):
        count_rows(f"{tmp_path}/none/*.csv")
