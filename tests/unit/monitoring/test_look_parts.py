"""Parts of a log without rows: which are normal on a quiet day, and which are broken files."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from assay.evidence import Look
from support.production import LOG, Production

HEADER = "request_id,row,version,assigned,mirrored,time,input,output\n"


def _quiet(folder: Path) -> Production:
    made = Production(folder)
    for number in range(2):
        made.day(number, 120)
    made.label(made.rows)
    return made


def _keys(look: Look) -> set[str]:
    return {problem.key for problem in look.problems}


def _rowless(folder: Path, suffix: str) -> Path:
    """A part of the log that a writer opened and that nothing came for."""
    path = folder / f"logs/part-1{suffix}"
    if suffix == ".parquet":
        pq.write_table(LOG.empty_table(), path)
    else:
        path.write_text(HEADER.replace(",", "\t") if suffix == ".tsv" else HEADER)
    return path


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".tsv"])
def test_a_part_with_its_columns_and_no_rows_is_no_finding(tmp_path: Path, suffix: str) -> None:
    made = _quiet(tmp_path)
    _rowless(tmp_path, suffix)
    look = made.look(2.0)
    assert (look.unreadable, _keys(look)) == ((), set())
    assert sum(window.predictions for window in look.windows) == 240


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_a_log_of_parts_without_rows_is_silent_and_not_broken(tmp_path: Path, suffix: str) -> None:
    made = Production(tmp_path)
    _rowless(tmp_path, suffix)
    made.write_labels()  # Their header alone.
    look = made.look(2.0)
    assert (look.unreadable, _keys(look)) == ((), {"heartbeat:log"})


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("none.parquet", b"", "the file is empty"),
        ("none.csv", b"", "the file is empty"),
        ("none.jsonl", b"", "the file is empty"),
        ("blank.jsonl", b"\n\n", "the file is empty"),
        ("array.json", b"[]", "the array holds no rows"),
        ("objects.jsonl", b"{}\n", "no column can be read"),
        ("other.csv", b"a,b\n", "it has no column 'request_id', 'time', 'prediction'"),
    ],
)
def test_a_file_that_says_no_columns_is_named(
    tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    """Of JSON lines only rows say what columns there are."""
    made = _quiet(tmp_path)
    (tmp_path / "logs" / name).write_bytes(content)
    look = made.look(2.0)
    assert _keys(look) == {"schema:logs files"}
    (unread,) = look.unreadable
    assert name in unread
    assert words in unread
