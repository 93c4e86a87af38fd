"""The write-ahead log: crashes at every byte, damage, and the place kept for a rollback."""

from __future__ import annotations

import errno
import os
import resource
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from assay.errors import IntegrityError
from assay.state import Full, Wal

ENTRY = {"do": "x" * 1000}


def test_entries_read_back_after_a_restart(tmp_path: Path) -> None:
    wal = Wal(tmp_path / "wal")
    wal.append({"n": 1})
    wal.append({"n": 2})
    wal.close()
    assert Wal(tmp_path / "wal").entries == ({"n": 1}, {"n": 2})


def test_an_entry_that_was_cut_anywhere_counts_as_never_written(tmp_path: Path) -> None:
    path = tmp_path / "wal"
    wal = Wal(path, reserve=100)
    wal.append({"n": 1})
    before = path.read_bytes()
    wal.append({"n": 2, "text": "abc"})
    wal.close()
    after = path.read_bytes()
    start = len(before.rstrip(b" "))
    end = len(after.rstrip(b" "))
    for cut in range(start, end):
        path.write_bytes(after[:cut] + before[cut:])
        again = Wal(path, reserve=100)
        assert again.entries == ({"n": 1},), cut
        again.append({"n": 3})
        again.close()
        last = Wal(path, reserve=100)
        assert last.entries == ({"n": 1}, {"n": 3}), cut
        last.close()


def test_padding_that_a_crash_cut_off_is_written_again(tmp_path: Path) -> None:
    path = tmp_path / "wal"
    Wal(path).append({"n": 1})
    path.write_bytes(path.read_bytes().rstrip(b" "))
    wal = Wal(path)
    assert wal.entries == ({"n": 1},)
    assert wal.room >= 64 * 1024


def test_damage_before_whole_entries_is_no_crash_and_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "wal"
    wal = Wal(path)
    wal.append({"n": 1})
    wal.append({"n": 2})
    path.write_bytes(path.read_bytes().replace(b'"n":1', b'"n":7'))
    with pytest.raises(IntegrityError, match=r"wal:1: .*damaged"):
        Wal(path)


def test_an_entry_is_on_the_disk_before_append_returns(tmp_path: Path) -> None:
    synced: list[bytes] = []
    path = tmp_path / "wal"
    wal = Wal(path, sync=lambda _: synced.append(path.read_bytes()))
    wal.append({"n": 1})
    assert b'{"n":1}' in synced[-1]


def test_compacting_keeps_what_is_given_and_survives_a_restart(tmp_path: Path) -> None:
    wal = Wal(tmp_path / "wal")
    for _ in range(50):
        wal.append(ENTRY)
    wal.compact([{"state": 1}])
    wal.append({"n": 2})
    wal.close()
    assert Wal(tmp_path / "wal").entries == ({"state": 1}, {"n": 2})
    assert not (tmp_path / "wal.new").exists()


@contextmanager
def no_file_above(size: int) -> Iterator[None]:
    """Have the kernel refuse to make any file longer, as a full disk does (EFBIG for ENOSPC)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    # A module imported meanwhile would leave its bytecode cut short for every later process.
    cached, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        sys.dont_write_bytecode = cached
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)


def until_full(wal: Wal) -> int:
    for written in range(1_000):
        try:
            wal.append(ENTRY)
        except Full:
            return written
    raise AssertionError("the log took everything")


def test_where_no_file_may_grow_a_rollback_still_finds_its_place(tmp_path: Path) -> None:
    path = tmp_path / "wal"
    wal = Wal(path, reserve=8_000)
    with no_file_above(path.stat().st_size):
        written = until_full(wal)
        assert written > 10
        wal.append({"rollback": True}, urgent=True)
        wal.append({"done": True}, urgent=True)
        wal.compact(wal.entries)
    wal.close()
    assert Wal(path).entries[-2:] == ({"rollback": True}, {"done": True})
    assert len(Wal(path).entries) == written + 2


def test_a_disk_that_fails_to_sync_is_named_and_the_entry_does_not_count(tmp_path: Path) -> None:
    broken = [False]

    def sync(handle: int) -> None:
        if broken[0]:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    wal = Wal(tmp_path / "wal", sync=sync)
    wal.append({"n": 1})
    broken[0] = True
    with pytest.raises(Full, match="Input/output error"):
        wal.append({"n": 2})
    broken[0] = False
    wal.append({"n": 3})
    assert Wal(tmp_path / "wal").entries == ({"n": 1}, {"n": 3})
