"""Looks at production, and configurations of what is watched, as the tests of alerts use them."""

from __future__ import annotations

from typing import Any

from assay.alerting.news import Told
from assay.alerting.rules import watched
from assay.config import Config, Severity, parse_config
from assay.evidence import Effect, Heartbeat, Look, Outcome, Problem, ProblemKind, Rule, State
from assay.evidence.monitoring import Coverage, Drift, LabelFeed, Quality, Window
from assay.state import Entry

DIGEST = "4f2a" * 16
MODEL = "churn"
PSI = Effect(name="psi", value=0.31, threshold=0.2)
CONFIG = """\
version: 1
models:
  churn:
    predictions: predictions.parquet
    gates: {f1: {margin: 0.01}}
    artifact: model
    delivery: {targets: [production]}
    monitoring:
      logs: {source: "predictions/**/*.parquet"}
      labels: {source: labels.csv}
      quality: {f1: {margin: 0.03}}
      alerts: {owner: OWNER, runbook: "https://example.com/runbooks/churn"}
delivery:
  targets: {production: {kind: local, metrics_port: 9901}}
"""


def config(text: str = CONFIG, *, owner: str = "churn team") -> Config:
    """Return the configuration of one watched model."""
    quoted = '"' + owner.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return parse_config(text.replace("OWNER", quoted), file="assay.yaml")


def problem(
    kind: ProblemKind = ProblemKind.QUALITY,
    subject: str = "f1",
    *,
    severity: Severity = Severity.BLOCK,
    sentence: str = "f1 fell by 0.06 [0.04, 0.08], more than 0.03.",
    since: str = "2026-03-08T10:00:00Z",
    step: str = "",
    command: str = "",
) -> Problem:
    """Return one problem."""
    return Problem(
        kind=kind,
        subject=subject,
        severity=severity,
        sentence=sentence,
        step=step,
        command=command,
        since=since,
    )


def look(*problems: Problem, **fields: Any) -> Look:
    """Return a look with a settled and a provisional window, and these problems."""
    settled = Window(
        start="2026-03-01T00:00:00Z",
        end="2026-03-02T00:00:00Z",
        complete=True,
        predictions=1000,
        versions={DIGEST: 1000},
        coverage=Coverage(labelled=910, delay_median=86_400, delay_90=500_000, provisional=False),
        quality=(Quality(metric="f1", value=0.81, interval=(0.79, 0.83), n=910),),
    )
    newest = settled.model_copy(
        update={
            "start": "2026-03-08T00:00:00Z",
            "end": "2026-03-09T00:00:00Z",
            "predictions": 1200,
            "coverage": Coverage(labelled=30, provisional=True),
            "quality": (Quality(metric="f1", n=30, reason="too few labels"),),
        }
    )
    worst = Outcome.PASS
    if problems:
        blocks = any(one.severity is Severity.BLOCK for one in problems)
        worst = Outcome.FAIL if blocks else Outcome.WARN
    return Look.model_validate(
        {
            "model": MODEL,
            "at": "2026-03-09T10:00:00Z",
            "version": DIGEST,
            "windows": (settled, newest),
            "labels": LabelFeed(
                known=910, new=30, corrected=2, contradictory=1, duplicates=0, orphans=4
            ),
            "rules": (_rule(worse=bool(problems)),),
            "drift": (
                Drift(column="age", role="feature", effects=(PSI,), moved=True, cost=0.01),
                Drift(column="plan", role="feature", effects=(), moved=False),
            ),
            "heartbeats": (
                Heartbeat(
                    name="log", last="2026-03-09T09:59:00Z", silent_after=7200.0, silent=False
                ),
            ),
            "problems": problems,
            "state": worst,
            "sentence": problems[0].sentence if problems else "Nothing is worse.",
            **fields,
        }
    )


def _rule(*, worse: bool) -> Rule:
    return Rule(
        model=MODEL,
        metric="f1",
        gate=True,
        severity=Severity.BLOCK,
        decides=worse,
        state=State.WORSE if worse else State.NO_WORSE,
        base=0.87,
        head=0.81,
        difference=-0.06,
        interval=(-0.08, -0.04),
        margin=0.03,
        n=910,
    )


def told(found: Look, *silences: Entry) -> Told:
    """Return what is told of a look, with the configuration above."""
    [one] = watched(config())
    return Told(look=found, alerts=one.alerts, target=one.target, silences=silences)
