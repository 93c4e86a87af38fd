"""What the stages before the comparison say: data checks, tests, and what changed."""

from __future__ import annotations

from assay.config import Severity
from assay.evidence import DataReport, Finding, StageRule, StageState, TestFailure, TestRun
from assay.report import numbers, words
from assay.report.bundle import ModelEvidence, Report
from assay.report.escape import block, cell_code, code, text
from assay.report.table import and_more, bullets, paragraphs, table

MOST_FINDINGS = 12
MOST_FAILURES = 10
_MOST_PATHS = 5
_MOST_CHANGES = 20
_RANK = {Severity.BLOCK: 0, Severity.WARN: 1, Severity.OFF: 2}


def other_stages(report: Report) -> str:
    """List the judged stages that no table below shows: the plan, training, the gate itself."""
    rules = [rule for rule in report.verdict.stages if rule.stage not in ("tests", "data")]
    shown = [_stage_line(rule, named=report.several) for rule in rules[:MOST_FINDINGS]]
    title = "**Stages**" if shown else ""
    return paragraphs(title, bullets(shown), and_more(len(shown), len(rules), "verdict.json"))


def _stage_line(rule: StageRule, *, named: bool) -> str:
    who = f"{code(rule.model)} " if named else ""
    word = f"**{rule.stage}**" if rule.decides else rule.stage
    does = words.effect(rule.severity)
    return f"{who}{word}{', ' + does if does else ''}: {text(rule.message, most=400)}"


def data_checks(model: ModelEvidence, report: Report) -> str:
    """Return one model's data checks: blocking findings first, with rows to look at."""
    data = model.data
    if data is None or data.state is StageState.NOT_MEASURED:
        return _missing("Data checks", "data", model, report, data.reason if data else None)
    read = ", ".join(
        f"{code(one.name)} ({numbers.plural(one.rows, 'row')}, {one.columns} columns)"
        for one in data.datasets
    )
    ran = f"{numbers.plural(len(data.checks), 'check')} on {read}" if read else "no data file read"
    if not data.findings:
        return f"**Data checks**: nothing found ({ran})."
    severities = _severities(model, report)
    found = sorted(
        data.findings,
        key=lambda one: (_RANK[severities.get(one.check, Severity.WARN)], one.check, one.columns),
    )
    rows = [_finding_row(one, severities) for one in found[:MOST_FINDINGS]]
    header = ("Check", "Where", "Found", "Such as")
    return paragraphs(
        f"**Data checks**: {numbers.plural(len(found), 'finding')} ({ran})",
        table(header, rows),
        and_more(len(rows), len(found), "data.json"),
    )


def _severities(model: ModelEvidence, report: Report) -> dict[str, Severity]:
    """Severity by check name, as the verdict applied it."""
    return {
        rule.check: rule.severity
        for rule in report.verdict.stages
        if rule.stage == "data" and rule.check is not None and rule.model == model.plan.name
    }


def _finding_row(one: Finding, severities: dict[str, Severity]) -> tuple[str, ...]:
    severity = severities.get(one.check)
    does = words.effect(severity) if severity else ""
    name = (
        f"**{cell_code(one.check, most=60)}**"
        if severity is Severity.BLOCK
        else cell_code(one.check)
    )
    where = ", ".join(
        [text(one.dataset, most=60), *(cell_code(c, most=60) for c in one.columns[:4])]
    )
    effects = "; ".join(
        f"{text(effect.name, most=40)} {effect.value:.3g}"
        + (f", limit {effect.threshold:.3g}" if effect.threshold is not None else "")
        for effect in one.effects[:3]
    )
    said = text(one.message) + (f" ({effects})" if effects else "")
    if one.count is not None and numbers.count(one.count) not in one.message:
        share = "" if one.share is None else f", {numbers.percent(one.share)}"
        said += f" ({numbers.plural(one.count, 'row')}{share})"
    if one.state == "not-run":
        said = f"did not run: {said}"
    return (
        f"{name}{', ' + does if does else ''}",
        where,
        said,
        ", ".join(cell_code(row, most=40) for row in one.rows[:5]) or "–",
    )


def schema_note(data: DataReport | None) -> str:
    """Say that the frozen schema changed with this change, where it did."""
    if data is None or not data.schema_changed:
        return ""
    return "The frozen data schema changes here: read its diff, for it is a rule."


def _missing(
    title: str, stage: str, model: ModelEvidence, report: Report, reason: str | None
) -> str:
    """Say why a stage left nothing to show, if the rules or the stage itself said so."""
    rules = _judged(stage, model, report)
    said = reason or (rules[0].message if rules else None)
    if said is None:
        return ""
    return f"**{title}**{_does(rules)}: not measured, {text(said.rstrip('.'))}."


