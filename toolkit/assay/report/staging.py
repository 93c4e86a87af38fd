"""What staging found, as Markdown for the job's page; pure, and everything foreign escaped."""

from __future__ import annotations

from assay.evidence import (
    LoadLook,
    LoadTest,
    Outcome,
    SmokeTest,
    StageState,
    StagingReport,
    State,
    TestRun,
)
from assay.report.escape import code, text
from assay.report.numbers import count, exact_percent, interval, percent, places_for, plural, signed
from assay.report.table import details, paragraphs, table

_HEADLINE = {
    Outcome.PASS: "may go on",
    Outcome.WARN: "may go on, with a warning",
    Outcome.FAIL: "may not go on",
}
_PARTS = {"smoke": "smoke test", "tests": "integration tests", "load": "load test"}
_CHECKS = {
    "version": "version",
    "example": "input example",
    "signature": "contract of the signature",
    "offline": "served as judged offline",
}
_LOOKS = {
    "p50": "median latency (ms)",
    "p95": "95th percentile (ms)",
    "p99": "99th percentile (ms)",
    "throughput": "answers a second",
    "memory": "memory (MiB)",
    "errors": "errors",
}
_MIB = 1024 * 1024


def staging_summary(
    report: StagingReport,
    *,
    smoke: SmokeTest | None = None,
    tests: TestRun | None = None,
    load: LoadTest | None = None,
) -> str:
    """Return the whole page: the parts, then each one's table."""
    at = f" at {text(report.target)}" if report.target else ""
    parts = [
        (_PARTS[part.name], part.state, text(part.sentence, most=600)) for part in report.parts
    ]
    head = f"### Staging{at}: {text(report.model)} {_HEADLINE[report.state]}"
    against = report.serving_digest
    beside = f", beside {code(against[:12])} which serves" if against else ""
    return (
        paragraphs(
            head,
            f"Version {code(report.artifact_digest[:12])}{beside}.",
            table(("part", "state", "what was found"), parts),
            _smoke(smoke) if smoke else "",
            _tests(tests) if tests else "",
            _load(load) if load else "",
        )
        + "\n"
    )


def _smoke(smoke: SmokeTest) -> str:
    rows = [
        (
            _CHECKS[check.name],
            check.state.value,
            count(check.count),
            count(check.wrong),
            f"{check.largest:.2g}" if check.largest is not None else "",
            text(check.sentence, most=400)
            + (f" {_listed(check.examples)}" if check.examples else ""),
        )
        for check in smoke.checks
    ]
    header = ("smoke test", "state", "asked", "wrong", "largest difference", "what was found")
    return table(header, rows, right=(2, 3, 4))


def _listed(examples: tuple[str, ...]) -> str:
    return "Such as " + ", ".join(text(example, most=80) for example in examples) + "."


def _tests(run: TestRun) -> str:
    counted = (
        f"{count(run.passed)} passed, {plural(run.failed, 'failure')}, "
        f"{plural(run.errors, 'error')}, {count(run.skipped)} skipped"
    )
    if run.state is StageState.PASSED or not run.failures:
        return f"Integration tests: {counted}."
    rows = [
        (text(failure.name, most=120), text(failure.message, most=300))
        for failure in run.failures[:20]
    ]
    body = table(("test", "what it said"), rows)
    return details(f"Integration tests: {counted}", body)


def _load(load: LoadTest) -> str:
    rows = [
        (
            _LOOKS[look.name],
            _state(look),
            _figure(look, look.serving),
            _figure(look, look.new),
            _difference(look),
            exact_percent(look.margin),
        )
        for look in load.looks
    ]
    header = ("load test", "state", "serving", "new", "difference (new is better: +)", "margin")
    requests = sum(each.serving.requests + each.new.requests for each in load.rounds)
    note = (
        f"{plural(len(load.rounds), 'round')} by turns, {plural(requests, 'request')}; "
        f"all intervals together hold with {exact_percent(load.confidence)}."
    )
    return paragraphs(table(header, rows, right=(2, 3, 4, 5)), note)


def _state(look: LoadLook) -> str:
    if look.state is State.NOT_MEASURED and look.reason:
        return f"not-measured: {text(look.reason)}"
    return look.state.value


def _figure(look: LoadLook, value: float | None) -> str:
    if value is None:
        return ""
    if look.name == "errors":
        return percent(value)
    return f"{value / _MIB:,.0f}" if look.name == "memory" else f"{value:,.1f}"


def _difference(look: LoadLook) -> str:
    if look.interval is None or look.difference is None:
        return ""
    ends = (100 * look.interval[0], 100 * look.interval[1])
    places = min(places_for(ends), 1)  # equal rounds have an interval of no width
    unit = "points" if look.name == "errors" else "%"
    return f"{signed(100 * look.difference, places)} {unit} {interval(ends, places)}"
