"""What becomes of a retrained model once the gate has judged it: a pure function of the verdict."""

from __future__ import annotations

from dataclasses import dataclass

from assay.config import Severity
from assay.evidence import Rule, State, Verdict
from assay.report.escape import code, text
from assay.report.numbers import interval, places_of, signed


@dataclass(frozen=True, kw_only=True)
class Settled:
    """Whether the pull request is closed, and why."""

    close: bool
    sentence: str
    rules: tuple[Rule, ...] = ()


def settle(verdict: Verdict, model: str) -> Settled:
    """Say whether the retrained ``model`` is shown to be better; where it is not, it closes.

    What was not measured, or accepted by a person, is left to people.
    """
    rules = tuple(
        rule
        for rule in verdict.rules
        if rule.model == model and rule.gate and rule.against == "base"
    )
    if verdict.override is not None:
        return Settled(close=False, sentence=f"{verdict.override.by} accepted it", rules=rules)
    missing = [rule for rule in rules if rule.state is State.NOT_MEASURED]
    if missing or not rules:
        what = missing[0].metric if missing else "no gated metric"
        return Settled(close=False, sentence=f"{what} was not measured", rules=rules)
    worse = [
        rule for rule in rules if rule.state is State.WORSE and rule.severity is Severity.BLOCK
    ]
    better = [rule for rule in rules if rule.state is State.BETTER]
    if worse:
        return Settled(close=True, sentence=f"{worse[0].metric} is worse", rules=rules)
    if not better:
        return Settled(close=True, sentence="no gated metric is shown to be better", rules=rules)
    return Settled(close=False, sentence=f"{better[0].metric} is better", rules=rules)


def report(settled: Settled, model: str) -> str:
    """Return the comment that closes the pull request, in Markdown."""
    lines = [f"The retrained {code(model)} is not better, so this closes itself: "]
    lines[0] += f"{text(settled.sentence)}."
    lines += ["", "| metric | slice | state | difference | interval | rows |"]
    lines += ["| --- | --- | --- | --- | --- | --- |"]
    for rule in settled.rules:
        places = places_of(rule)
        difference = "" if rule.difference is None else signed(rule.difference, places)
        bounds = "" if rule.interval is None else interval(rule.interval, places)
        cells = (text(rule.metric), text(rule.slice), rule.state.value, difference, bounds)
        lines.append(f"| {' | '.join(cells)} | {rule.n:,} |")
    lines += ["", "The gate's report is above. Reopen it to keep it: it is not closed twice."]
    return "\n".join(lines) + "\n"
