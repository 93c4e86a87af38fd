"""Measurements and models as a verdict takes them, and verdicts over them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from assay.config import Data, Gate, Model, Severity
from assay.evidence import (
    Comparison,
    DataReport,
    Finding,
    Measurement,
    ModelPlan,
    Rule,
    StageRule,
    StageState,
    TestRun,
    Training,
    Verdict,
)
from assay.verdict import decide, decide_comparison

POINT = Gate(margin=0.01)
WORSE = {"low": -0.05, "high": -0.02, "p": 1e-6}


def measured(
    metric: str = "accuracy",
    low: float = -0.005,
    high: float = 0.005,
    *,
    p: float = 0.5,
    where: str = "all",
    **more: Any,
) -> Measurement:
    """A metric of base and head whose difference has this interval."""
    difference = (low + high) / 2
    values: dict[str, Any] = {
        "metric": metric,
        "slice": where,
        "base": 0.8,
        "head": 0.8 + difference,
        "difference": difference,
        "interval": (low, high),
        "p_worse": p,
        "n": 1000,
    }
    return Measurement(**{**values, **more})


def comparison(*measurements: Measurement, **more: Any) -> Comparison:
    """What the comparison of the model measured."""
    return Comparison(model="churn", measurements=measurements, **more)


def alone(*measurements: Measurement, gates: dict[str, Gate], **more: Any) -> Verdict:
    """The verdict of a comparison alone, without its stages."""
    return decide_comparison(comparison(*measurements), gates=gates, **more)


def only(verdict: Verdict) -> Rule:
    """The one rule of a verdict."""
    assert len(verdict.rules) == 1
    return verdict.rules[0]


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What a gate read of one model."""

    plan: ModelPlan
    tests: TestRun | None = None
    data: DataReport | None = None
    head: Training | None = None
    base: Training | None = None
    comparison: Comparison | None = None


def rules(**more: Any) -> Model:
    """A model of the configuration, with one gate."""
    values: dict[str, Any] = {"predictions": "p.parquet", "gates": {"accuracy": POINT}}
    return Model.model_validate({**values, **more})


def evidence(judged_by: Model | None = None, **more: Any) -> Evidence:
    """A model whose stages all passed, where nothing else is said."""
    judged_by = judged_by or rules()
    plan: dict[str, Any] = {
        "name": "churn",
        "path": ".",
        "touched": True,
        "reason": "r",
        "rules_from": "base",
        "rules": judged_by,
    }
    plan.update(more.pop("plan", {}))
    values: dict[str, Any] = {
        "plan": ModelPlan(**plan),
        "tests": TestRun(model="churn", state=StageState.PASSED, command="pytest", passed=3),
        "head": Training(model="churn", side="head", state=StageState.PASSED),
        "comparison": comparison(measured()),
    }
    return Evidence(**{**values, **more})


def severity_of(finding: Finding, _: Data) -> Severity:
    """What the three data checks of these tests weigh."""
    return {"missing": Severity.WARN, "ranges": Severity.BLOCK, "quiet": Severity.OFF}[
        finding.check
    ]


def run(*models: Evidence, stages: tuple[StageRule, ...] = ()) -> Verdict:
    """The verdict over whole models."""
    return decide(models, severity_of=severity_of, stages=stages)


def finding(check: str, count: int = 3) -> Finding:
    """What a data check found in training."""
    return Finding(check=check, dataset="train", message=f"{count} rows", count=count)
