"""Five situations a reviewer meets, as evidence: what the golden comments are rendered from."""

from __future__ import annotations

from assay.config import Comment, Gate, Model, Severity, Task
from assay.evidence import (
    BaseSource,
    Change,
    Comparison,
    Curve,
    DataReport,
    Dataset,
    Details,
    Effect,
    Event,
    Finding,
    Lineage,
    ModelPlan,
    Outcome,
    Plan,
    Prediction,
    Proposed,
    Revision,
    Rows,
    Rule,
    StageRule,
    StageState,
    State,
    TestFailure,
    TestRun,
    Training,
    Verdict,
)
from assay.report.bundle import ModelEvidence, Report
from assay.report.history import Entry
from assay.verdict.sentence import sentence_of

MODEL = "doctor-visit"
HEAD, BASE, MERGE = "4f1d2c" + "a" * 34, "9b8e7d" + "b" * 34, "c0ffee" + "c" * 34
ROWS = 4038
BAD = (State.WORSE, State.NOT_MEASURED, State.INCONCLUSIVE)
EARLIER = (
    Entry(
        commit="d" * 40,
        run=101,
        attempt=1,
        state=Outcome.FAIL,
        sentence="Fail: accuracy of doctor-visit fell by 0.031.",
        metric="doctor-visit accuracy all",
        head=0.7712,
    ),
    Entry(
        commit="e" * 40,
        run=99,
        attempt=1,
        state=Outcome.WARN,
        sentence="Pass with warnings: recall of doctor-visit is inconclusive.",
        metric="doctor-visit accuracy all",
        head=0.7998,
    ),
)


def model_rules() -> Model:
    return Model(
        predictions="predictions.parquet",
        gates={"accuracy": Gate(margin=0.01), "roc_auc": Gate(margin=0.01)},
    )


def plan(**changes: object) -> Plan:
    event = Event(
        name="pull_request",
        repository="octo/churn",
        number=7,
        title="Use a smaller learning rate",
        author="octo",
        head_repository="octo/churn",
        head_branch="smaller-rate",
        base_branch="main",
        head_sha=HEAD,
        run_id=123,
        run_attempt=1,
        run_url="https://github.com/octo/churn/actions/runs/123",
        can_write=True,
    )
    made = Plan(
        event=event,
        head=Revision(commit=MERGE, tree="1" * 40),
        base=Revision(commit=BASE, tree="2" * 40),
        config_file="assay.yaml",
        config_rules_from="base",
        comment=Comment(),
        change=Change(
            files=3,
            code=("doctor_visit/train.py",),
            params=("params.yaml",),
            data=("dvc.lock",),
        ),
        models=(
            ModelPlan(
                name=MODEL,
                path=".",
                touched=True,
                reason="params.yaml changes",
                rules_from="base",
                rules=model_rules(),
            ),
        ),
    )
    return made.model_copy(update=changes)


def rule(metric: str, state: State, base: float, head: float, half: float, **more: object) -> Rule:
    higher = metric not in {"log_loss"}
    difference = (head - base) if higher else (base - head)
    values: dict[str, object] = {
        "model": MODEL,
        "metric": metric,
        "state": state,
        "base": base,
        "head": head,
        "difference": difference,
        "interval": (difference - half, difference + half * 1.05),
        "margin": 0.01,
        "higher_is_better": higher,
        "n": ROWS,
        "detectable": half * 1.43,
        "rows_needed": 5200,
        "gate": True,
        "severity": Severity.BLOCK if state in BAD else Severity.OFF,
        "decides": False,
    }
    return Rule.model_validate(values | more)


def information(metric: str, state: State, base: float, head: float, half: float) -> Rule:
    return rule(metric, state, base, head, half, gate=False, severity=Severity.OFF, margin=None)


def slice_rule(
    name: str, state: State, base: float, head: float, half: float, **more: object
) -> Rule:
    severity = Severity.WARN if state is State.WORSE else Severity.OFF
    extra: dict[str, object] = {"slice": name, "severity": severity, "n": 812}
    return rule("accuracy", state, base, head, half, **(extra | more))


def training(side: str, **changes: object) -> Training:
    is_base = side == "base"
    values: dict[str, object] = {
        "model": MODEL,
        "side": side,
        "state": StageState.PASSED,
        "command": "dvc repro",
        "cache_hit": is_base,
        "seconds": 2.4 if is_base else 31.7,
        "started": "2026-11-20T09:12:44Z",
        "source": BaseSource.DVC_OUTPUTS if is_base else None,
        "source_detail": "predictions.parquet of stage evaluate in the base's dvc.lock"
        if is_base
        else None,
        "source_age_seconds": 11_400.0 if is_base else None,
        "lineage": Lineage(
            commit=BASE if is_base else MERGE,
            tree=("2" if is_base else "1") * 40,
            dvc={"data:data/train.parquet": "5f" * 16, "code:doctor_visit/train.py": "6a" * 16},
            params={"train.learning_rate": "0.1" if is_base else "0.05", "train.trees": "200"},
            environment_kind="requirements",
            environment_digest="ab" * 32,
            python="3.11.7",
            seed=20,
            host="runner-4",
            platform="linux-x86_64",
        ),
        "predictions": Prediction(file="predictions.parquet", sha256="cd" * 32, bytes=91_204),
        "model_digest": ("1f" if is_base else "2f") * 32,
        "test_set_digest": "3f" * 32,
        "tracking": "run 6c1f at sqlite:///mlflow.db",
    }
    return Training.model_validate(values | changes)


