"""What the stages before the comparison say: the consumer's tests, data checks, training."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Literal

from assay.config import Data, Model, Severity
from assay.evidence import DataReport, Finding, StageRule, StageState, TestRun, Training

SeverityOf = Callable[[Finding, Data], Severity]
Stage = Literal["tests", "data", "training"]


def stage_rules(
    model: str,
    rules: Model,
    *,
    tests: TestRun | None,
    data: DataReport | None,
    head: Training | None,
    severity_of: SeverityOf,
) -> list[StageRule]:
    """Return one rule for each stage or check that did not do what the rules ask of it.

    `severity_of` says what a finding of a data check does. What left no evidence counts as not
    done, never as done.
    """
    return [
        *_tests(model, rules, tests),
        *_data(model, rules, data, severity_of),
        *_training(model, head),
    ]


def _found(
    model: str,
    stage: Stage,
    severity: Severity,
    message: str,
    *,
    check: str | None = None,
    count: int | None = None,
) -> StageRule:
    return StageRule(
        model=model,
        stage=stage,
        check=check,
        severity=severity,
        message=message,
        count=count,
        decides=False,
    )


def _tests(model: str, rules: Model, run: TestRun | None) -> Iterator[StageRule]:
    if rules.tests is None or rules.tests.severity is Severity.OFF:
        return
    severity = rules.tests.severity
    if run is None:
        yield _found(model, "tests", severity, "the tests left no evidence")
    elif run.state is StageState.NOT_MEASURED:
        why = run.reason or "no reason was given"
        yield _found(model, "tests", severity, f"the tests did not run: {why}")
    elif run.failed or run.errors or run.state is StageState.FAILED:
        broken = run.failed + run.errors
        ran = broken + run.passed
        said = f"{broken:,} of {ran:,} tests failed" if broken else run.reason or "the tests failed"
        yield _found(model, "tests", severity, said, count=broken or None)
    elif run.passed == 0:
        yield _found(model, "tests", severity, "no test ran")


def _data(
    model: str, rules: Model, report: DataReport | None, severity_of: SeverityOf
) -> Iterator[StageRule]:
    if rules.data is None:
        return
    if report is None:
        yield _found(model, "data", Severity.BLOCK, "the data checks left no evidence")
        return
    if report.state is StageState.NOT_MEASURED:
        why = report.reason or "no reason was given"
        yield _found(model, "data", Severity.BLOCK, f"the data checks did not run: {why}")
        return
    findings = [(finding, severity_of(finding, rules.data)) for finding in report.findings]
    several = Counter((finding.source, finding.check) for finding, _ in findings)
    seen = set()
    for finding, severity in sorted(findings, key=lambda pair: _RANK[pair[1]]):
        key = (finding.source, finding.check)
        if severity is Severity.OFF or key in seen:
            continue
        seen.add(key)
        message = _worded(finding, others=several[key] - 1)
        yield _found(model, "data", severity, message, check=finding.check, count=finding.count)


def _worded(finding: Finding, *, others: int) -> str:
    """Say a finding so that it reads in the middle of a sentence: where, what, which check."""
    check = finding.check + (f", and {others:,} more of this check" if others else "")
    said = finding.message.rstrip(".")
    if finding.state == "not-run":
        return f"the data check {check} was asked for and did not run: {said}"
    for word in ("The ", "Every "):
        if said.startswith(word):
            said = word.lower() + said.removeprefix(word)
    columns = ", ".join(repr(name) for name in finding.columns[:_MOST_COLUMNS])
    dataset = finding.dataset.removeprefix("base/head ")
    # A finding about both train and test names them itself.
    dataset = "" if "/" in dataset else dataset
    where = " of ".join(part for part in (columns, dataset) if part)
    return (f"in {where}, " if where else "") + f"{said} ({check})"


_MOST_COLUMNS = 3
_RANK = {Severity.BLOCK: 0, Severity.WARN: 1, Severity.OFF: 2}


def _training(model: str, head: Training | None) -> Iterator[StageRule]:
    if head is None:
        yield _found(model, "training", Severity.BLOCK, "the training left no evidence")
    elif head.state is not StageState.PASSED:
        word = "failed" if head.state is StageState.FAILED else "did not run"
        why = head.reason or "no reason was given"
        yield _found(model, "training", Severity.BLOCK, f"the training {word}: {why}")
    elif head.reason:
        yield _found(model, "training", Severity.WARN, f"in the training, {head.reason}")
