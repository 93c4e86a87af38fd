"""``assay check-data`` as a person and as a job calls it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from assay.cli.edge import run
from assay.evidence import DataReport, StageState
from support.data_files import people, write_parquet
from support.repositories import git_variables

CONFIG = """\
version: 1
models:
  churn:
    predictions: predictions.parquet
    gates: {accuracy: {margin: 0.01}}
    data: {train: data/train.parquet, test: data/test.parquet, id: id, label: label}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("GITHUB_ACTIONS", "GITHUB_OUTPUT", "GITHUB_EVENT_NAME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in git_variables(tmp_path / "home").items():
        monkeypatch.setenv(name, value)
    place = tmp_path / "consumer"
    place.mkdir()
    monkeypatch.chdir(place)
    (place / "assay.yaml").write_text(CONFIG)
    write_parquet(place / "data/train.parquet", people(600))
    write_parquet(place / "data/test.parquet", people(300, start=600))
    return place


def evidence(folder: Path) -> DataReport:
    return DataReport.read(folder / ".assay/evidence/churn")


def break_rows(folder: Path) -> None:
    ages = [-1 if n in {3, 4} else 18 + n * 37 % 63 for n in range(600)]
    write_parquet(folder / "data/train.parquet", people(600, age=ages))


def test_clean_data_pass_and_leave_evidence(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["check-data"]) == 0
    out = capsys.readouterr().out
    assert "train: data/train.parquet, 600 rows, 5 columns" in out
    assert "assay check-data --freeze" in out
    found = evidence(folder)
    assert found.state is StageState.PASSED
    assert found.seconds > 0


def test_a_frozen_schema_blocks_broken_rows_and_names_them(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["check-data", "--freeze"]) == 0
    assert "data.schema.yaml: 5 columns" in capsys.readouterr().out
    assert not (folder / ".assay").exists()
    break_rows(folder)
    assert run(["check-data"]) == 1
    out = capsys.readouterr().out
    assert "schema-ranges" in out
    assert "p3, p4" in out
    assert "churn: data failed: 1 blocking" in out
    assert evidence(folder).findings[0].rows == ("p3", "p4")
    assert run(["check-data", "--exit-zero"]) == 0


def test_json_is_the_evidence(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check-data", "--json"]) == 0
    assert DataReport.parse(capsys.readouterr().out, file="out") == evidence(folder)


def test_the_base_judges_and_is_compared_with(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base = tmp_path / "base"
    base.mkdir()
    (base / "assay.yaml").write_text(
        CONFIG.replace("label: label}", "label: label, checks: {drift-base-head: block}}")
    )
    write_parquet(base / "data/train.parquet", people(600, plan=["gold"] * 600))
    write_parquet(base / "data/test.parquet", people(300, start=600))
    assert run(["check-data", "--base", str(base)]) == 1
    assert "drift-base-head" in capsys.readouterr().out
    assert [finding.check for finding in evidence(folder).findings] == ["drift-base-head"]


def test_in_a_job_the_plan_names_rules_and_base(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def git(*arguments: str) -> None:
        subprocess.run(["git", *arguments], check=True, capture_output=True, cwd=folder)

    git("init", "-q", "-b", "main")
    git("add", ".")
    git("commit", "-q", "-m", "base")
    git("checkout", "-q", "-b", "change")
    loose = CONFIG.replace("label: label}", "label: label, checks: {schema-ranges: off}}")
    assert run(["check-data", "--freeze"]) == 0
    git("add", "data.schema.yaml")
    git("commit", "-q", "-m", "schema")
    git("checkout", "-q", "main")
    git("merge", "-q", "change")
    git("checkout", "-q", "-b", "looser")
    (folder / "assay.yaml").write_text(loose)
    schema = folder / "data.schema.yaml"
    schema.write_text(schema.read_text().replace("min: 0, max: 100", "min: -9, max: 100"))
    break_rows(folder)
    git("commit", "-q", "-a", "-m", "looser rules, broken rows")
    assert run(["plan"]) == 0
    capsys.readouterr()
    assert run(["check-data"]) == 1
    out = capsys.readouterr().out
    found = evidence(folder)
    assert [(f.check, f.rows) for f in found.findings] == [("schema-ranges", ("p3", "p4"))]
    assert found.schema_changed
    assert "drift-base-head" in found.checks
    assert "differs from the base's, which judged" in out


def test_bad_input_ends_in_two_with_evidence_of_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "data/train.parquet").write_bytes(b"PAR1 and no more")
    assert run(["check-data"]) == 2
    err = capsys.readouterr().err
    assert "data/train.parquet" in err
    assert "Traceback" not in err
    found = evidence(folder)
    assert found.state is StageState.NOT_MEASURED
    assert "data/train.parquet" in str(found.reason)
    assert run(["check-data", "--exit-zero"]) == 0
    (folder / "data/train.parquet").unlink()
    assert run(["check-data", "--freeze"]) == 2


def test_hostile_values_steer_neither_terminal_nor_runner(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    evil = "\x1b[2J\n::set-output name=x::y"
    write_parquet(folder / "data/train.parquet", people(600, **{evil: [evil] * 600}))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    output = folder / "output"
    monkeypatch.setenv("GITHUB_OUTPUT", str(output))
    assert run(["check-data"]) == 1
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert not [line for line in out.splitlines() if line.startswith("::set-output")]
    assert "::error" in out
    assert "state=failed" in output.read_text().replace("<<", "=") or "failed" in output.read_text()


def test_a_model_without_data_is_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "assay.yaml").write_text(
        "\n".join(line for line in CONFIG.splitlines() if "data:" not in line)
    )
    assert run(["check-data"]) == 0
    assert "names no data" in capsys.readouterr().out
    assert run(["check-data", "--freeze"]) == 2


def test_json_lines_and_csv_are_read_too(folder: Path) -> None:
    rows = [{"id": n, "label": n % 2, "x": n * 0.5} for n in range(200)]
    (folder / "train.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    lines = [f"{n + 200},{n % 2},{n * 0.5}" for n in range(200)]
    (folder / "test.csv").write_text("\n".join(["id,label,x", *lines]))
    text = CONFIG.replace("data/train.parquet", "train.jsonl")
    (folder / "assay.yaml").write_text(text.replace("data/test.parquet", "test.csv"))
    assert run(["check-data"]) == 0
    assert [d.rows for d in evidence(folder).datasets] == [200, 200]


def test_a_data_file_that_the_change_moves_is_explained(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def git(*words: str) -> None:
        subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True)

    git("init", "--initial-branch", "main")
    git("add", "--all")
    git("commit", "--message", "first")
    git("checkout", "-b", "topic")
    git("mv", "data/test.parquet", "data/holdout.parquet")
    (folder / "assay.yaml").write_text(CONFIG.replace("data/test", "data/holdout"))
    git("commit", "--all", "--message", "move")
    assert run(["plan"]) == 0
    assert run(["check-data"]) == 2
    said = "names data/test.parquet (now data/holdout.parquet): keep it until this is merged."
    assert said in capsys.readouterr().err
    assert said in (evidence(folder).reason or "")
