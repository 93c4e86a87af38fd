"""``assay compare`` from the command line: exit codes, one message, the table, the evidence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.cli.edge import run
from assay.config import Comment, Gate, Model
from assay.evidence import (
    BaseSource,
    Comparison,
    Event,
    ModelPlan,
    Plan,
    Prediction,
    Revision,
    StageState,
    Training,
    Verdict,
    file_digest,
)
from assay.gate.verify import verify
from support.predictions import binary, write_predictions


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    base, head = binary(900)
    return (
        str(write_predictions(tmp_path / "base.parquet", base)),
        str(write_predictions(tmp_path / "head.csv", head)),
    )


def test_two_files_are_enough(files: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["compare", *files]) == 0
    out = capsys.readouterr().out
    assert "900 rows joined by id; task binary" in out
    assert "+ is better" in out
    assert "roc_auc" in out
    assert "No margin was given" in out
    assert "no margin says" not in out
    assert max(map(len, out.splitlines()[:-1])) <= 100


def test_a_worse_model_fails_with_and_without_a_margin(
    files: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    base, head = files
    assert run(["compare", head, base]) == 1
    assert "fail: " in capsys.readouterr().out
    assert run(["compare", head, base, "--margin", "accuracy=0.01"]) == 1
    assert "accuracy is worse" in capsys.readouterr().out.lower()
    assert run(["compare", head, base, "--margin", "accuracy=0.01", "--exit-zero"]) == 0


def test_margins_slices_and_metrics_reach_the_verdict(
    files: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--margin", "accuracy=0.2", "--margin", "roc_auc=5%", "--margin", "f1=improve",
               "--metric", "brier", "--slice", "region", "--slice", "age:30,60",
               "--confidence", "0.9", "--seed", "3", "--json"]  # fmt: skip
    assert run(["compare", *files, *options]) in {0, 1}
    found = json.loads(capsys.readouterr().out)
    rules = {(rule["metric"], rule["slice"]): rule for rule in found[0]["verdict"]["rules"]}
    assert rules["accuracy", "all"]["margin"] == 0.2
    assert rules["roc_auc", "all"]["relative_margin"] == 0.05
    assert rules["f1", "all"]["margin"] == 0
    assert not rules["brier", "all"]["gate"]
    assert ("accuracy", "age=30 to below 60") in rules
    assert found[0]["comparison"]["confidence"] == 0.9


def test_evidence_is_written_and_verifies(files: tuple[str, str], tmp_path: Path) -> None:
    folder = tmp_path / "evidence"
    command = ["compare", *files, "--margin", "accuracy=0.05", "--evidence", str(folder)]
    assert run(command) == 0
    first = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert set(first) == {"comparison.json", "verdict.json"}
    comparison = Comparison.read(folder)
    assert set(comparison.inputs) == {"../base.parquet", "../head.csv"}
    assert verify(folder).digests == 3
    assert run(command) == 0
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == first


def evidence_of(root: Path, *, margin: float) -> Path:
    """An evidence folder of one model, as the gate's jobs leave it."""
    rules = Model(predictions="p.parquet", gates={"accuracy": Gate(margin=margin)})
    planned = ModelPlan(
        name="churn", path=".", touched=True, reason="", rules_from="base", rules=rules
    )
    revision = Revision(commit="a" * 40, tree="b" * 40)
    Plan(
        event=Event(), head=revision, base=revision, config_file="assay.yaml",
        config_rules_from="base", comment=Comment(), models=(planned,),
    ).write(root)  # fmt: skip
    for side, columns, folder in zip(
        ("base", "head"), binary(400), (root / "churn/base", root / "churn"), strict=True
    ):
        folder.mkdir(parents=True, exist_ok=True)
        path = write_predictions(folder / "predictions.parquet", columns)
        Training(
            model="churn", side=side, state=StageState.PASSED, source=BaseSource.FILE,
            predictions=Prediction(
                file=path.name, sha256=file_digest(path), bytes=path.stat().st_size
            ),
        ).write(folder)  # fmt: skip
    return root


