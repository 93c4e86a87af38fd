"""Five situations a reviewer meets, as reports: what the golden comments are rendered from."""

from __future__ import annotations

from assay.config import Severity
from assay.evidence import (
    BaseSource,
    Comparison,
    Effect,
    Finding,
    Outcome,
    Proposed,
    Rows,
    Rule,
    StageRule,
    StageState,
    State,
    TestFailure,
)
from assay.report.bundle import Report
from support.reports import (
    MODEL,
    comparison,
    data_report,
    information,
    plan,
    report,
    rule,
    slice_rule,
    suite_run,
    training,
    verdict,
)

SLICES = (
    slice_rule("plan=basic", State.NO_WORSE, 0.801, 0.806, 0.011),
    slice_rule("plan=full", State.BETTER, 0.7901, 0.8124, 0.0154),
    slice_rule("health=poor", State.INCONCLUSIVE, 0.744, 0.731, 0.0391, n=96),
)
INFORMATION = (
    information("precision", State.NO_WORSE, 0.8177, 0.8292, 0.0124),
    information("recall", State.NO_WORSE, 0.8283, 0.8333, 0.0098),
    information("log_loss", State.BETTER, 0.4412, 0.4301, 0.0061),
)


def passing() -> Report:
    rules = (
        rule("accuracy", State.BETTER, 0.8036, 0.8135, 0.0088),
        rule("roc_auc", State.NO_WORSE, 0.8712, 0.8719, 0.0042),
        *INFORMATION,
        *SLICES,
    )
    return report(verdict(Outcome.PASS, rules))


def failing() -> Report:
    rules = (
        rule(
            "accuracy",
            State.WORSE,
            0.8036,
            0.7784,
            0.0093,
            decides=True,
            flags=("exceeds_margin",),
            p_worse=1.3e-7,
            p_adjusted=2.6e-7,
        ),
        rule("roc_auc", State.NO_WORSE, 0.8712, 0.8688, 0.0042, flags=("small_loss",)),
        *INFORMATION,
        slice_rule("health=poor", State.WORSE, 0.744, 0.652, 0.0611, n=96),
        slice_rule("plan=basic", State.WORSE, 0.801, 0.7712, 0.0181),
    )
    made = plan()
    proposed = Proposed(
        state=Outcome.PASS, changes=("gates.accuracy.margin: 0.01 → 0.05",), rules=()
    )
    changed = made.change.model_copy(update={"config": ("assay.yaml",)})
    return report(
        verdict(Outcome.FAIL, rules, proposed={MODEL: proposed}),
        made=made.model_copy(update={"change": changed}),
    )


def inconclusive() -> Report:
    rules = (
        rule("accuracy", State.NO_WORSE, 0.8036, 0.8041, 0.0081),
        rule(
            "recall",
            State.INCONCLUSIVE,
            0.7142,
            0.6938,
            0.0411,
            severity=Severity.WARN,
            decides=True,
            reason="the interval reaches beyond the margin",
            rows_needed=61_000,
        ),
        rule(
            "precision",
            State.INCONCLUSIVE,
            0.5,
            0.4286,
            0.31,
            severity=Severity.WARN,
            reason="too few positives: 14 of at least 20",
            rows_needed=None,
        ),
    )
    return report(
        verdict(Outcome.WARN, rules),
        comparison=comparison(
            rows=Rows(
                joined=4030,
                base_only=8,
                base_only_examples=("A-1", "A-2", "A-3", "A-4"),
                head_only=2,
                head_only_examples=("B-1", "B-2"),
            ),
            test_set_changed=True,
        ),
    )


def not_measured() -> Report:
    reason = "the base has no predictions"
    tried = (
        "stored outputs: dvc pull found no credentials for the remote 'storage'",
        "earlier evidence: none was found for the base's tree",
        "running it again: the training command ended with exit code 255",
    )
    rules = tuple(
        Rule(
            model=MODEL,
            metric=metric,
            state=State.NOT_MEASURED,
            reason=reason,
            head=head,
            margin=0.01,
            gate=True,
            severity=Severity.BLOCK,
            decides=True,
        )
        for metric, head in (("accuracy", 0.8135), ("roc_auc", 0.8719))
    )
    return report(
        verdict(Outcome.FAIL, rules),
        base=training(
            "base",
            state=StageState.NOT_MEASURED,
            source=BaseSource.NONE,
            source_age_seconds=None,
            predictions=None,
            reason="; ".join(tried),
            tried=tried,
        ),
        comparison=Comparison(model=MODEL, not_measured=reason),
    )


FINDINGS = (
    Finding(
        check="rule:age_is_plausible",
        dataset="train",
        columns=("age",),
        count=37,
        share=37 / 16_152,
        rows=("A-1088", "A-1091", "A-1092", "A-2210", "B-0017"),
        message="rows where age BETWEEN 0 AND 120 is not true",
    ),
    Finding(
        check="drift",
        dataset="base/head train",
        columns=("income",),
        message="the distribution moved",
        effects=(Effect(name="psi", value=0.3127, threshold=0.2),),
        p_adjusted=1e-12,
    ),
    Finding(
        check="duplicates",
        dataset="train",
        count=12,
        share=12 / 16_152,
        rows=("A-7", "A-8"),
        message="rows equal to an earlier row",
    ),
)
STAGES = (
    StageRule(
        model=MODEL,
        stage="data",
        check="rule:age_is_plausible",
        severity=Severity.BLOCK,
        message="37 rows of train break age_is_plausible",
        count=37,
        decides=True,
    ),
    StageRule(
        model=MODEL,
        stage="data",
        check="drift",
        severity=Severity.WARN,
        message="income drifted",
        decides=False,
    ),
    StageRule(
        model=MODEL,
        stage="tests",
        severity=Severity.BLOCK,
        message="1 of 24 tests failed",
        count=1,
        decides=True,
    ),
)
FAILED = TestFailure(
    name="tests/test_data.py::test_ages",
    file="tests/test_data.py",
    line=31,
    message="AssertionError: 37 ages above 120\n\n>   assert too_old == 0\nE   assert 37 == 0",
)


def broken_data() -> Report:
    rules = (
        rule("accuracy", State.NO_WORSE, 0.8036, 0.8011, 0.0061),
        rule("roc_auc", State.NO_WORSE, 0.8712, 0.8719, 0.0042),
    )
    return report(
        verdict(Outcome.FAIL, rules, stages=STAGES),
        data=data_report(*FINDINGS),
        tests=suite_run(state=StageState.FAILED, passed=22, failed=1, failures=(FAILED,)),
    )


SITUATIONS = {
    "pass": passing,
    "fail": failing,
    "inconclusive": inconclusive,
    "not-measured": not_measured,
    "broken-data": broken_data,
}
