"""The worst slice in the comment: named with its corrected interval and what was searched."""

from __future__ import annotations

from typing import Any

from assay.config import Severity
from assay.evidence import Measurement, Outcome, Rule, SliceSearch, State
from assay.report.bundle import Report
from assay.report.markdown import render
from support.reports import comparison, report, rule, slice_rule, verdict

SEARCHED = 57
CONFIDENCE = 1 - 0.05 / SEARCHED
WHERE = "plan=a & age=30 to below 60"


def worst(state: State, severity: Severity) -> Rule:
    found = rule("accuracy", state, 0.872, 0.747, 0.061)
    return found.model_copy(
        update={
            "slice": WHERE, "n": 412, "confidence": CONFIDENCE, "searched": SEARCHED,
            "severity": severity, "decides": severity is not Severity.OFF,
        }
    )  # fmt: skip


def shown(state: State, severity: Severity, **search: Any) -> Report:
    gate = rule("accuracy", State.NO_WORSE, 0.81, 0.811, 0.004)
    part = SliceSearch(
        metric="accuracy", depth=2, min_rows=100, searched=SEARCHED, confidence=CONFIDENCE, **search
    )
    rules = (gate, slice_rule("plan=b", State.NO_WORSE, 0.8, 0.8, 0.01), worst(state, severity))
    outcome = Outcome.WARN if severity is Severity.WARN else Outcome.PASS
    return report(verdict(outcome, rules), comparison=comparison(worst_slice=part))


def section(markdown: str) -> str:
    start = markdown.index("**Worst slice**")
    return markdown[start : markdown.index("\n\n", markdown.index("- ", start))]


def test_a_worst_slice_stands_with_its_corrected_interval() -> None:
    others = tuple(Measurement(metric="accuracy", slice=f"plan={name}") for name in "cdefgh")
    text = section(
        render(shown(State.WORSE, Severity.WARN, others=others, others_worse=31, beyond=1200))
    )
    assert f"`accuracy` in `{WHERE}` (412 rows), 0.872 → 0.747, −0.125 [−0.186, −0.061]" in text
    assert "(95\N{NO-BREAK SPACE}% for all of them at once): **worse**, warns." in text
    assert (
        "57 slices with at least 100 rows, crossings of two columns included; 1,200 smaller ones"
        in text
    )
    assert "Worse beyond chance too: `plan=c`" in text
    assert "and 26 more" in text


def test_a_search_without_a_find_is_one_line() -> None:
    text = section(render(shown(State.INCONCLUSIVE, Severity.OFF)))
    assert "`accuracy` is worse beyond chance in none of 57 slices" in text
    assert f"The likeliest: `{WHERE}`" in text


def test_a_search_that_judged_nothing_says_why() -> None:
    made = shown(State.INCONCLUSIVE, Severity.OFF, reason="no slice has at least 100 rows")
    assert "not searched, or not judged: no slice has at least 100 rows." in section(render(made))


def test_the_worst_slice_is_no_row_of_the_other_tables() -> None:
    markdown = render(shown(State.WORSE, Severity.WARN))
    assert markdown.count(f"`{WHERE}`") == 1
    assert "Slices**: none moved (1 claim on 1 slice looked at)" in markdown
