"""What asks for a retraining, what holds it, and what is said where nothing could be looked at."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import InputError
from assay.evidence import TriggerKind
from assay.retraining.decide import Asked, decide, moment
from assay.retraining.triggers import Facts
from assay.state.retraining import Entry
from support.retrainings import DAY, HOUR, NOW, asked, look, model


def facts(**changes: Any) -> Facts:
    return Facts(**{"now": NOW, **changes})


def reserved(key: str, before: timedelta, *, rows: int | None = None) -> tuple[Entry, ...]:
    """A retraining that started so long ago and ended an hour later."""
    start = NOW - before
    begun = Entry(
        kind="reserved", id=key, at=moment(start), until=moment(start + 8 * HOUR), rows=rows
    )
    ended = Entry(kind="ended", id=key, at=moment(start + HOUR), outcome="proposed", pull=7)
    return begun, ended


WORSE = {
    "model": "churn",
    "metric": "accuracy",
    "state": "worse",
    "difference": -0.04,
    "interval": [-0.06, -0.02],
    "margin": 0.01,
    "n": 1200,
    "gate": True,
    "severity": "block",
    "decides": True,
}
MOVED = {"column": "age", "role": "feature", "effects": [], "moved": True, "cost": 0.02}


def kinds(rules: str, known: Facts, book: tuple[Entry, ...] = ()) -> list[str]:
    return [one.kind.value for one in decide(asked(rules), known, book).triggers]


def test_nothing_asks_and_what_was_not_looked_at_is_named() -> None:
    made = decide(asked("{every: 60}"), facts(), ())
    assert (made.due, made.triggers, made.held) == (False, (), None)
    assert made.not_measured == (
        "age: nothing tells when the model was last trained",
        "production: there is no monitor.json of this model",
    )
    assert (made.branch, made.paths) == ("assay/retrain/churn", ("dvc.lock",))


def test_a_person_and_another_system_are_named_with_their_reason() -> None:
    made = decide(asked(), facts(asked=TriggerKind.MANUAL, by="octo", reason="late returns"), ())
    assert made.due
    assert [one.sentence for one in made.triggers] == ["octo asked for it: late returns"]
    other = decide(asked(), facts(asked=TriggerKind.DISPATCH, by="airflow"), ())
    assert other.triggers[0].kind is TriggerKind.DISPATCH


@pytest.mark.parametrize(("rows", "due"), [(1000, False), (1099, False), (1100, True), (5, False)])
def test_new_rows_count_against_the_last_training(rows: int, due: bool) -> None:
    rules = "{new_data: {source: d, share: 0.1}, quality: false}"
    made = decide(asked(rules), facts(rows=rows), reserved("run-0", 30 * DAY, rows=1000))
    assert made.due is due
    first = decide(asked(rules), facts(rows=rows), ())
    assert not first.due
    assert "are the first count" in first.not_measured[0]


def test_rows_that_cannot_be_counted_are_no_trigger_and_no_silence() -> None:
    rules = "{new_data: {source: d, share: 0.1}, quality: false}"
    made = decide(asked(rules), facts(rows_missing="d: no such folder"), ())
    assert made.not_measured == ("new data: d: no such folder",)


def test_age_counts_from_the_book_or_from_the_lock_whichever_is_later() -> None:
    rules = f"{{every: {7 * 86_400}, quality: false}}"
    old = facts(trained=NOW - 8 * DAY)
    assert kinds(rules, old) == ["age"]
    assert kinds(rules, old, reserved("run-0", 3 * DAY)) == []
    assert kinds(rules, facts(trained=NOW - 6 * DAY)) == []


def test_quality_asks_only_where_a_blocking_claim_is_shown_to_be_worse() -> None:
    assert kinds("{}", facts(look=look(rules=[WORSE]))) == ["quality"]
    for change in ({"state": "inconclusive"}, {"severity": "warn"}, {"gate": False}):
        assert kinds("{}", facts(look=look(rules=[{**WORSE, **change}]))) == []
    assert kinds("{quality: false}", facts(look=look(rules=[WORSE]))) == []
    made = decide(asked(), facts(look=look(rules=[WORSE])), ())
    assert made.triggers[0].sentence == (
        "live accuracy is worse by 0.040 [−0.060, −0.020], margin 0.01, 1,200 labels"
    )
    assert made.look == look(rules=[WORSE]).digest()


def test_drift_asks_only_with_an_impact_and_only_where_it_is_wanted() -> None:
    seen = facts(look=look(drift=[MOVED]))
    assert kinds("{}", seen) == []
    assert kinds("{drift: 0.02}", seen) == ["drift"]
    assert kinds("{drift: 0.03}", seen) == []
    unknown = decide(asked("{drift: 0.01}"), facts(look=look(drift=[{**MOVED, "cost": None}])), ())
    assert unknown.not_measured == ("drift: age moved, and what that costs was not estimated",)
    still = facts(look=look(drift=[{**MOVED, "moved": False}]))
    assert kinds("{drift: 0.01}", still) == []


def test_a_window_from_before_the_last_retraining_asks_no_second_time() -> None:
    made = decide(asked(), facts(look=look(rules=[WORSE])), reserved("run-0", HOUR / 2))
    assert made.triggers == ()
    assert "is older than the last retraining" in made.not_measured[0]


def test_the_cooldown_holds_what_asks_but_no_person() -> None:
    book = reserved("run-0", HOUR)
    made = decide(asked(), facts(asked=TriggerKind.DISPATCH), book)
    assert (made.due, made.held) == (False, "the cooldown of 24 h ends in 23 h")
    assert decide(asked(), facts(asked=TriggerKind.MANUAL, reason="now"), book).due
    assert decide(asked("{cooldown: 3600}"), facts(asked=TriggerKind.DISPATCH), book).due


def test_the_budget_holds_a_person_too_and_comes_back_after_thirty_days() -> None:
    person = facts(asked=TriggerKind.MANUAL, reason="now")
    book = reserved("run-0", 29 * DAY)
    made = decide(asked("{budget: 1}"), person, book)
    assert made.held is not None
    assert made.held.startswith("1 retrainings in 30 days are the budget's 1")
    assert decide(asked("{budget: 1}"), person, reserved("run-0", 31 * DAY)).due


def test_a_running_one_holds_everybody_until_it_ends_or_its_time_is_up() -> None:
    person = facts(asked=TriggerKind.MANUAL, reason="now")
    (begun, ended) = reserved("run-0", HOUR)
    held = decide(asked(), person, (begun,))
    assert held.held is not None
    assert held.held.startswith("another one runs since")
    assert decide(asked(), person, (begun, ended)).due
    (lost, _) = reserved("run-0", 9 * HOUR)
    assert decide(asked(), person, (lost,)).due


def test_the_run_itself_tried_again_is_held_by_nothing_of_its_own() -> None:
    person = facts(asked=TriggerKind.DISPATCH)
    (begun, _) = reserved("run-1", HOUR)
    assert decide(asked("{budget: 1}"), person, (begun,)).due


def test_a_model_without_rules_is_refused() -> None:
    bare = Asked(id="run-1", name="churn", model=model().model_copy(update={"retrain": None}))
    with pytest.raises(InputError, match="has no `retrain:`"):
        decide(bare, facts(), ())


@given(
    hours=st.lists(st.integers(1, 24 * 40), max_size=8, unique=True),
    budget=st.integers(1, 5),
    cooldown=st.integers(0, 3 * 86_400),
)
def test_whatever_the_book_says_no_start_breaks_cooldown_or_budget(
    hours: list[int], budget: int, cooldown: int
) -> None:
    book = tuple(
        entry
        for hour in sorted(hours, reverse=True)
        for entry in reserved(f"run-{1000 + hour}", hour * HOUR)
    )
    rules = f"{{budget: {budget}, cooldown: {cooldown}}}"
    made = decide(asked(rules), facts(asked=TriggerKind.DISPATCH), book)
    recent = [hour for hour in hours if hour < 30 * 24]
    soon = [hour for hour in hours if hour * 3600 < cooldown]
    if made.due:
        assert len(recent) < budget
        assert not soon
