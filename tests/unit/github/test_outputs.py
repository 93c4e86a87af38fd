"""Outputs and summaries reach the runner whole, or cut and saying so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import OutsideError
from assay.github.outputs import MAX_SUMMARY_BYTES, append_outputs, cut_bytes, write_summary


def parse(text: str) -> dict[str, str]:
    """Read an output file as the runner does."""
    found, position = {}, 0
    while position < len(text):
        match = re.compile(r"([^\n<]+)<<([^\n]+)\n").match(text, position)
        assert match
        end = text.index(f"\n{match[2]}\n", match.end() - 1)
        found[match[1]] = text[match.end() : end]
        position = end + len(match[2]) + 2
    return found


@given(st.text(alphabet=st.characters(codec="utf-8")))
def test_any_value_comes_back_whole(tmp_path_factory: pytest.TempPathFactory, value: str) -> None:
    path = tmp_path_factory.mktemp("o") / "output"
    append_outputs(path, {"first": value, "second": "EOF\nthird<<EOF\nx\nEOF"})
    text = path.read_bytes().decode()
    assert parse(text) == {"first": value, "second": "EOF\nthird<<EOF\nx\nEOF"}


def test_delimiters_differ(tmp_path: Path) -> None:
    append_outputs(tmp_path / "o", {"a": "1", "b": "1"})
    assert len(set(re.findall(r"<<(\S+)", (tmp_path / "o").read_text()))) == 2


def test_a_name_cannot_be_injected(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="name of an output"):
        append_outputs(tmp_path / "o", {"a\nb": "1"})


def test_a_summary_is_cut_at_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "summary"
    write_summary(path, "first\n")
    write_summary(path, "é line\n" * 200_000)
    assert path.stat().st_size <= MAX_SUMMARY_BYTES
    assert path.read_text().endswith("one mebibyte a step.)\n")
    write_summary(path, "more\n")
    assert path.stat().st_size <= MAX_SUMMARY_BYTES


@given(st.text(alphabet="aé€😀\n", max_size=200), st.integers(0, 300))
def test_cutting_never_exceeds_and_never_breaks_a_character(text: str, most: int) -> None:
    assert len(cut_bytes(text, most, note="cut\n").encode()) <= most


def test_an_unwritable_file_is_an_outside_error(tmp_path: Path) -> None:
    with pytest.raises(OutsideError):
        write_summary(tmp_path / "missing" / "summary", "x")
