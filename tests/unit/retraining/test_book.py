"""The book of retrainings on a real branch: two at once, tries again, damage."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from assay.errors import IntegrityError
from assay.evidence import Retraining, TriggerKind
from assay.retraining.decide import finish, reserve
from assay.retraining.triggers import Facts
from assay.state.retraining import Entry, entries_in, live, read_book
from support.retrainings import DAY, HOUR, NOW, Pipeline, asked

PERSON = Facts(now=NOW, asked=TriggerKind.MANUAL, by="octo", reason="now")


def test_of_two_who_decide_at_once_one_trains_and_the_other_is_told(pipeline: Pipeline) -> None:
    made: dict[str, Retraining] = {}
    books = {key: pipeline.book() for key in ("run-1", "run-2", "run-3")}
    start = threading.Barrier(len(books))

    def race(key: str) -> None:
        start.wait()
        made[key] = reserve(asked(id=key), PERSON, books[key])

    threads = [threading.Thread(target=race, args=(key,)) for key in books]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (winner,) = [key for key, decision in made.items() if decision.due]
    for key in set(made) - {winner}:
        assert winner in str(made[key].held)
    assert [entry.id for entry in read_book(books[winner], "churn")] == [winner]


def test_a_run_tried_again_reserves_once_and_an_end_is_written_once(pipeline: Pipeline) -> None:
    book = pipeline.book()
    assert reserve(asked(), PERSON, book).due
    assert reserve(asked(), PERSON, book).due
    assert [entry.kind for entry in read_book(book, "churn")] == ["reserved"]
    for _ in range(2):
        finish(book, "churn", "run-1", "proposed", at=NOW + HOUR, pull=4)
    assert [entry.kind for entry in read_book(book, "churn")] == ["reserved", "ended"]
    finish(book, "churn", "run-1", "closed", at=NOW + 2 * HOUR, pull=4)
    assert [entry.outcome for entry in read_book(book, "churn")][1:] == ["proposed", "closed"]


def test_a_try_after_its_end_is_reserved_anew_so_that_nobody_runs_beside_it(
    pipeline: Pipeline,
) -> None:
    book = pipeline.book()
    reserve(asked(), PERSON, book)
    finish(book, "churn", "run-1", "failed", at=NOW)
    assert reserve(asked(), PERSON, book).due
    assert [entry.id for entry in live(read_book(book, "churn"), NOW)] == ["run-1"]
    assert not reserve(asked(id="run-2"), PERSON, book).due


def test_the_first_count_of_rows_is_kept_though_nothing_asks(pipeline: Pipeline) -> None:
    book = pipeline.book()
    rules = "{new_data: {source: d, share: 0.5}, quality: false}"
    assert not reserve(asked(rules), Facts(now=NOW, rows=100), book).due
    assert not reserve(asked(rules, id="run-2"), Facts(now=NOW + DAY, rows=120), book).due
    assert [entry.rows for entry in read_book(book, "churn")] == [100]
    made = reserve(asked(rules, id="run-3"), Facts(now=NOW + DAY, rows=150), book)
    assert made.due
    assert [entry.rows for entry in read_book(book, "churn")] == [100, 150]


@pytest.mark.parametrize(
    "content",
    [
        b"no json\n",
        b'{"kind":"reserved"}\n',
        b"[]\n",
        b'{"at":"2026-03-01T12:00:00Z","id":"run-1","kind":"counted","rows":1}',
        b'{"at":"yesterday","id":"run-1","kind":"counted","rows":1}\n',
        b'{"at":"2026-03-01T12:00:00Z","id":"run-1","kind":"counted","more":1}\n',
    ],
)
def test_a_damaged_book_is_refused_with_its_line(content: bytes) -> None:
    with pytest.raises(IntegrityError, match="retraining/churn"):
        entries_in({"retraining/churn.jsonl": content}, "churn")


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "other"},
        {"id": "../x"},
        {"until": None},
        {"rows": -1},
        {"outcome": "proposed"},
        {"at": "2026-03-01 12:00"},
        {"rows": True},
    ],
)
def test_what_is_no_entry_cannot_be_made(changes: dict[str, Any]) -> None:
    facts = {"kind": "reserved", "id": "run-1", "at": "2026-03-01T12:00:00Z"}
    with pytest.raises(ValueError, match="no entry"):
        Entry(**{**facts, "until": "2026-03-01T13:00:00Z", **changes})