def comparison(**changes: object) -> Comparison:
    made = Comparison(
        model=MODEL,
        task=Task.BINARY,
        positive="1",
        rows=Rows(joined=ROWS),
        small_slices={"plan=free": 31},
        details=Details(
            classes=("0", "1"),
            confusion_base=((1402, 411), (382, 1843)),
            confusion_head=((1431, 382), (371, 1854)),
            curves=(
                Curve(kind="roc", side="base", x=(0, 0.1, 0.4, 1), y=(0, 0.52, 0.86, 1)),
                Curve(kind="roc", side="head", x=(0, 0.1, 0.4, 1), y=(0, 0.55, 0.88, 1)),
                Curve(
                    kind="calibration",
                    side="base",
                    x=(0.1, 0.5, 0.9),
                    y=(0.13, 0.49, 0.86),
                    n=(901, 1811, 1326),
                ),
                Curve(
                    kind="calibration",
                    side="head",
                    x=(0.1, 0.5, 0.9),
                    y=(0.11, 0.5, 0.88),
                    n=(930, 1790, 1318),
                ),
            ),
            both_right=3102,
            base_only_right=143,
            head_only_right=183,
            neither_right=610,
            flipped_examples=("A-1088", "A-2210", "B-0017"),
        ),
    )
    return made.model_copy(update=changes)


def suite_run(**changes: object) -> TestRun:
    made = TestRun(
        model=MODEL,
        state=StageState.PASSED,
        command="python -m pytest",
        passed=23,
        skipped=1,
        seconds=6.4,
    )
    return made.model_copy(update=changes)


def data_report(*findings: Finding, **changes: object) -> DataReport:
    made = DataReport(
        model=MODEL,
        state=StageState.FAILED if findings else StageState.PASSED,
        datasets=(
            Dataset(
                name="train", file="data/train.parquet", rows=16_152, columns=14, sha256="a" * 64
            ),
            Dataset(name="test", file="data/test.parquet", rows=ROWS, columns=14, sha256="b" * 64),
        ),
        checks=tuple(f"check-{i}" for i in range(14)),
        findings=findings,
        schema_source="declared",
        seconds=0.6,
    )
    return made.model_copy(update=changes)


def verdict(
    state: Outcome,
    rules: tuple[Rule, ...],
    *,
    stages: tuple[StageRule, ...] = (),
    proposed: dict[str, Proposed] | None = None,
) -> Verdict:
    return Verdict(
        state=state,
        sentence=sentence_of(state, rules, stages),
        rules=rules,
        stages=stages,
        proposed=proposed or {},
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


def report(judged: Verdict, *, made: Plan | None = None, **model: object) -> Report:
    made = made or plan()
    values: dict[str, object] = {
        "plan": made.models[0],
        "tests": suite_run(),
        "data": data_report(),
        "head": training("head"),
        "base": training("base"),
        "comparison": comparison(),
    }
    return Report(
        plan=made,
        verdict=judged,
        models=(ModelEvidence(**(values | model)),),  # type: ignore[arg-type]
        history=EARLIER,
        reproduce=(
            "gh run download 123 --repo octo/churn --dir artifacts",
            "assay gate --artifacts artifacts",
        ),
        evidence_at="the artifact `assay-evidence-1` of this run",
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
    failures = ()
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
        tests=suite_run(failures=failures),
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


def broken_data() -> Report:
    findings = (
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
    stages = (
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
    failure = TestFailure(
        name="tests/test_data.py::test_ages",
        file="tests/test_data.py",
        line=31,
        message="AssertionError: 37 ages above 120\n\n>   assert too_old == 0\nE   assert 37 == 0",
    )
    rules = (
        rule("accuracy", State.NO_WORSE, 0.8036, 0.8011, 0.0061),
        rule("roc_auc", State.NO_WORSE, 0.8712, 0.8719, 0.0042),
    )
    return report(
        verdict(Outcome.FAIL, rules, stages=stages),
        data=data_report(*findings),
        tests=suite_run(state=StageState.FAILED, passed=22, failed=1, failures=(failure,)),
    )


SITUATIONS = {
    "pass": passing,
    "fail": failing,
    "inconclusive": inconclusive,
    "not-measured": not_measured,
    "broken-data": broken_data,
}
