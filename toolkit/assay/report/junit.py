"""``junit.xml``: a verdict as test results, for the viewers that every CI system has.

One test case for each rule: it fails where the rule blocks, is skipped where nothing was measured
and nothing blocks, and carries its numbers. The dialect is the one of Jenkins' xUnit plugin.
"""

from __future__ import annotations

from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from assay.config import Severity
from assay.evidence import Rule, StageRule, State, Verdict
from assay.report.escape import clean
from assay.report.gates import cells
from assay.report.numbers import exact_percent
from assay.verdict.sentence import claim_sentence

_LONGEST = 300


@dataclass(frozen=True, kw_only=True)
class _Suite:
    xml: str
    tests: int
    failures: int


def junit(verdict: Verdict) -> str:
    """Return the XML; text is cleaned of what XML 1.0 cannot hold, and escaped."""
    named = [rule.model for rule in verdict.rules] + [rule.model for rule in verdict.stages]
    suites = [_suite(verdict, model) for model in dict.fromkeys(named)]
    body = "\n".join(suite.xml for suite in suites)
    tests, failures = sum(suite.tests for suite in suites), sum(suite.failures for suite in suites)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<testsuites name="assay" tests="{tests}" failures="{failures}" errors="0">\n'
        f"{body}\n</testsuites>\n"
    )


def _suite(verdict: Verdict, model: str) -> _Suite:
    """One model's suite; what belongs to no model is the run's own."""
    name = model or "assay"
    rules = [rule for rule in (*verdict.rules, *verdict.anchored) if rule.model == model]
    stages = [rule for rule in verdict.stages if rule.model == model]
    cases = [_claim_case(rule, name) for rule in rules] + [_stage_case(r, name) for r in stages]
    severities = [rule.severity for rule in rules] + [rule.severity for rule in stages]
    failures = severities.count(Severity.BLOCK)
    attributes = (
        f'name={_attribute(name)} tests="{len(cases)}" failures="{failures}" errors="0" '
        f'skipped="{sum(map(_is_skipped, rules))}"'
    )
    properties = {"verdict": verdict.state.value, "sentence": verdict.sentence}
    if verdict.override:
        properties["accepted by"] = verdict.override.by
    listed = "\n".join(
        f"<property name={_attribute(key)} value={_attribute(value)}/>"
        for key, value in properties.items()
    )
    body = "\n".join(cases)
    whole = f"<testsuite {attributes}>\n<properties>\n{listed}\n</properties>\n{body}\n</testsuite>"
    return _Suite(xml=whole, tests=len(cases), failures=failures)


def _is_skipped(rule: Rule) -> bool:
    return rule.state is State.NOT_MEASURED and rule.severity is not Severity.BLOCK


def _claim_case(rule: Rule, suite: str) -> str:
    where = "" if rule.slice == "all" else f" in {rule.slice}"
    where += f" against {rule.anchor}" if rule.anchor else ""
    found = "" if rule.searched is None else f" (worst of {rule.searched} slices)"
    return _case(
        f"{rule.metric}{where}{found}",
        suite=f"{suite}.metrics",
        said=claim_sentence(rule),
        kind=rule.state.value,
        blocks=rule.severity is Severity.BLOCK,
        skipped=_is_skipped(rule),
        output=_numbers(rule),
    )


def _stage_case(rule: StageRule, suite: str) -> str:
    name = f"{rule.stage}: {rule.check}" if rule.check else rule.stage
    blocks = rule.severity is Severity.BLOCK
    return _case(
        name,
        suite=f"{suite}.stages",
        said=rule.message,
        kind=rule.stage,
        blocks=blocks,
        skipped=False,
        output=f"{rule.severity.value}: {rule.message}",
    )


def _numbers(rule: Rule) -> str:
    printed = cells(rule)
    return (
        f"state {rule.state.value}; base {printed.base}; head {printed.head}; "
        f"difference {printed.difference} at {exact_percent(rule.confidence)}; "
        f"margin {printed.margin}; {rule.n:,} rows; does {rule.severity.value}"
    )


def _case(
    name: str, *, suite: str, said: str, kind: str, blocks: bool, skipped: bool, output: str
) -> str:
    inside = ""
    if blocks:
        inside = f"<failure message={_attribute(said)} type={_attribute(kind)}/>\n"
    elif skipped:
        inside = f"<skipped message={_attribute(said)}/>\n"
    return (
        f"<testcase name={_attribute(name)} classname={_attribute(suite)}>\n"
        f"{inside}<system-out>{escape(_plain(output))}</system-out>\n</testcase>"
    )


def _plain(text: str) -> str:
    return clean(text, most=2 * _LONGEST)


def _attribute(text: str) -> str:
    return quoteattr(_plain(text))
