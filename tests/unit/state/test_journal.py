"""The chain of decisions: what breaks it, what a crash leaves of it, and a disk that is full."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import IntegrityError
from assay.state import Journal, canonical_line, chain_in
from assay.state.journal import MAX_LINE_BYTES
from support.chains import chain, decision_line


def content_of(length: int) -> bytes:
    return b"".join(link.line for link in chain(length))


def test_a_chain_reads_back_as_it_was_written() -> None:
    assert chain_in(content_of(5), file="j") == chain(5)


def test_a_continuation_is_read_after_the_link_before_it() -> None:
    links = chain(5)
    rest = b"".join(link.line for link in links[3:])
    assert chain_in(rest, file="j", after=links[2]) == links[3:]
    with pytest.raises(IntegrityError, match="number 1 follows here"):
        chain_in(rest, file="j")


@given(st.integers(0, 4), st.data())
def test_any_altered_byte_breaks_the_chain_or_is_its_last_line_s(
    line: int, data: st.DataObject
) -> None:
    lines = content_of(5).splitlines(keepends=True)
    place = data.draw(st.integers(0, len(lines[line]) - 2))
    wrong = data.draw(st.integers(0, 255).filter(lambda value: value != lines[line][place]))
    lines[line] = lines[line][:place] + bytes([wrong]) + lines[line][place + 1 :]
    try:
        found = chain_in(b"".join(lines), file="j")
    except IntegrityError:
        return
    assert line == 4
    assert found[:4] == chain(4)


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ((0, 2), "number 2 follows here"),
        ((0, 0), "number 2 follows here"),
        ((1, 0), "number 1 follows here"),
    ],
    ids=["left-out", "twice", "swapped"],
)
def test_a_line_left_out_repeated_or_moved_is_named(lines: tuple[int, ...], says: str) -> None:
    links = chain(3)
    content = b"".join(links[place].line for place in lines)
    with pytest.raises(IntegrityError, match=says):
        chain_in(content, file="assay/journal:x")


def test_a_line_of_another_chain_of_the_right_number_is_refused() -> None:
    content = chain(2)[0].line + chain(2, note="other")[1].line
    with pytest.raises(IntegrityError, match="does not name the digest"):
        chain_in(content, file="j")


def test_an_epoch_never_goes_down() -> None:
    links = chain(1, epoch=3)
    content = links[0].line + decision_line(links[0], epoch=2)
    with pytest.raises(IntegrityError, match="epoch is below 3"):
        chain_in(content, file="j")


@pytest.mark.parametrize("line", [b"{}\n", b"[]\n", b"x\n", b'{"seq": 1}\n', b"[" * 9000 + b"\n"])
def test_what_is_no_canonical_decision_is_named(line: bytes) -> None:
    with pytest.raises(IntegrityError, match=r"j:1: .*breaks here"):
        chain_in(line, file="j")


def test_a_decision_that_no_reader_would_take_is_not_made() -> None:
    with pytest.raises(ValueError, match="at most"):
        canonical_line({"sentence": "x" * MAX_LINE_BYTES})


def test_the_local_journal_survives_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    journal = Journal(path)
    for link in chain(4):
        journal.append(link.line)
    assert Journal(path).links == chain(4)
    assert Journal(path).last == chain(4)[-1]


def test_adding_the_newest_line_again_adds_nothing(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    journal.append(chain(1)[0].line)
    journal.append(chain(1)[0].line)
    assert len(Journal(tmp_path / "j").links) == 1


def test_a_line_that_does_not_follow_is_refused(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    with pytest.raises(IntegrityError, match="number 1 follows"):
        journal.append(chain(2)[1].line)


def test_every_way_to_cut_the_last_line_leaves_the_ones_before(tmp_path: Path) -> None:
    whole = content_of(3)
    start = len(content_of(2))
    path = tmp_path / "j"
    for cut in range(start, len(whole)):
        path.write_bytes(whole[:cut])
        journal = Journal(path)
        assert journal.links == chain(2)
        journal.append(chain(3)[2].line)
        assert path.read_bytes() == whole


def test_what_a_full_disk_does_not_take_is_written_when_it_does(tmp_path: Path) -> None:
    full = [False]

    def sync(handle: int) -> None:
        if full[0]:
            raise OSError(errno.ENOSPC, "No space left on device")

    journal = Journal(tmp_path / "j", sync=sync)
    links = chain(3)
    journal.append(links[0].line)
    full[0] = True
    journal.append(links[1].line)
    assert journal.unwritten == 1
    assert journal.last == links[1]
    full[0] = False
    journal.append(links[2].line)
    assert journal.unwritten == 0
    assert Journal(tmp_path / "j").links == links


def test_a_host_without_a_chain_takes_the_branch_s(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    journal.adopt(chain(3))
    assert Journal(tmp_path / "j").links == chain(3)
    with pytest.raises(ValueError, match="of its own"):
        journal.adopt(chain(3))