def test_an_evidence_folder_is_compared_by_its_plan(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = evidence_of(tmp_path / "evidence", margin=0.3)
    assert run(["compare", "--evidence", str(root)]) == 0
    assert Comparison.read(root / "churn").rows.joined == 400
    assert Verdict.read(root / "churn").rules[0].margin == 0.3
    whole = (root / "churn/comparison.json").read_bytes()
    assert run(["compare", "--evidence", str(root / "churn")]) == 0
    assert (root / "churn/comparison.json").read_bytes() == whole
    assert "400 rows joined by id" in capsys.readouterr().out
    assert run(["compare", "--evidence", str(root), "--model", "other"]) == 2
    assert "the plan has no model 'other'" in capsys.readouterr().err


def test_crossings_and_equal_bins(
    files: tuple[str, str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ["--json", "--exit-zero", "--metric", "accuracy", "--slice", "age:q2"]
    assert run(["compare", *files, *options, "--cross", "region", "age"]) == 0
    said = capsys.readouterr().out
    names = [each["slice"] for each in json.loads(said)[0]["comparison"]["measurements"]]
    assert len(names) == 1 + 2 + 4
    assert names[1].startswith("age=below ")
    assert names[3].startswith("region=south & age=below ")
    # An action's input arrives as a variable, one column on each line.
    monkeypatch.setenv("ASSAY_CROSSINGS", "region\nage")
    assert run(["compare", *files, *options]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(said)


def test_scores_whose_less_is_better(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cost = np.random.default_rng(1).random(300)
    base, head = (
        str(write_predictions(tmp_path / f"{name}.jsonl", {"id": np.arange(300), "cost": values}))
        for name, values in (("base", cost), ("head", cost + 1 + cost / 9))
    )
    assert run(["compare", base, head]) == 0
    assert "better" in capsys.readouterr().out
    assert run(["compare", base, head, "--lower-is-better", "cost"]) == 1


def test_variables_hold_one_value_a_line(
    files: tuple[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ASSAY_BASE", files[0])
    monkeypatch.setenv("ASSAY_HEAD", files[1])
    monkeypatch.setenv("ASSAY_MARGINS", "accuracy=0.2\nf1 = 0.2\n")
    monkeypatch.setenv("ASSAY_SLICES", "region\n")
    assert run(["compare", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    gates = {rule["metric"] for rule in found[0]["verdict"]["rules"] if rule["gate"]}
    assert gates == {"accuracy", "f1"}


WRONG: dict[str, tuple[list[str], str]] = {
    "nothing": ([], "BASE and HEAD"),
    "one file": (["BASE"], "BASE and HEAD"),
    "missing file": (["BASE", "no.parquet"], "no.parquet: there is no such file."),
    "metric": (["BASE", "HEAD", "--metric", "acuracy"], "Did you mean accuracy?"),
    "margin of no metric": (["BASE", "HEAD", "--margin", "x=1"], "there is no metric 'x'"),
    "margin without value": (["BASE", "HEAD", "--margin", "accuracy"], "METRIC=VALUE"),
    "margin of text": (["BASE", "HEAD", "--margin", "accuracy=big"], "'big' is no margin"),
    "negative margin": (["BASE", "HEAD", "--margin", "accuracy=-1"], "is no margin"),
    "infinite margin": (["BASE", "HEAD", "--margin", "accuracy=inf"], "is no margin"),
    "margin of 0": (["BASE", "HEAD", "--margin", "accuracy=0"], "accuracy=improve"),
    "whole margin": (["BASE", "HEAD", "--margin", "accuracy=100%"], "below 100%"),
    "margin that nothing exceeds": (
        ["BASE", "HEAD", "--margin", "accuracy=1"],
        "lets every accuracy pass; write accuracy=1% for",
    ),
    "two margins": (
        ["BASE", "HEAD", "--margin", "f1=0.1", "--margin", "f1=0.2"],
        "--margin names f1 2 times",
    ),
    "direction of no column": (
        ["BASE", "HEAD", "--lower-is-better", "log_loss"],
        "--lower-is-better names 'log_loss', which is no score column",
    ),
    "edges": (["BASE", "HEAD", "--slice", "age:60,30"], "must ascend"),
    "bins": (["BASE", "HEAD", "--slice", "age:q1"], "divided into 2 to 100 bins, not 1"),
    "crossed with itself": (["BASE", "HEAD", "--cross", "age", "age"], "crossed with itself"),
    "half a crossing": (["BASE", "HEAD", "--cross", "age"], "requires 2 arguments"),
    "crossing of no name": (["BASE", "HEAD", "--cross", "age", "x" * 300], "1 to 256 characters"),
    "slice": (["BASE", "HEAD", "--slice", "planet"], "no column 'planet' to slice by"),
    "confidence": (["BASE", "HEAD", "--confidence", "95"], "95"),
    "slice of no name": (["BASE", "HEAD", "--slice", "x" * 300], "1 to 256 characters"),
    "column of no name": (["BASE", "HEAD", "--label", ""], "1 to 256 characters"),
    "task": (["BASE", "HEAD", "--task", "ranking"], "ranking"),
    "label": (["BASE", "HEAD", "--label", "truth"], "there is no column 'truth'"),
    "rules twice": (["--evidence", ".", "--metric", "f1"], "rules come from plan.json"),
    "no plan": (["--evidence", "."], "there is no plan.json"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_input_exits_2_with_one_message(
    case: str,
    files: tuple[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments, words = WRONG[case]
    named = {"BASE": files[0], "HEAD": files[1]}
    before = sorted(tmp_path.iterdir())
    assert run(["compare", *(named.get(text, text) for text in arguments)]) == 2
    captured = capsys.readouterr()
    assert words in " ".join(captured.err.split())
    assert "Traceback" not in captured.err
    assert not captured.out
    assert sorted(tmp_path.iterdir()) == before


def test_nothing_to_measure_is_wrong_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(write_predictions(tmp_path / "p.parquet", {"id": [1, 2], "note": ["a", "b"]}))
    assert run(["compare", path, path]) == 2
    assert "nothing can be measured" in capsys.readouterr().err


def test_what_neither_side_has_does_not_fail(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    columns = {"id": np.arange(99), "label": [0] * 99, "y_pred": [0] * 99}
    path = str(write_predictions(tmp_path / "p.parquet", columns))
    assert run(["compare", path, path]) == 0
    assert "nothing is predicted positive" in capsys.readouterr().out
    assert run(["compare", path, path, "--margin", "f1=0.1"]) == 1


def test_hostile_strings_print_as_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evil = ["::set-output name=x::y", "\x1b[31mred", "[bold]x[/bold]", "a\nb", "${{ x }}"]
    rows = 5 * 60
    columns: dict[str, Any] = {
        "id": np.arange(rows),
        "y_true": np.arange(rows) % 2,
        "y_pred": np.arange(rows) % 2,
        "where": [evil[i % 5] for i in range(rows)],
    }
    base = str(write_predictions(tmp_path / "b.parquet", columns))
    assert run(["compare", base, base, "--slice", "where", "--metric", "accuracy"]) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "[bold]x[/bold]" in out
    assert not any(line.lstrip().startswith("::") for line in out.splitlines())
