"""From an evidence folder to the verdict: what is compared, what blocks, what is only said."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.config import Gate, Scalar, Severity
from assay.errors import InputError, IntegrityError
from assay.evidence import Comparison, Event, Outcome, Plan, Revision, StageRule, State, Verdict
from assay.gate.annotations import verdict_annotations
from assay.gate.judge import judge, replayable, write
from assay.gate.sides import compare_model
from support.evidence_folders import MODEL, plan, put_evidence, put_training, report_of, rows, rules


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "evidence"
    place.mkdir()
    return place


def warnings(verdict: Verdict) -> list[str]:
    return [
        stage.message
        for stage in verdict.stages
        if stage.stage == "comparison" and stage.severity is Severity.WARN
    ]


def test_a_better_head_passes_and_its_inputs_are_named(folder: Path) -> None:
    made = put_evidence(folder, base=rows(400, wrong=80), head=rows(400, wrong=20))
    models, verdict = judge(made, folder)
    assert verdict.state is Outcome.PASS
    assert verdict.rules[0].state is State.BETTER
    assert verdict.rules[0].n == 400
    assert set(verdict.inputs) == {
        "plan.json",
        f"{MODEL}/training.json",
        f"{MODEL}/comparison.json",
    }
    comparison = models[0].comparison
    assert comparison is not None
    assert {"training.json", "predictions.csv", "base/training.json", "base/predictions.csv"} <= (
        comparison.inputs.keys()
    )
    assert not list(folder.rglob("verdict.json")), "judging writes nothing"


def test_a_worse_head_fails_by_the_rule_that_decides(folder: Path) -> None:
    made = put_evidence(folder, base=rows(400, wrong=20), head=rows(400, wrong=120))
    _, verdict = judge(made, folder)
    assert verdict.state is Outcome.FAIL
    assert [rule.metric for rule in verdict.rules if rule.decides] == ["accuracy"]


def test_rows_that_the_head_dropped_are_a_warning_and_not_an_improvement(folder: Path) -> None:
    """The head is right on all it kept, because it left out what it gets wrong."""
    made = put_evidence(folder, base=rows(400, wrong=40), head=rows(400)[40:])
    _, verdict = judge(made, folder)
    assert verdict.rules[0].n == 360
    assert verdict.rules[0].state is not State.BETTER
    assert warnings(verdict) == ["40 of the base's test rows are missing on the head"]
    assert verdict.state is Outcome.WARN
    shown = report_of(made, folder)
    assert "360 test rows joined by id; 40 only on the base" in shown
    assert "The test set changed" in shown


def test_another_test_set_is_compared_on_common_ids_and_the_report_says_so(folder: Path) -> None:
    """Known by its digest even where every old row is still there."""
    made = plan()
    made.write(folder)
    put_training(folder, rows(300, wrong=30), side="base", test_set_digest="3" * 64)
    grown = [*rows(300, wrong=30), *rows(50, start=300)]
    put_training(folder, grown, side="head", test_set_digest="4" * 64)
    models, verdict = judge(made, folder)
    comparison = models[0].comparison
    assert comparison is not None
    assert comparison.rows is not None
    assert comparison.test_set_changed
    assert (comparison.rows.joined, comparison.rows.head_only) == (300, 50)
    assert verdict.rules[0].n == 300
    assert warnings(verdict) == []
    shown = report_of(made, folder)
    assert "300 test rows joined by id; 50 only on the head" in shown
    assert "**The test set changed**: only the rows on both sides are compared." in shown


def test_one_test_set_is_not_said_to_have_changed(folder: Path) -> None:
    made = plan()
    made.write(folder)
    for side in ("base", "head"):
        put_training(folder, rows(300, wrong=30), side=side, test_set_digest="3" * 64)
    models, _ = judge(made, folder)
    assert models[0].comparison is not None
    assert not models[0].comparison.test_set_changed
    assert "The test set changed" not in report_of(made, folder)


def test_rows_that_were_labelled_anew_are_counted(folder: Path) -> None:
    base = rows(300, wrong=30)
    anew = [(number, guess, guess) for number, _, guess in base]
    made = put_evidence(folder, base=base, head=anew)
    models, verdict = judge(made, folder)
    assert warnings(verdict) == ["30 test rows have another label on the head"]
    assert models[0].comparison is not None
    assert verdict.state is not Outcome.PASS


@pytest.mark.parametrize(
    ("base", "head", "said"),
    [
        (None, rows(50), "the base has no predictions: no remote"),
        (rows(50), None, "the head has no predictions: no remote"),
        (None, None, "the head has no predictions: no remote"),
    ],
)
def test_a_side_without_predictions_is_not_measured_and_blocks(
    folder: Path, base: list[tuple[int, int, int]], head: list[tuple[int, int, int]], said: str
) -> None:
    made = plan()
    made.write(folder)
    for side, found in (("base", base), ("head", head)):
        put_training(folder, found, side=side, reason=None if found else "no remote")
    models, verdict = judge(made, folder)
    assert models[0].comparison is not None
    assert models[0].comparison.not_measured == said
    assert verdict.state is Outcome.FAIL
    assert verdict.rules[0].state is State.NOT_MEASURED


def test_without_a_base_the_heads_own_values_are_shown(folder: Path) -> None:
    made = plan()
    made.write(folder)
    put_training(folder, rows(100, wrong=25))
    tried = ("stored outputs: no remote", "running it again: exit 1")
    put_training(folder, None, side="base", reason="; ".join(tried), tried=tried)
    models, verdict = judge(made, folder)
    rule = verdict.rules[0]
    assert (rule.head, rule.base, rule.interval, rule.state) == (
        0.75,
        None,
        None,
        State.NOT_MEASURED,
    )
    assert rule.reason == "the base has no predictions"
    assert verdict.state is Outcome.FAIL
    assert models[0].comparison is not None
    assert models[0].comparison.rows is None
    shown = report_of(made, folder)
    assert "| `accuracy` | – | 0.7500 | – | 0.05 | **not measured**, blocks |" in shown
    assert "- Tried running it again: exit 1.\n" in shown


def test_a_new_models_own_values_are_shown_and_only_warn(folder: Path) -> None:
    made = plan()
    new = made.models[0].model_copy(
        update={"rules_from": "head", "reason": "judged by its own rules: new"}
    )
    made = made.model_copy(update={"models": (new,)})
    made.write(folder)
    put_training(folder, rows(100, wrong=25))
    put_training(folder, None, side="base", reason="there is none")
    _, verdict = judge(made, folder)
    assert (verdict.rules[0].head, verdict.state) == (0.75, Outcome.WARN)
    assert verdict.sentence == (
        "Accuracy is not measured: the model is new: there is no base to compare with."
    )


def test_evidence_that_an_earlier_commit_left_behind_blocks(folder: Path) -> None:
    made = plan(event=Event(), head=Revision(commit="c" * 40, tree="9" * 40))
    made.write(folder)
    for side, tree in (("head", "1" * 40), ("base", "2" * 40)):
        put_training(folder, rows(100), side=side, lineage={"commit": "a" * 40, "tree": tree})
    _, verdict = judge(made, folder)
    assert verdict.state is Outcome.FAIL
    (stale,) = (stage.message for stage in verdict.stages if stage.stage == "training")
    assert stale == (
        "the head's training is of another commit than the plan's (ccccccc): "
        "run `assay train --side head` again"
    )


def test_what_blocks_is_annotated_with_the_sentence_it_would_decide_with(folder: Path) -> None:
    made = put_evidence(folder, base=rows(400, wrong=20), head=rows(400, wrong=120))
    _, verdict = judge(made, folder)
    (shown,) = verdict_annotations(verdict)
    assert (shown.level, shown.title) == ("error", f"{MODEL}: accuracy")
    assert shown.message == verdict.sentence


def test_a_job_that_left_nothing_is_not_measured_and_blocks(folder: Path) -> None:
    made = plan()
    made.write(folder)
    _, verdict = judge(made, folder)
    assert verdict.state is Outcome.FAIL
    assert "the head left no evidence" in (verdict.rules[0].reason or "")


def test_files_that_cannot_be_compared_are_not_measured_without_this_machines_paths(
    folder: Path,
) -> None:
    made = put_evidence(folder, base=rows(50), head=[*rows(50), *rows(1)])
    models, verdict = judge(made, folder)
    assert models[0].comparison is not None
    said = models[0].comparison.not_measured or ""
    assert said
    assert folder.as_posix() not in said
    assert verdict.state is Outcome.FAIL


@pytest.mark.parametrize("side", ["", "base"])
def test_predictions_that_were_changed_after_training_are_refused(folder: Path, side: str) -> None:
    made = put_evidence(folder, base=rows(50), head=rows(50))
    file = folder / MODEL / side / "predictions.csv"
    file.write_text(file.read_text() + "999,1,1\n")
    with pytest.raises(IntegrityError, match="SHA-256 differs"):
        judge(made, folder)
    file.unlink()
    with pytest.raises(IntegrityError, match="changed or lost"):
        judge(made, folder)


def test_predictions_outside_the_folder_are_refused(folder: Path) -> None:
    """A training from a stranger names any file it likes."""
    put_evidence(folder, base=rows(50), head=rows(50))
    head = put_training(folder, rows(50))
    assert head.predictions is not None
    outside = head.predictions.model_copy(update={"file": "base/predictions.csv"})
    head.model_copy(update={"predictions": outside}).write(folder / MODEL)
    with pytest.raises(IntegrityError):
        compare_model(plan().models[0], folder / MODEL)


def test_what_the_audit_says_blocks_whatever_the_numbers_are(folder: Path) -> None:
    made = put_evidence(folder, base=rows(400, wrong=80), head=rows(400, wrong=20))
    _, verdict = judge(made, folder, audit=("The job `model` was cancelled.",))
    assert verdict.state is Outcome.FAIL
    assert verdict.stages[0] == StageRule(
        model="",
        stage="gate",
        severity=Severity.BLOCK,
        message="The job `model` was cancelled.",
        decides=True,
    )


def test_a_model_that_is_not_touched_is_not_compared(folder: Path) -> None:
    made = plan(touched=False)
    models, verdict = judge(made, folder)
    assert models[0].comparison is None
    assert verdict.state is Outcome.PASS


def test_scalars_of_metric_files_are_compared_without_predictions(folder: Path) -> None:
    scalar = Scalar(file="m.json", key="auc", tolerance=0.01)
    made = plan(judged_by=rules(scalars={"auc": scalar}))
    put_training(folder, None, side="base", scalars={"auc": 0.8})
    put_training(folder, None, side="head", scalars={"auc": 0.7})
    models, _ = judge(made, folder)
    assert models[0].comparison is not None
    measured = models[0].comparison.measurements[-1]
    assert (measured.base, measured.head, measured.has_interval) == (0.8, 0.7, False)


def test_what_was_judged_is_written_as_it_was(folder: Path) -> None:
    made = put_evidence(folder, base=rows(200, wrong=30), head=rows(200, wrong=20))
    models, verdict = judge(made, folder)
    write(folder, made, models, verdict)
    assert Verdict.read(folder) == verdict
    assert Comparison.read(folder / MODEL) == models[0].comparison
    assert judge(made, folder) == (models, verdict), "judging again changes nothing"


def test_a_folder_without_a_plan_says_how_to_make_one(folder: Path) -> None:
    with pytest.raises(InputError, match="assay plan"):
        replayable(folder)
    (folder / "plan.json").write_text("{")
    with pytest.raises(IntegrityError):
        replayable(folder)
    gates = {"accuracy": Gate(margin=0.05)}
    assert replayable_after_writing(folder).models[0].rules.gates == gates


def replayable_after_writing(folder: Path) -> Plan:
    plan().write(folder)
    return replayable(folder)
