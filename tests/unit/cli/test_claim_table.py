"""The terminal's table fits its width and cuts names alone, never a number."""

from __future__ import annotations

import io

import pytest
from rich.cells import cell_len
from rich.console import Console

from assay.cli.claim_table import print_claims, shortened
from assay.evidence import Rule, State
from assay.report.gates import cells
from support.reports import rule

LONG = "mean:grade_given_by_the_second_of_three_judges"
RULES = (
    rule("accuracy", State.NO_WORSE, 0.8036, 0.8041, 0.0081),
    rule(LONG, State.INCONCLUSIVE, 4.6, 4.65, 0.11),
    rule("accuracy", State.WORSE, 0.744, 0.652, 0.0611, slice="segment_of_the_quarter=" + "x" * 90),
    rule(LONG, State.BETTER, 4.4, 4.65, 0.11, slice="segment_of_the_quarter=" + "x" * 90),
    rule("日本語" * 20, State.BETTER, 4.4, 4.65, 0.11, slice="列=値"),
)


def printed(rules: tuple[Rule, ...], width: int) -> list[str]:
    file = io.StringIO()
    print_claims(Console(width=width, file=file, highlight=False), rules, 0.95)
    return file.getvalue().splitlines()


@pytest.mark.parametrize("width", [80, 100, 140])
def test_it_fits_and_every_number_is_whole(width: int) -> None:
    lines = printed(RULES, width)
    assert max(map(cell_len, lines)) <= width
    text = "\n".join(lines)
    for one in RULES:
        shown = cells(one)
        assert shown.base in text
        assert shown.difference in text
        assert one.state.value in text


def test_slices_stand_below_their_name_and_columns_in_line() -> None:
    lines = printed(RULES, 100)
    words = [state.value for state in State]
    starts = {
        cell_len(line[: line.rindex(" ")])
        for line in lines
        if line.split() and line.split()[-1] in words
        for line in [line.rstrip()]
    }
    named = [line for line in lines if line.startswith("segment_of_the_quarter=")]
    assert len(named) == 1
    assert "…" in named[0]
    assert len(starts) == 1
    assert lines[lines.index(named[0]) + 1].startswith("  accuracy")


def test_a_cut_name_keeps_both_ends() -> None:
    assert shortened("mean:grade_of_judge_one", 15) == "mean:gr…dge_one"
    assert shortened("short", 15) == "short"
    assert shortened("a\nb\tc\x1b[31m", 40) == "a\\nb\\tc\\x1b[31m"
