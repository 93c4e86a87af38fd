"""Whether a model is trained anew: a pure function of its rules, the facts, and the book."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from assay.config import Retrain, Severity
from assay.config.retraining import BUDGET_DAYS
from assay.evidence import Look, Rule, State, Trigger, TriggerKind
from assay.report.numbers import (
    duration,
    exact_percent,
    interval,
    number,
    places_of,
    places_without_interval,
    plural,
    written,
)
from assay.state.retraining import Entry, live, time_of

Book = tuple[Entry, ...]


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known when it is decided. None: it could not be looked at.

    ``asked`` is MANUAL or DISPATCH where somebody asks, ``by`` and ``reason`` what they say.
    ``trained`` is when the model was last trained, where the book does not tell; ``rows`` how many
    the source of new data has; ``look`` what production was last seen to do.
    """

    now: datetime
    asked: TriggerKind | None = None
    by: str | None = None
    reason: str | None = None
    trained: datetime | None = None
    rows: int | None = None
    rows_missing: str | None = None
    look: Look | None = None


@dataclass(frozen=True, kw_only=True)
class Reasons:
    """What asks for a retraining, and what was to be looked at and could not."""

    triggers: tuple[Trigger, ...]
    not_measured: tuple[str, ...]


def reasons(rules: Retrain, facts: Facts, book: Book) -> Reasons:
    """Return everything that asks for a retraining now."""
    made = (
        *_asked(facts),
        *_new_data(rules, facts, book),
        *_age(rules, facts, book),
        *_production(rules, facts, book),
    )
    return Reasons(
        triggers=tuple(one for one in made if isinstance(one, Trigger)),
        not_measured=tuple(one for one in made if isinstance(one, str)),
    )


def held(rules: Retrain, facts: Facts, book: Book) -> str | None:
    """Return why a retraining that something asks for waits; None: it may start.

    ``book`` is without this run's own lines. A person who asks is not held by the cooldown.
    """
    for entry in live(book, facts.now):
        return f"another one runs since {entry.at} ({entry.id}), at the latest to {entry.until}"
    reserved = [entry for entry in book if entry.kind == "reserved"]
    recent = facts.now - timedelta(days=BUDGET_DAYS)
    spent = [entry for entry in reserved if time_of(entry.at) > recent]
    if len(spent) >= rules.budget:
        return (
            f"{len(spent)} retrainings in {BUDGET_DAYS} days are the budget's {rules.budget}; "
            f"the oldest is of {spent[0].at}"
        )
    last = max((time_of(entry.at) for entry in reserved), default=None)
    if last is not None and facts.asked is not TriggerKind.MANUAL:
        left = last + timedelta(seconds=rules.cooldown) - facts.now
        if left > timedelta(0):
            ends = duration(left.total_seconds())
            return f"the cooldown of {duration(rules.cooldown)} ends in {ends}"
    return None


def rows_before(book: Book) -> int | None:
    """Return how many rows there were at the last training that started, or were counted first."""
    known = [entry.rows for entry in book if entry.rows is not None and entry.kind != "ended"]
    return known[-1] if known else None


Found = Iterator[Trigger | str]


def _asked(facts: Facts) -> Found:
    if facts.asked is None:
        return
    who = facts.by or "somebody"
    why = f": {facts.reason}" if facts.reason else " and gave no reason"
    what = "asked for it" if facts.asked is TriggerKind.MANUAL else "asked by repository_dispatch"
    yield Trigger(kind=facts.asked, sentence=f"{who} {what}{why}")


def _new_data(rules: Retrain, facts: Facts, book: Book) -> Found:
    if rules.new_data is None:
        return
    if facts.rows is None:
        yield f"new data: {facts.rows_missing or 'the rows were not counted'}"
        return
    before = rows_before(book)
    if before is None:
        yield f"new data: {facts.rows:,} rows are the first count, later ones are held against it"
        return
    new = facts.rows - before
    enough = new / before >= rules.new_data.share if before else new > 0
    if enough:
        share = f"{new / before:,.1%} of" if before else "there were none of"
        yield Trigger(
            kind=TriggerKind.NEW_DATA,
            sentence=f"{new:,} new rows, {share} the {before:,} at the last training "
            f"(from {exact_percent(rules.new_data.share)} on)",
        )


def _age(rules: Retrain, facts: Facts, book: Book) -> Found:
    if rules.every is None:
        return
    times = [time_of(entry.at) for entry in book if entry.kind == "reserved"]
    last = max([*times, *([facts.trained] if facts.trained else [])], default=None)
    if last is None:
        yield "age: nothing tells when the model was last trained"
        return
    age = (facts.now - last).total_seconds()
    if age >= rules.every:
        yield Trigger(
            kind=TriggerKind.AGE,
            sentence=f"the last training is {duration(age)} ago, and {duration(rules.every)} is "
            "the limit",
        )


def _production(rules: Retrain, facts: Facts, book: Book) -> Found:
    if not rules.quality and rules.drift is None:
        return
    if facts.look is None:
        yield "production: there is no monitor.json of this model"
        return
    times = [time_of(entry.at) for entry in book if entry.kind == "reserved"]
    end = time_of(facts.look.end)
    if times and end <= max(times):
        yield f"production: the window to {facts.look.end} is older than the last retraining"
        return
    if rules.quality:
        for rule in facts.look.rules:
            if rule.state is State.WORSE and rule.gate and rule.severity is Severity.BLOCK:
                yield Trigger(kind=TriggerKind.QUALITY, sentence=_worse(rule))
    if rules.drift is not None:
        yield from _drift(rules.drift, facts.look)


def _worse(rule: Rule) -> str:
    where = "" if rule.slice == "all" else f" on {rule.slice}"
    words, places = f"live {rule.metric}{where} is worse", places_of(rule)
    if rule.difference is not None:
        words += f" by {number(abs(rule.difference), places)}"
    if rule.interval is not None:
        words += f" {interval(rule.interval, places)}"
    if rule.margin is not None:
        words += f", margin {written(rule.margin)}"
    return f"{words}, {plural(rule.n, 'label')}"


def _drift(least: float, look: Look) -> Found:
    for column in look.drift:
        if not column.moved:
            continue
        if column.cost is None:
            yield f"drift: {column.column} moved, and what that costs was not estimated"
        elif column.cost >= least:
            yield Trigger(
                kind=TriggerKind.DRIFT,
                sentence=f"{column.column} moved, at an estimated loss of "
                f"{number(column.cost, places_without_interval(column.cost, None))} "
                f"(from {written(least)} on)",
            )
