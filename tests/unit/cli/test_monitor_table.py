"""A look at a terminal: what is wrong first, and outside names that steer nothing."""

from __future__ import annotations

import io

from rich.console import Console

from assay.cli.monitor_table import print_look
from assay.evidence import Look
from assay.evidence.monitoring import Retrospect
from support.watching import look, problem


def printed(found: Look, *, width: int = 100) -> str:
    out = io.StringIO()
    print_look(Console(file=out, width=width, markup=False, highlight=False), found)
    return out.getvalue()


def test_what_is_wrong_leads() -> None:
    text = printed(look(problem()))
    assert text.startswith("f1 fell by 0.06 [0.04, 0.08], more than 0.03.\n")
    assert text.index("urgent") < text.index("Judged") < text.index("Window until")
    assert "910 of 1,000 predictions" in text
    assert "Drift: 1 of 2 columns moved" in text


def test_notes_and_how_right_estimates_were_are_said() -> None:
    text = printed(
        look(
            notes=("Drift of features: the log holds none of the reference's.",),
            retrospects=(Retrospect(metric="f1", windows=9, held=8, error=0.012, constant=0.05),),
        )
    )
    assert "the log holds none of the reference's" in text
    assert "of 9 earlier windows the interval held 8" in text


def test_a_look_without_anything_is_printed() -> None:
    text = printed(look(windows=(), labels=None, version=None, heartbeats=(), rules=(), drift=()))
    assert text.strip() == "Nothing is worse."


def test_outside_names_steer_no_terminal() -> None:
    nasty = "\x1b[2J\r[bold]x[/bold]\n"
    text = printed(look(problem(subject=nasty, sentence=nasty), sentence=nasty, notes=(nasty,)))
    assert "\x1b[2J" not in text
    assert "\r" not in text
    assert "[bold]x[/bold]" in text


def test_a_narrow_terminal_breaks_no_table() -> None:
    assert max(map(len, printed(look(problem()), width=60).splitlines())) <= 60
