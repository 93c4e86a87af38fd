"""Evidence, rules and verdicts that reports are rendered from, each with its usual values."""

from __future__ import annotations

from dataclasses import replace

from assay.config import Comment, Gate, Model, Severity, Task
from assay.evidence import (
    BaseSource,
    Change,
    Comparison,
    Curve,
    DataReport,
    Dataset,
    Details,
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


def with_rules(made: Report, *rules: Rule) -> Report:
    """The report, with other rules in its verdict."""
    return replace(made, verdict=made.verdict.model_copy(update={"rules": rules}))
