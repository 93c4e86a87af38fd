"""The ledger in a run's evidence: sealed by its digest, in the comment, and replayed."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.errors import IntegrityError
from assay.evidence import Ledger, Outcome, Plan, UsedTestSet, Verdict
from assay.gate.judge import judge, write
from assay.gate.publish import Publishing
from assay.gate.replay import replay_differences
from assay.gate.run import report_of
from assay.gate.verify import verify
from assay.github.settings import read_settings
from assay.report.markdown import render
from support.evidence_folders import MODEL, plan, put_training, rows, rules

OTHERS = tuple(f"{number:064x}" for number in range(1, 12))


def gate(folder: Path, made: Plan) -> tuple[Verdict, str]:
    models, verdict = judge(made, folder)
    write(folder, made, models, verdict)
    publishing = Publishing.of(made, read_settings({}), publisher="file", checks_token=None)
    return verdict, render(report_of(made, verdict, models, publishing))


@pytest.fixture
def asked(tmp_path: Path) -> tuple[Path, Plan]:
    folder = tmp_path / "evidence"
    made = plan(judged_by=rules(ledger=True, gates={"accuracy": {"margin": 0.03}}))
    made.write(folder)
    put_training(folder, rows(300, wrong=20), side="base")
    put_training(folder, rows(300, wrong=21))
    return folder, made


def used(folder: Path, made: Plan, *heads: str) -> None:
    Ledger().write(folder)
    models, _ = judge(made, folder)
    comparison = models[0].comparison
    assert comparison is not None
    assert comparison.reuse is not None
    assert comparison.reuse.test_set is not None
    found = UsedTestSet(since="2026-01-02T03:04:05Z", heads=heads)
    ledger = Ledger(commit="a" * 40, models={MODEL: {comparison.reuse.test_set: found}})
    ledger.write(folder)


def test_a_worn_test_set_warns_in_verdict_and_comment_and_replays(
    asked: tuple[Path, Plan],
) -> None:
    folder, made = asked
    used(folder, made, *OTHERS)
    verdict, comment = gate(folder, made)
    assert verdict.state is Outcome.WARN
    assert verdict.rules[0].flags == ("worn",)
    assert verdict.inputs["ledger.json"] == verify_digest(folder)
    assert "it has decided about 12 models, this one included, since 2026-01-02" in comment
    assert "| no worse, worn test set |" in comment.replace("**", "")
    assert "<summary>Corrected intervals</summary>" in comment
    verify(folder)
    assert "byte for byte the same" in replay_differences(folder)


def verify_digest(folder: Path) -> str:
    return Ledger.read(folder).digest()


def test_a_ledger_that_was_changed_afterwards_is_found(asked: tuple[Path, Plan]) -> None:
    folder, made = asked
    used(folder, made, *OTHERS)
    gate(folder, made)
    Ledger().write(folder)
    with pytest.raises(IntegrityError, match=r"ledger\.json"):
        verify(folder)


def test_a_first_decision_is_said_and_passes(asked: tuple[Path, Plan]) -> None:
    folder, made = asked
    used(folder, made)
    verdict, comment = gate(folder, made)
    assert verdict.state is Outcome.PASS
    assert "**Test set**: this is the first decision on it; the margins afford K = " in comment
    assert "Corrected intervals" not in comment


def test_a_ledger_that_could_not_be_read_is_said_and_changes_no_verdict(
    asked: tuple[Path, Plan],
) -> None:
    folder, made = asked
    Ledger(missing="the branch assay/desired is not Assay's").write(folder)
    verdict, comment = gate(folder, made)
    assert verdict.state is Outcome.PASS
    assert "how often it has decided is not known: the branch assay/desired is" in comment


def test_without_the_rule_nothing_is_said(tmp_path: Path) -> None:
    folder = tmp_path / "evidence"
    made = plan()
    put_training(folder, rows(300, wrong=20), side="base")
    put_training(folder, rows(300, wrong=21))
    Ledger().write(folder)
    verdict, comment = gate(folder, made)
    assert "Test set" not in comment
    assert "ledger.json" not in verdict.inputs
