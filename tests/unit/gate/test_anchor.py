"""The anchor: small losses that each pass against the base, seen together."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.config import Gate, Model, Severity
from assay.evidence import (
    Comparison,
    Outcome,
    Plan,
    PlannedAnchor,
    Revision,
    State,
    Verdict,
)
from assay.gate.annotations import verdict_annotations
from assay.gate.judge import judge, write
from assay.gate.replay import replay_differences
from assay.gate.verify import verify
from support.evidence_folders import MODEL, plan, put_training, report_of, rows, rules

ROWS = 20_000
STEP = 80
"""Rows that each pull request loses: 0.4 points of accuracy."""
VERSION = Revision(commit="c" * 40, tree="3" * 40)


def anchored_plan(missing: str | None = None, **anchor: object) -> Plan:
    asked = rules(gates={"accuracy": Gate(margin=0.01)}, anchor={"ref": "v1.2.0", **anchor})
    made = plan(judged_by=asked)
    found = PlannedAnchor(name="v1.2.0", revision=None if missing else VERSION, missing=missing)
    planned = made.models[0].model_copy(update={"anchor": found})
    return made.model_copy(update={"models": (planned,)})


def evidence(folder: Path, made: Plan, *, anchor: int, base: int, head: int) -> None:
    made.write(folder)
    put_training(folder, rows(ROWS, wrong=anchor), side="anchor")
    put_training(folder, rows(ROWS, wrong=base), side="base")
    put_training(folder, rows(ROWS, wrong=head))


def test_ten_losses_within_the_margin_pass_one_by_one_and_the_anchor_sees_them(
    tmp_path: Path,
) -> None:
    made, start = anchored_plan(), 2000
    against_base, against_anchor, outcomes = [], [], []
    for step in range(1, 11):
        folder = tmp_path / str(step)
        before, after = start + STEP * (step - 1), start + STEP * step
        evidence(folder, made, anchor=start, base=before, head=after)
        _, verdict = judge(made, folder)
        against_base.append(verdict.rules[0].state)
        against_anchor.append(verdict.anchored[0].state)
        outcomes.append(verdict.state)
    assert against_base == [State.NO_WORSE] * 10
    assert against_anchor[:2] == [State.NO_WORSE, State.NO_WORSE]
    assert against_anchor[2:] == [State.WORSE] * 8
    assert outcomes == [Outcome.PASS] * 2 + [Outcome.WARN] * 8


def test_the_report_has_a_table_of_its_own_and_says_what_the_steps_add_up_to(
    tmp_path: Path,
) -> None:
    made = anchored_plan()
    evidence(tmp_path, made, anchor=2000, base=2720, head=2800)
    shown = report_of(made, tmp_path)
    _, verdict = judge(made, tmp_path)
    assert "**Against v1.2.0** (`ccccccc`), 20,000 test rows" in shown
    assert "Each step was within the margin; together they are not." in shown
    assert verdict.sentence.startswith(
        "Accuracy is no worse, but accuracy is worse than at v1.2.0: 0.9000 to 0.8600"
    )
    assert {rule.against for rule in verdict.rules} == {"base"}
    rule = verdict.anchored[0]
    assert (rule.against, rule.anchor, rule.severity) == ("anchor", "v1.2.0", Severity.WARN)
    assert [note.level for note in verdict_annotations(verdict)] == ["warning"]


def test_the_evidence_with_an_anchor_verifies_and_replays(tmp_path: Path) -> None:
    made = anchored_plan()
    evidence(tmp_path, made, anchor=2000, base=2720, head=2800)
    models, verdict = judge(made, tmp_path)
    write(tmp_path, made, models, verdict)
    kept = Comparison.read(tmp_path / MODEL / "anchor")
    assert set(kept.inputs) == {
        "training.json", "predictions.csv", "../training.json", "../predictions.csv"
    }  # fmt: skip
    assert f"{MODEL}/anchor/comparison.json" in verdict.inputs
    verify(tmp_path)
    assert "byte for byte" in replay_differences(tmp_path)


def test_an_anchor_can_block_and_then_counts_among_what_blocks(tmp_path: Path) -> None:
    warns, blocks = anchored_plan(), anchored_plan(severity="block")
    evidence(tmp_path, warns, anchor=2000, base=2720, head=2800)
    alone = judge(warns, tmp_path)[1]
    together = judge(blocks, tmp_path)[1]
    assert (alone.state, together.state) == (Outcome.WARN, Outcome.FAIL)
    assert alone.rules[0].p_adjusted == alone.rules[0].p_worse
    assert together.anchored[0].p_adjusted == pytest.approx(
        min(1.0, 2 * (together.anchored[0].p_worse or 0.0))
    )


def test_a_gate_that_only_warns_does_not_block_against_the_anchor(tmp_path: Path) -> None:
    made = anchored_plan(severity="block")
    asked = made.models[0].rules.model_copy(
        update={"gates": {"accuracy": Gate(margin=0.01, severity=Severity.WARN)}}
    )
    planned = made.models[0].model_copy(update={"rules": asked})
    made = made.model_copy(update={"models": (planned,)})
    evidence(tmp_path, made, anchor=2000, base=2720, head=2800)
    assert judge(made, tmp_path)[1].anchored[0].severity is Severity.WARN


def test_margins_of_its_own_are_those_of_the_anchor_alone(tmp_path: Path) -> None:
    made = anchored_plan(margins={"accuracy": 0.06})
    evidence(tmp_path, made, anchor=2000, base=2720, head=2800)
    _, verdict = judge(made, tmp_path)
    assert (verdict.rules[0].margin, verdict.anchored[0].margin) == (0.01, 0.06)
    assert (verdict.anchored[0].state, verdict.state) == (State.NO_WORSE, Outcome.PASS)


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ("git knows no v1.2.0 here", "git knows no v1.2.0 here"),
        (None, "the anchor has no predictions: no credentials"),
    ],
)
def test_an_anchor_that_cannot_be_had_is_not_measured_and_warns(
    tmp_path: Path, missing: str | None, said: str
) -> None:
    made = anchored_plan(missing, severity="block")
    made.write(tmp_path)
    put_training(tmp_path, None, side="anchor", reason="no credentials")
    put_training(tmp_path, rows(ROWS, wrong=2000), side="base")
    put_training(tmp_path, rows(ROWS, wrong=2000))
    _, verdict = judge(made, tmp_path)
    rule = verdict.anchored[0]
    assert (rule.state, rule.severity, rule.reason) == (State.NOT_MEASURED, Severity.WARN, said)
    assert verdict.state is Outcome.WARN
    assert f"**Against v1.2.0**{'' if missing else ' (`ccccccc`)'}: not measured: {said}." in (
        report_of(made, tmp_path)
    )


def test_an_anchor_whose_evidence_is_absent_is_not_measured(tmp_path: Path) -> None:
    made = anchored_plan()
    made.write(tmp_path)
    put_training(tmp_path, rows(100), side="base")
    put_training(tmp_path, rows(100))
    _, verdict = judge(made, tmp_path)
    assert verdict.anchored[0].reason == "the anchor left no evidence of its training"


def test_without_an_anchor_nothing_is_compared_with_one(tmp_path: Path) -> None:
    made = plan()
    made.write(tmp_path)
    put_training(tmp_path, rows(400, wrong=10), side="anchor")
    put_training(tmp_path, rows(400, wrong=20), side="base")
    put_training(tmp_path, rows(400, wrong=20))
    models, verdict = judge(made, tmp_path)
    write(tmp_path, made, models, verdict)
    assert (models[0].anchored, verdict.anchored) == (None, ())
    assert not (tmp_path / MODEL / "anchor" / Comparison.FILE).exists()
    assert "Against" not in report_of(made, tmp_path)
    assert Verdict.read(tmp_path) == verdict


def test_the_configuration_refuses_what_no_anchor_can_be() -> None:
    def model(**anchor: object) -> Model:
        return rules(anchor={"ref": "v1", **anchor})

    for wrong, said in (
        ({"ref": "--upload-pack=x"}, "pattern"),
        ({"ref": "v1..v2 x"}, "pattern"),
        ({"tag": "v*"}, "tag is for ref: latest-release"),
        ({"margins": {"recall": 0.1}}, "no gate is on recall"),
        ({"margins": {"accuracy": 0.0}}, "greater than 0"),
        ({"margins": {"accuracy": 1.0}}, "lets every accuracy pass"),
        ({"severity": "loud"}, "severity"),
    ):
        with pytest.raises(ValueError, match=said):
            model(**wrong)
