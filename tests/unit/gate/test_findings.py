"""What no rule of the configuration speaks of, and must not pass unseen all the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from assay.config import Config, parse_config
from assay.evidence import Event, Outcome, Plan, StageState, State, TestRun, Training, Verdict
from assay.gate.judge import judge
from assay.gate.run import Request, run_gate
from assay.git import Revision
from assay.github.settings import Settings
from assay.training.outputs import keep_predictions
from assay.training.plan import Ends, make_plan

CONFIG = """\
version: 1
models:
  churn: {path: churn, predictions: p.csv, gates: {accuracy: {margin: 0.01}}}
  fraud: {path: fraud, predictions: p.csv, gates: {accuracy: {margin: 0.01}}}
"""
HEAD, BASE = (Revision(commit=one * 40, tree=one * 40) for one in "ab")


def planned(head: str, *, base: str | None = CONFIG, event: str = "pull_request") -> Plan:
    config: Config = parse_config(head)
    ends = Ends(head=HEAD, base=BASE) if base else Ends(head=HEAD, why_no_base="git knows none")
    return make_plan(
        Event(name=event),
        ends,
        config_file="assay.yaml",
        head_config=config,
        base_config_text=base,
        changed_paths=["assay.yaml"],
    )


def without(name: str) -> str:
    return "\n".join(line for line in CONFIG.splitlines() if f"  {name}:" not in line)


def test_a_model_that_the_change_removes_warns(tmp_path: Path) -> None:
    _, verdict = judge(planned(without("fraud")), tmp_path)
    assert verdict.state is Outcome.WARN
    (found,) = (rule for rule in verdict.stages if rule.stage == "plan")
    assert (found.model, found.decides) == ("fraud", True)
    assert "the change removes it" in found.message


def test_a_model_under_a_new_name_and_place_is_new_and_the_old_one_removed(tmp_path: Path) -> None:
    moved = CONFIG.replace("fraud: {path: fraud", "scam: {path: scam")
    _, verdict = judge(planned(moved), tmp_path)
    found = {(rule.model, rule.stage) for rule in verdict.stages}
    assert ("fraud", "plan") in found
    assert ("scam", "training") in found
    assert verdict.state is Outcome.FAIL


@pytest.mark.parametrize(
    ("event", "blocks"),
    [("pull_request", True), ("merge_group", True), ("push", False), ("local", False)],
)
def test_a_proposal_without_a_base_is_not_judged_by_its_own_rules(
    tmp_path: Path, event: str, blocks: bool
) -> None:
    plan = planned(without("fraud"), base=None, event=event)
    evidence(tmp_path, head=ROWS)
    (tmp_path / "churn" / "base" / "training.json").unlink()
    _, verdict = judge(plan, tmp_path)
    assert verdict.state is (Outcome.FAIL if blocks else Outcome.WARN)


ROWS = [
    (number, number % 2, number % 2 if number % 10 else 1 - number % 2) for number in range(400)
]
"""(id, label, prediction): nine of ten are right."""


def evidence(
    folder: Path,
    *,
    head: list[tuple[int, int, int]],
    test_sets: tuple[str | None, str | None] = (None, None),
) -> None:
    """Leave what the jobs of churn leave."""
    for place, side, rows, digest in (
        (folder / "churn" / "base", "base", ROWS, test_sets[0]),
        (folder / "churn", "head", head, test_sets[1]),
    ):
        source = folder / f"{side}.csv"
        lines = [f"{number},{label},{prediction}" for number, label, prediction in rows]
        source.write_text("\n".join(["id,label,prediction", *lines]) + "\n")
        fields: dict[str, Any] = {"model": "churn", "side": side, "test_set_digest": digest}
        kept = keep_predictions(source, place)
        Training(**fields, state=StageState.PASSED, predictions=kept).write(place)
    TestRun(model="churn", state=StageState.PASSED, command="pytest", passed=3).write(
        folder / "churn"
    )


def judged(folder: Path) -> Verdict:
    return judge(touched(), folder)[1]


def touched() -> Plan:
    """The plan of a change that touches churn, the only model."""
    plan = planned(without("fraud"), base=without("fraud"))
    return plan.model_copy(
        update={"models": tuple(m.model_copy(update={"touched": True}) for m in plan.models)}
    )


def test_the_same_predictions_pass(tmp_path: Path) -> None:
    evidence(tmp_path, head=ROWS)
    assert judged(tmp_path).state is Outcome.PASS


@pytest.mark.parametrize("test_sets", [(None, None), ("same", "same"), ("same", None)])
def test_a_head_that_rewrites_labels_to_what_it_predicts_wins_nothing(
    tmp_path: Path, test_sets: tuple[str | None, str | None]
) -> None:
    worse = [(number, label, 1 - label if number % 4 == 0 else label) for number, label, _ in ROWS]
    cheated = [(number, prediction, prediction) for number, _, prediction in worse]
    evidence(tmp_path, head=cheated, test_sets=test_sets)
    verdict = judged(tmp_path)
    (accuracy,) = (rule for rule in verdict.rules if rule.metric == "accuracy")
    assert accuracy.state is State.WORSE
    assert verdict.state is Outcome.FAIL
    assert "another label on the head" in verdict.stages[0].message


def test_labels_of_a_test_set_that_changed_are_the_heads_and_warn(tmp_path: Path) -> None:
    corrected = [(number, 1 - label if number % 50 == 0 else label, p) for number, label, p in ROWS]
    evidence(tmp_path, head=corrected, test_sets=("old", "new"))
    verdict = judged(tmp_path)
    assert verdict.state is Outcome.WARN
    (accuracy,) = (rule for rule in verdict.rules if rule.metric == "accuracy")
    right = sum(label == prediction for _, label, prediction in corrected)
    assert (accuracy.base, accuracy.head) == (right / 400, right / 400)


@pytest.mark.parametrize(
    ("test_sets", "expected"),
    [
        (("same", "same"), Outcome.FAIL),
        (("old", "new"), Outcome.WARN),
        ((None, None), Outcome.WARN),
    ],
)
def test_rows_that_the_head_leaves_out_are_never_a_plain_pass(
    tmp_path: Path, test_sets: tuple[str | None, str | None], expected: Outcome
) -> None:
    only_right = [row for row in ROWS if row[1] == row[2]]
    evidence(tmp_path, head=only_right, test_sets=test_sets)
    verdict = judged(tmp_path)
    assert verdict.state is expected
    assert "40 of the base's test rows are missing on the head" in verdict.stages[0].message


def test_what_another_run_left_on_the_runner_is_no_evidence(tmp_path: Path) -> None:
    plan = touched()
    left, brought = tmp_path / "evidence", tmp_path / "artifacts"
    left.mkdir()
    evidence(left, head=ROWS)
    plan.write(brought / "assay-plan-1")
    request = Request(evidence=left, artifacts=brought)
    done = run_gate(request, Settings(in_actions=True, event=plan.event), say=lambda _: None)
    assert done.verdict.state is Outcome.FAIL
    assert not (left / "churn" / "tests.json").exists()
