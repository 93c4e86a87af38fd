"""The verdict in one sentence, with the number that decided."""

from __future__ import annotations

from collections.abc import Sequence

from assay.config import Severity
from assay.config.families import family_of, title_of
from assay.evidence import Outcome, Rule, StageRule, State
from assay.verdict.claims import WHOLE
from assay.verdict.figures import about, confidence_of_all, number, places_of, signed
from assay.verdict.reuse import WORN

_WORDS = {
    State.BETTER: "is better",
    State.NO_WORSE: "is no worse",
    State.WORSE: "is worse",
    State.INCONCLUSIVE: "is inconclusive",
    State.NOT_MEASURED: "is not measured",
}
_COMPARED = (State.BETTER, State.NO_WORSE, State.WORSE)
_GOOD = {State.BETTER: 0, State.NO_WORSE: 1, State.INCONCLUSIVE: 2}


def sentence_of(outcome: Outcome, rules: Sequence[Rule], stages: Sequence[StageRule]) -> str:
    """Say the outcome in one sentence; names are unescaped, as everywhere in evidence."""
    if outcome is Outcome.PASS:
        return _passed(rules)
    severity = Severity.BLOCK if outcome is Outcome.FAIL else Severity.WARN
    whys = [rule for rule in stages if rule.severity is severity]
    claims = sorted((rule for rule in rules if rule.severity is severity), key=_worst_first)
    # A stage of the run itself, such as a cancelled job, belongs to no model.
    models = {rule.model for rule in rules} | {rule.model for rule in stages if rule.model}
    several = len(models) > 1
    more = len(whys) + len(claims) - 1
    # A worse number says more than the stage that also failed; a stage more than its absence.
    if claims and (claims[0].state is State.WORSE or not whys):
        said = _claim(claims[0], several=several)
    elif whys:
        named = several and whys[0].model
        said = (f"{whys[0].model}: " if named else "") + whys[0].message.rstrip(".")
    else:
        return "Nothing that gates could be measured."
    rest = f", and {_plural(more, 'more rule')} {_verb(outcome, more)}" if more else ""
    held = _held(rules) if outcome is Outcome.WARN else ""
    return f"{held}, but {said}{rest}." if held else f"{_capital(said, named=several)}{rest}."


def _held(rules: Sequence[Rule]) -> str:
    """Say first that the gates hold, where what warns is something else."""
    gates = [rule for rule in _of_base(rules) if rule.gate and rule.slice == WHOLE]
    if not gates or any(rule.state not in (State.BETTER, State.NO_WORSE) for rule in gates):
        return ""
    if len(gates) > 1:
        return "Both gates hold" if len(gates) == 2 else f"All {len(gates):,} gates hold"
    return _capital(f"{_title(gates[0])} {_WORDS[gates[0].state]}", named=False)


def _of_base(rules: Sequence[Rule]) -> list[Rule]:
    return [rule for rule in rules if rule.against == "base"]


def claim_sentence(rule: Rule) -> str:
    """Say one judged claim in a sentence of its own."""
    # Where there are numbers, the reason (such as a p-value beyond its level) is not among them.
    said_already = rule.interval is None or rests_on_worn(rule)
    why = f"; {rule.reason}" if rule.reason and not said_already else ""
    return f"{_capital(_claim(rule, several=False), named=False)}{why}."


def _verb(outcome: Outcome, many: int) -> str:
    word = "block" if outcome is Outcome.FAIL else "warn"
    return word if many != 1 else f"{word}s"


def _plural(many: int, word: str) -> str:
    return f"{many:,} {word}{'' if many == 1 else 's'}"


def _worst_first(rule: Rule) -> tuple[int, bool, float]:
    order = [State.WORSE, State.NOT_MEASURED, State.INCONCLUSIVE, State.NO_WORSE, State.BETTER]
    p = rule.p_adjusted if rule.p_adjusted is not None else 1.0
    return order.index(rule.state), rule.slice != WHOLE, p


def _passed(rules: Sequence[Rule]) -> str:
    gates = [
        rule
        for rule in _of_base(rules)
        if rule.gate and rule.slice == WHOLE and rule.state in _GOOD
    ]
    if not gates:
        return "No model is touched by this change."
    several = len({rule.model for rule in gates}) > 1
    best = min(gates, key=lambda rule: _GOOD[rule.state])
    said = _claim(best, several=several)
    others = len(gates) - 1
    if others and any(rule.has_margin for rule in gates):
        said += f"; the other {'gate holds' if others == 1 else f'{others:,} gates hold'}"
    elif others:
        said += (
            f"; the other {'metric is' if others == 1 else f'{others:,} metrics are'} better too"
        )
    return f"{_capital(said, named=several)}."


def _capital(said: str, *, named: bool) -> str:
    """Begin with a capital, except where a model's name stands first."""
    return said if named else said[:1].upper() + said[1:]


def _title(rule: Rule) -> str:
    title = title_of(rule.metric)
    # ROC AUC and F1 keep their capitals, Recall in the middle of a sentence does not.
    lowered = title[:1].lower() + title[1:] if title[1:2].islower() else title
    return f"the {lowered}" if family_of(rule.metric) else lowered


def _claim(rule: Rule, *, several: bool) -> str:
    where = f" in {rule.slice}" if rule.slice != WHOLE else ""
    if rule.searched is not None:
        where += f" (the worst of {_plural(rule.searched, 'slice')} searched)"
    than = f" than at {rule.anchor}" if rule.anchor and rule.state in _COMPARED else ""
    than = than or (f" against {rule.anchor}" if rule.anchor else "")
    said = (f"{rule.model}: " if several else "") + f"{_title(rule)}{where} {_WORDS[rule.state]}"
    said += than
    if rule.state is State.NOT_MEASURED:
        return f"{said}: {rule.reason}" if rule.reason else said
    if rests_on_worn(rule):
        return f"{said.removesuffix(_WORDS[rule.state])}rests on a worn test set ({_worn(rule)})"
    return f"{said}{_numbers(rule)}"


def rests_on_worn(rule: Rule) -> bool:
    """Say whether all that is wrong with a claim is that its test set is worn."""
    return WORN in rule.flags and rule.state in (State.BETTER, State.NO_WORSE)


def _worn(rule: Rule) -> str:
    return (rule.reason or "").partition(f"{WORN}: ")[2]


def _numbers(rule: Rule) -> str:
    if rule.base is None or rule.head is None or rule.difference is None:
        return f": {rule.reason}" if rule.reason else ""
    places = places_of(rule)
    shown = f": {number(rule.base, places)} to {number(rule.head, places)}"
    if rule.interval is None:
        return f"{shown}; {rule.reason}" if rule.reason else shown
    low, high = (signed(end, places) for end in rule.interval)
    level = f"{100 * confidence_of_all(rule):.10g} %"
    shown += (
        f", a difference of {signed(rule.difference, places)} ({level} interval {low} to {high}"
    )
    if rule.searched is not None:
        shown += ", all slices counted"
    if rule.relative_margin is not None:
        shown += f", margin {100 * rule.relative_margin:.10g} % of the base"
    elif rule.margin:
        shown += f", margin {rule.margin:.10g}"
    elif rule.margin == 0:
        shown += ", must improve"
    shown += "; positive is better)" if not rule.higher_is_better else ")"
    if (
        rule.state is State.INCONCLUSIVE
        and rule.rows_needed
        and "nominally_worse" not in rule.flags
    ):
        shown += f"; about {about(rule.rows_needed)} test rows would settle it"
    return shown
