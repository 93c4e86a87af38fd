"""The journal on a real bare repository: pushes, races, divergence, and a remote that is away."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from assay.errors import IntegrityError, OutsideError
from assay.git import Refused
from assay.state import (
    JOURNAL,
    Diverged,
    Remote,
    StateBranch,
    chain_of,
    open_records,
    push_chain,
    read_chain,
)
from assay.state import journal_branch as room
from assay.state.branch import Files
from support.chains import chain
from support.repositories import Origin, put_hook

WHERE = ("production", "churn")


class Bench(Origin):
    """A bare repository with nothing in it, and writers to it."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        super().__init__(folder)
        self._stack = stack

    def writer(self) -> StateBranch:
        remote = Remote(address=str(self.bare), environment=self.environment)
        opened = self._stack.enter_context(open_records(remote, JOURNAL))
        return replace(opened, sleep=lambda _: None)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with ExitStack() as stack:
        yield Bench(tmp_path, stack)


def test_pushes_add_what_the_branch_lacks_and_nothing_twice(bench: Bench) -> None:
    writer = bench.writer()
    push_chain(writer, *WHERE, chain(2))
    push_chain(writer, *WHERE, chain(5))
    assert push_chain(writer, *WHERE, chain(5)).written == ()
    assert read_chain(bench.writer(), *WHERE) == chain(5)
    assert bench.git("rev-list", "--count", JOURNAL) == "2"


def test_the_observation_goes_into_the_same_commit(bench: Bench) -> None:
    writer = bench.writer()
    push_chain(writer, *WHERE, chain(1), beside={"observed/production/churn.json": b"{}\n"})
    assert bench.git("show", f"{JOURNAL}:observed/production/churn.json") == "{}"
    assert bench.git("rev-list", "--count", JOURNAL) == "1"


def test_another_target_s_push_in_between_loses_nothing(bench: Bench) -> None:
    here, there = bench.writer(), bench.writer()
    push_chain(here, *WHERE, chain(1))
    push_chain(there, "staging", "churn", chain(3, note="staging"))
    push_chain(here, *WHERE, chain(2))
    assert read_chain(here, *WHERE) == chain(2)
    assert read_chain(here, "staging", "churn") == chain(3, note="staging")


def test_a_branch_that_holds_another_chain_is_not_written_to(bench: Bench) -> None:
    push_chain(bench.writer(), *WHERE, chain(3, note="other"))
    before = bench.git("rev-parse", JOURNAL)
    with pytest.raises(Diverged, match="decision 1 of churn on production"):
        push_chain(bench.writer(), *WHERE, chain(2))
    assert bench.git("rev-parse", JOURNAL) == before


def test_a_branch_that_is_ahead_is_not_written_to(bench: Bench) -> None:
    push_chain(bench.writer(), *WHERE, chain(3))
    with pytest.raises(Diverged, match=r"decision 3 .*has 2, the branch 3"):
        push_chain(bench.writer(), *WHERE, chain(2))


def test_a_branch_that_was_rewound_is_brought_up_again(bench: Bench) -> None:
    writer = bench.writer()
    push_chain(writer, *WHERE, chain(1))
    first = bench.git("rev-parse", JOURNAL)
    push_chain(writer, *WHERE, chain(2))
    bench.git("update-ref", f"refs/heads/{JOURNAL}", first)
    push_chain(writer, *WHERE, chain(3))
    assert read_chain(writer, *WHERE) == chain(3)


def test_a_long_chain_is_kept_in_several_files(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "LINES_PER_FILE", 4)
    writer = bench.writer()
    push_chain(writer, *WHERE, chain(3))
    push_chain(writer, *WHERE, chain(9))
    names = bench.git("ls-tree", "--name-only", f"{JOURNAL}:journal/production/churn")
    assert names.split() == ["0.jsonl", "1.jsonl", "2.jsonl"]
    assert read_chain(writer, *WHERE) == chain(9)
    files = writer.read("journal/").files
    missing = {path: text for path, text in files.items() if not path.endswith("/1.jsonl")}
    with pytest.raises(IntegrityError, match="missing or too short"):
        chain_of(missing, *WHERE)


def test_an_altered_line_on_the_branch_is_named(bench: Bench) -> None:
    writer = bench.writer()
    push_chain(writer, *WHERE, chain(2))
    where = "journal/production/churn/0.jsonl"

    def alter(files: Files) -> Files:
        return {where: files[where].replace(b"stepped", b"stopped", 1)}

    writer.append("journal/", alter, message="tamper")
    with pytest.raises(IntegrityError, match=r"0\.jsonl:2: .*chain of decisions breaks"):
        read_chain(writer, *WHERE)
    with pytest.raises(IntegrityError, match="breaks"):
        push_chain(writer, *WHERE, chain(3))


def test_a_refusing_remote_is_named_at_once(bench: Bench) -> None:
    put_hook(bench.bare, "pre-receive", "echo no journal today >&2; exit 1")
    with pytest.raises(Refused, match="takes no push"):
        push_chain(bench.writer(), *WHERE, chain(1))


def test_a_remote_that_is_away_loses_nothing(bench: Bench) -> None:
    writer = bench.writer()
    push_chain(writer, *WHERE, chain(1))
    away = bench.bare.rename(bench.bare.with_name("away.git"))
    with pytest.raises(OutsideError):
        push_chain(writer, *WHERE, chain(4), tries=2)
    away.rename(bench.bare)
    push_chain(writer, *WHERE, chain(6))
    assert read_chain(writer, *WHERE) == chain(6)
