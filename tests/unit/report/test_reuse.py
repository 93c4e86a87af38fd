"""The line on a test set's use, on a page and in a terminal."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from assay.evidence import Comparison, Reuse, Rule, RuleReuse, State
from assay.report.bundle import Report
from assay.report.reuse import corrected_intervals, use_in_words, use_of_test_set
from support.reports import MODEL
from support.reviewed import passing


def reuse(**changes: Any) -> Reuse:
    facts: dict[str, Any] = {
        "test_set": "a" * 64,
        "decisions": 7,
        "since": "2026-01-02T03:04:05Z",
        "confidence": 1 - 0.05 / 7,
    }
    return Reuse(**{**facts, **changes})


def reported(found: Reuse, *afforded: int | None) -> Report:
    """A passing report whose test set was used so; the gates have these credits in turn."""
    report = passing()
    model = report.models[0]
    assert model.comparison is not None
    comparison = model.comparison.model_copy(update={"reuse": found})
    left = list(afforded)

    def marked(rule: Rule) -> Rule:
        if not rule.gate or not left or rule.interval is None:
            return rule
        used = RuleReuse(
            decisions=found.decisions or 1,
            credit=left.pop(0),
            confidence=found.confidence or 0.95,
            interval=(rule.interval[0] - 0.01, rule.interval[1] + 0.01),
            state=State.INCONCLUSIVE,
        )
        return rule.model_copy(update={"reuse": used, "flags": ("worn",)})

    rules = tuple(map(marked, report.verdict.rules))
    return replace(
        report,
        verdict=report.verdict.model_copy(update={"rules": rules}),
        models=(replace(model, comparison=comparison), *report.models[1:]),
    )


def comparison(report: Report) -> Comparison:
    found = report.models[0].comparison
    assert found is not None
    return found


def test_the_line_says_how_often_since_when_at_which_confidence_and_the_credit() -> None:
    line = use_of_test_set(reported(reuse(), 5, 3))
    assert line.startswith(
        "**Test set**: it has decided about 7 models, this one included, since 2026-01-02; the "
        "margins afford K = 3. Intervals that count them all stand at 99.29\N{NO-BREAK SPACE}% "
        "instead of 95\N{NO-BREAK SPACE}%: `accuracy` ["
    )
    assert "inconclusive, worn; `roc_auc` [" in line


def test_the_terminal_says_the_same_without_markup() -> None:
    report = reported(reuse(), 5, 3)
    (line,) = use_in_words(comparison(report), report.verdict.rules)
    assert line == use_of_test_set(report).replace("**", "").replace("`", "")


@pytest.mark.parametrize(
    ("found", "afforded", "says"),
    [
        (reuse(decisions=1, since=None), (None,), "this is the first decision on it."),
        (reuse(decisions=1), (4,), "first decision on it; the margins afford K = 4."),
        (reuse(), (10**9,), "K = over 999,999,999"),
        (reuse(), (), "no gate has one"),
    ],
)
def test_what_is_not_there_is_not_said(
    found: Reuse, afforded: tuple[int | None, ...], says: str
) -> None:
    assert says in use_of_test_set(reported(found, *afforded))


def test_why_it_is_not_known_is_escaped() -> None:
    nasty = "@octo <script> ${{ x }}\n# hi"
    line = use_of_test_set(reported(reuse(decisions=None, confidence=None, missing=nasty)))
    assert "how often it has decided is not known" in line
    assert "<script>" not in line
    assert "@octo" not in line
    assert "\n" not in line


def test_nothing_is_said_where_nobody_asks() -> None:
    assert use_of_test_set(passing()) == ""
    assert corrected_intervals(passing(), MODEL) == ""
    assert use_in_words(comparison(passing()), passing().verdict.rules) == []


def test_the_folded_table_shows_both_intervals_with_the_same_digits() -> None:
    table = corrected_intervals(reported(reuse(), 5, None), MODEL)
    lines = [line for line in table.splitlines() if line.startswith("| `")]
    assert [line.split(" | ")[-1] for line in lines] == ["5 |", "– |"]
    assert "A heuristic, not a guarantee" in table
    first = corrected_intervals(reported(reuse(decisions=1), 5, 4), MODEL)
    assert first == ""