def _judged(stage: str, model: ModelEvidence, report: Report) -> list[StageRule]:
    return [
        rule
        for rule in report.verdict.stages
        if rule.stage == stage and rule.model == model.plan.name
    ]


def _does(rules: list[StageRule]) -> str:
    worst = min((rule.severity for rule in rules), key=lambda one: _RANK[one], default=Severity.OFF)
    return f" ({does})" if (does := words.effect(worst)) else ""


def tests(model: ModelEvidence, report: Report) -> str:
    """Return one model's test suite: the counts, and each failed test with its place."""
    run = model.tests
    if run is None or run.state is StageState.NOT_MEASURED:
        return _missing("Tests", "tests", model, report, run.reason if run else None)
    names = (("passed", run.passed), ("failed", run.failed), ("errors", run.errors))
    counts = [f"{numbers.count(value)} {name}" for name, value in names if value]
    counts += [f"{numbers.count(run.skipped)} skipped"] if run.skipped else []
    does = _does(_judged("tests", model, report))
    said = f"**Tests**{does}: {', '.join(counts) or 'none ran'}, {numbers.duration(run.seconds)}."
    if run.state is StageState.FAILED and run.reason:
        said += f" {text(run.reason)}"
    shown = run.failures[:MOST_FAILURES]
    return paragraphs(
        said,
        bullets(_failure_line(failure) for failure in shown),
        and_more(len(shown), len(run.failures), "tests.json"),
    )


def _failure_line(failure: TestFailure) -> str:
    place = ""
    if failure.file:
        line = f":{failure.line}" if failure.line is not None else ""
        place = f" at {code(failure.file + line)}"
    first = failure.message.strip().splitlines()[:1]
    return code(failure.name) + place + (f": {text(first[0])}" if first else "")


def test_messages(run: TestRun | None) -> str:
    """Return the failed tests' whole messages."""
    failures = run.failures[:MOST_FAILURES] if run else ()
    return paragraphs(
        *(
            paragraphs(code(failure.name), block(failure.message))
            for failure in failures
            if len(failure.message.strip().splitlines()) > 1
        )
    )


def changes(report: Report) -> str:
    """Say what the change touches, which parameters differ, and which rules it rewrites."""
    change = report.plan.change
    kinds = (
        ("code", change.code),
        ("data", change.data),
        ("params", change.params),
        ("config", change.config),
        ("workflows", change.workflows),
    )
    items = [f"{kind}: {_paths(paths)}" for kind, paths in kinds if paths]
    for model in report.touched:
        items += _parameters(model, named=report.several)
    items += [note for model in report.touched if (note := schema_note(model.data))]
    parts = [bullets(items), *(_proposed(report, model) for model in report.touched)]
    if not any(parts):
        return ""
    files = f" ({numbers.plural(change.files, 'file')})" if change.files else ""
    return paragraphs(f"**What changed**{files}", *parts)


def _paths(paths: tuple[str, ...]) -> str:
    shown = ", ".join(code(path, most=80) for path in paths[:_MOST_PATHS])
    left = len(paths) - _MOST_PATHS
    return f"{shown} and {left:,} more" if left > 0 else shown


def _parameters(model: ModelEvidence, *, named: bool) -> list[str]:
    before = model.base.lineage.params if model.base else {}
    after = model.head.lineage.params if model.head else {}
    if not before or not after:
        return []
    prefix = f"{code(model.plan.name)} " if named else ""
    differing = [name for name in sorted({*before, *after}) if before.get(name) != after.get(name)]
    lines = [
        f"{prefix}{code(name, most=60)}: {_value(before.get(name))} → {_value(after.get(name))}"
        for name in differing[:_MOST_CHANGES]
    ]
    left = len(differing) - len(lines)
    return [*lines, f"{left:,} more parameters"] if left else lines


def _value(value: str | None) -> str:
    return "none" if value is None else code(value, most=60)


def _proposed(report: Report, model: ModelEvidence) -> str:
    proposed = report.verdict.proposed.get(model.plan.name)
    if proposed is None:
        return ""
    who = f" of {code(model.plan.name)}" if report.several else ""
    shown = [text(line, most=300) for line in proposed.changes[:_MOST_CHANGES]]
    left = len(proposed.changes) - len(shown)
    return paragraphs(
        f"This change rewrites the rules{who}. The base's judge; the new ones would say "
        f"**{words.OUTCOMES[proposed.state]}**:",
        bullets([*shown, *([f"{left:,} more"] if left else [])]),
    )
