"""Silences and acknowledgements: journaled, with an end, and read by nothing but messages."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import InputError, IntegrityError
from assay.state import Entry, append_silence, in_force, open_desired, read_silences
from assay.state.desired import Remote
from assay.state.silences import Kind, entries_in
from support.repositories import Sandbox, git_variables

AT, UNTIL = "2026-03-09T10:00:00Z", "2026-03-09T18:00:00Z"


def entry(kind: Kind = "silence", until: str | None = UNTIL, **fields: str) -> Entry:
    given = {"model": "churn", "problem": "quality:f1", "by": "kim", "at": AT, "reason": "known"}
    return Entry(kind=kind, until=until, **{**given, **fields})


def held(*entries: Entry, now: str = "2026-03-09T12:00:00Z", since: str = AT) -> bool:
    moment = datetime.fromisoformat(now)
    return in_force(entries, "quality:f1", since=since, now=moment) is not None


def test_a_silence_holds_until_its_end() -> None:
    assert held(entry())
    assert not held(entry(), now=UNTIL)
    assert not held(entry(problem="quality:recall"))
    assert held(entry(), since="2026-03-09T11:00:00Z"), "what begins meanwhile is silent too"


def test_the_newest_word_counts() -> None:
    assert not held(entry(), entry("lift", None, at="2026-03-09T11:00:00Z"))
    assert held(entry("lift", None), entry())


def test_an_acknowledgement_ends_with_the_problem() -> None:
    assert held(entry("ack", None), since="2026-03-08T00:00:00Z", now="2026-04-01T00:00:00Z")
    assert not held(entry("ack", None), since="2026-03-09T11:00:00Z")


@pytest.mark.parametrize(
    "fields",
    [
        {"until": None},
        {"until": AT},
        {"until": "2026-05-01T00:00:00Z"},
        {"until": "tomorrow"},
        {"model": "../x"},
        {"problem": "f1"},
        {"problem": "quality:f1\n{}"},
        {"by": " "},
        {"reason": "x" * 501},
        {"at": "2026-03-09 10:00"},
    ],
)
def test_what_could_not_be_read_back_is_refused(fields: dict[str, str | None]) -> None:
    with pytest.raises(InputError):
        entry(**fields)  # type: ignore[arg-type]


@given(st.text(min_size=1, max_size=50), st.text(min_size=1, max_size=50))
def test_any_words_are_one_line_that_is_read_back(by: str, reason: str) -> None:
    try:
        made = entry(by=by, reason=reason)
    except InputError:
        return
    assert made.line().count(b"\n") == 1
    assert entries_in("churn", made.line()) == (made,)


def test_a_damaged_line_is_named() -> None:
    with pytest.raises(IntegrityError, match="no silence") as raised:
        entries_in("churn", entry().line() + b'{"kind": "rollback"}\n')
    assert raised.value.where is not None
    assert raised.value.where.line == 2


def test_lines_are_added_to_the_branch_and_read_again(tmp_path: Path) -> None:
    sandbox = Sandbox.make(tmp_path / "repository")
    sandbox.commit({"a": "b"}, message="first")
    remote = Remote(address=str(sandbox.root), environment=git_variables(tmp_path))
    with open_desired(remote) as branch:
        assert read_silences(branch, "churn") == ()
        first = append_silence(branch, entry())
        assert append_silence(branch, entry()).written == ()
        append_silence(branch, entry("lift", None))
        append_silence(branch, entry(model="churn2"))
        assert first.written
        assert [one.kind for one in read_silences(branch, "churn")] == ["silence", "lift"]


def test_no_room_but_these_reads_silences() -> None:
    """A silence never disables a rollback: what decides of traffic cannot see it."""
    root = Path(__file__).parents[3] / "toolkit" / "assay"
    deciding = [*(root / "rollout").rglob("*.py"), *(root / "verdict").rglob("*.py")]
    assert len(deciding) > 20
    texts = {path.name: path.read_text() for path in deciding}
    reading = [n for n, text in texts.items() if "silences" in text or "in_force" in text]
    assert reading == []


def test_utc_is_what_is_written() -> None:
    assert datetime.fromisoformat(entry().at).tzinfo == UTC
