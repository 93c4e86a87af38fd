"""What a look says in words: no exponent, no long tail of digits, thousands separated."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from rich.console import Console

from assay.cli.monitor_table import print_look
from assay.config import Severity
from assay.evidence import (
    Coverage,
    Effect,
    Heartbeat,
    LabelFeed,
    Problem,
    Quality,
    Retrospect,
    Rule,
    State,
    Window,
)
from assay.evidence.monitoring import Drift
from assay.monitoring import label_problems, problems
from assay.monitoring.found import Read, Span
from assay.monitoring.times import moment_of
from assay.monitoring.windows import selection
from assay.report.look_page import look_markdown
from support.production import START
from support.watching import look

MOMENT = re.compile(r"\d{4}[-‑]\d\d[-‑]\d\d([T ]?[ ]?\d\d:\d\d(:\d\d)?Z?)?|[0-9a-f]{12,}")
UNTIDY = re.compile(r"\d\.?\d*e[+−-]?\d|\d{5,}|\.\d{9,}")
MANY = 1_234_567
WORSE = Rule(
    model="churn",
    metric="mae",
    gate=True,
    severity=Severity.BLOCK,
    decides=True,
    state=State.WORSE,
    base=100_000.000001,
    head=123_456.78901234567,
    difference=-23_456.78901134567,
    interval=(-30_000.123456789, -15_000.987654321),
    margin=1_500_000.0,
    confidence=0.975,
    n=MANY,
)


def tidy(text: str) -> str:
    """The text, if no number in it is a program's rather than a person's."""
    assert not UNTIDY.findall(MOMENT.sub("", text)), text
    return text


def said(found: list[Problem]) -> str:
    (one,) = found
    return tidy(one.sentence)


def test_a_worse_metric_is_said_with_the_digits_of_its_interval() -> None:
    found = problems.quality_problem(WORSE, START, 0.99999)
    assert found is not None
    assert tidy(found.sentence) == (
        "mae is 123,457 over 1,234,567 predictions since 2026-09-01T00:00:00Z, and 100,000 was "
        "promised: worse by 15,001 to 30,000 (97.5\N{NO-BREAK SPACE}%, all looks together). "
        "Of those, over 99.99\N{NO-BREAK SPACE}% have their label."
    )
    small = {"base": 0.8, "head": 0.71234567, "interval": (-0.131234, -0.0456789)}
    found = problems.quality_problem(WORSE.model_copy(update=small), START, None)
    assert found is not None
    assert "mae is 0.712 over" in found.sentence
    assert "0.800 was promised: worse by 0.046 to 0.131 " in found.sentence


@pytest.mark.parametrize("count", [1, MANY])
def test_counts_agree_with_their_nouns_and_have_their_thousands_separated(count: int) -> None:
    rows = "1 row" if count == 1 else "1,234,567 rows"
    predictions = rows.replace("row", "prediction")
    assert rows in said(problems.clock_problem("logs", count))
    assert rows in said(problems.file_problems("labels", (), count, None))
    unreadable = [f"{number}.csv" for number in range(min(count, 2_000))]
    files = said(problems.file_problems("logs", unreadable, 0, None))
    assert ("1 file of" if count == 1 else "2,000 files of") in files
    feed = LabelFeed(known=0, new=0, corrected=0, contradictory=count, duplicates=0, orphans=count)
    of_labels = label_problems.label_problems(feed, labelled=0)
    assert [predictions in tidy(one.sentence) for one in of_labels] == [True, False]
    assert f"of {count:,}," in of_labels[1].sentence
    assert predictions in said(problems.version_problem({4: {"v2": count}}, 3))
    counts = {0: 9_000_000, 7: 8_000_000, 14: count}
    volume = said(problems.volume_problem(counts, 14, 86_400))
    assert volume.startswith(predictions)
    assert "9,000,000 in the middle" in volume


def test_shares_are_never_rounded_to_nothing_or_to_all() -> None:
    span = Span(since=0, at=10, length=1, mature=5, until=10)
    shares = {"0": (999_999, 1_000_000), "1": (10, 100_000)}
    found = Read(cells=(), delays={}, metrics=(), shares=shares)
    text = selection(found, span, 5, complete=False)
    assert text is not None
    assert tidy(text).startswith("over 99.99\N{NO-BREAK SPACE}% of the predictions of 0 have")
    assert "0.01\N{NO-BREAK SPACE}% of those of 1" in text


def test_a_silence_is_said_in_its_greatest_units() -> None:
    beat = Heartbeat(name="log", last=moment_of(START), silent_after=1_234_567.891, silent=True)
    text = said(problems.silence_problems([beat], START + timedelta(seconds=12_345_678.9)))
    assert "142 d 21 h ago; one is expected each 14 d 6 h" in text


def test_the_page_and_the_terminal_show_no_number_of_a_program() -> None:
    quality = Quality(
        metric="mae", value=123_456.78901234567, interval=(120_000.123, 126_000.987), n=MANY
    )
    window = Window(
        start="2026-03-01T00:00:00Z",
        end="2026-03-02T00:00:00Z",
        complete=True,
        predictions=MANY,
        versions={"v1": MANY, "v2": MANY},
        unknown=MANY,
        coverage=Coverage(
            labelled=MANY - 1, delay_median=86_400.123456, delay_90=500_000.5, provisional=False
        ),
        quality=(quality, quality.model_copy(update={"slice": "plan=pro", "interval": None})),
    )
    moved = Drift(
        column="age",
        role="feature",
        effects=(Effect(name="psi", value=0.3141592653589793, threshold=0.2),),
        moved=True,
        p_adjusted=0.0001234,
        cost=12_345.678901,
    )
    problem = problems.quality_problem(WORSE, START, 0.5)
    assert problem is not None
    shown = look(
        problem,
        rules=(WORSE,),
        windows=(window,),
        drift=(moved,),
        retrospects=(
            Retrospect(metric="f1", windows=MANY, held=MANY, error=0.0123456789, constant=0.1),
        ),
        labels=LabelFeed(
            known=MANY, new=MANY, corrected=MANY, contradictory=MANY, duplicates=MANY, orphans=MANY
        ),
    )
    tidy(look_markdown(shown))
    console = Console(width=300, record=True, file=None, quiet=True)
    print_look(console, shown)
    tidy(console.export_text())
