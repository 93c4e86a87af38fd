"""Older verdicts survive from comment to comment, and nothing forged does."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.evidence import Outcome
from assay.report.history import Entry, entry_of, older_entries, payload, trend
from assay.report.markdown import render
from support.reports import EARLIER, plan
from support.reviewed import failing, passing

CURRENT = entry_of(plan(), passing().verdict)
SENTENCES = st.text(st.characters(codec="utf-8", exclude_characters="\n"), max_size=160)


def test_a_comments_verdict_is_the_next_ones_first_older_line() -> None:
    first = replace(passing(), history=())
    body = render(first)
    later = failing()
    moved = later.plan.event.model_copy(update={"run_id": 124})
    later = replace(later, plan=later.plan.model_copy(update={"event": moved}))
    older = older_entries(body, entry_of(later.plan, later.verdict), most=20)
    assert [entry.state for entry in older] == [Outcome.PASS]
    body = render(replace(later, history=older))
    assert "| 4f1d2ca | pass |" in body
    assert len(older_entries(body, None, most=20)) == 2


def test_the_same_run_is_not_its_own_history() -> None:
    body = render(passing())
    assert older_entries(body, CURRENT, most=20) == EARLIER


def test_no_more_than_asked_for() -> None:
    body = render(passing())
    assert older_entries(body, CURRENT, most=1) == EARLIER[:1]
    assert older_entries(body, CURRENT, most=0) == ()


@given(st.lists(SENTENCES, max_size=4))
def test_any_sentence_comes_back(sentences: list[str]) -> None:
    older = tuple(
        Entry(commit="a" * 40, run=i + 1, state=Outcome.WARN, sentence=sentence, head=-0.5)
        for i, sentence in enumerate(sentences)
    )
    line = payload(None, older)
    assert line.count("<") == line.count(">") == bool(older)
    assert older_entries(line, None, most=20) == older


GOOD = {"commit": "a" * 40, "state": "pass", "sentence": "x"}


@pytest.mark.parametrize(
    "forged",
    [
        "[",
        "[1]",
        "[[]]",
        "[" * 9000 + "]" * 9000,
        json.dumps([GOOD | {"commit": "main"}]),
        json.dumps([GOOD | {"state": "great"}]),
        json.dumps([GOOD | {"sentence": "x" * 1000}]),
        json.dumps([GOOD | {"sentence": 1}]),
        json.dumps([GOOD | {"run": "1"}]),
        json.dumps([GOOD | {"run": -1}]),
        json.dumps([GOOD | {"run": True}]),
        json.dumps([GOOD | {"html": "<b>"}]),
        json.dumps([{"state": "pass", "sentence": "x"}]),
        '[{"commit":"' + "a" * 40 + '","state":"pass","sentence":"x","head":NaN}]',
        json.dumps([GOOD] * 2000),
    ],
)
def test_what_we_do_not_write_is_dropped(forged: str) -> None:
    assert older_entries(f"text\n<!-- assay-history:1 {forged} -->\n", None, most=20) == ()


def test_only_the_last_line_of_a_body_counts() -> None:
    forged = payload(None, (Entry(commit="b" * 40, state=Outcome.PASS, sentence="forged"),))
    real = payload(None, EARLIER)
    assert older_entries(f"{forged}\n\n{real}\n", None, most=20) == EARLIER
    assert older_entries(f"x {forged}", None, most=20) == ()


def test_the_oldest_go_first_where_the_payload_grows_too_long() -> None:
    older = tuple(
        Entry(commit=f"{i:040x}", state=Outcome.PASS, sentence="<" * 160) for i in range(100)
    )
    line = payload(CURRENT, older)
    assert len(line) < 21_000
    kept = older_entries(line, CURRENT, most=100)
    assert kept == older[: len(kept)]
    assert kept


def test_the_trend_follows_one_metric() -> None:
    assert CURRENT is not None
    shown = trend(CURRENT, EARLIER)
    assert "▆▁█" in shown
    assert "0.7712 to 0.8135" in shown
    assert trend(CURRENT, ()) == ""
    other = tuple(entry.model_copy(update={"metric": "another"}) for entry in EARLIER)
    assert trend(CURRENT, other) == ""


def test_a_commit_that_is_none_leaves_no_line() -> None:
    made = plan()
    odd = made.event.model_copy(update={"head_sha": "x y"})
    assert entry_of(made.model_copy(update={"event": odd}), passing().verdict) is None
