"""What is wrong with labels: they contradict each other, are of nothing, or stop to match."""

from __future__ import annotations

from collections.abc import Sequence

from assay.config import Severity
from assay.evidence import LabelFeed, Problem, ProblemKind
from assay.monitoring.found import Span
from assay.monitoring.problems import FEWEST_WEEKS, LITTLE, WEEK, problem
from assay.monitoring.times import from_microseconds, moment_of, spoken
from assay.report.numbers import percent, plural
from assay.tables.live_counts import Cell

_FEWEST = 50
"""Labels that are to be expected before their absence says anything: by chance alone less than a
third of them come once in fifty million windows (Poisson)."""


def label_problems(feed: LabelFeed, labelled: int) -> list[Problem]:
    """Labels that contradict each other, and labels that are of nothing."""
    found = []
    if feed.contradictory:
        found.append(
            problem(
                ProblemKind.LABELS,
                "contradictory",
                Severity.WARN,
                f"Two labels of one time: {plural(feed.contradictory, 'prediction')}; none of the "
                "two is counted until a later one settles it.",
            )
        )
    if feed.orphans and not labelled:
        found.append(
            problem(
                ProblemKind.LABELS,
                "orphans",
                Severity.WARN,
                f"Not one label, of {feed.orphans:,}, has the id of a prediction: the ids do not "
                "match.",
            )
        )
    return found


def coverage_problem(cells: Sequence[Cell], span: Span) -> list[Problem]:
    """The newest mature window has less than a third of the labels that the ones before it have.

    Those are the same hours of earlier weeks, once there are two: at night or on Sundays nobody may
    label.
    """
    newest = [cell for cell in cells if cell.window == span.mature]
    before = _before(cells, span)
    rows, labelled = (sum(cell.predictions for cell in newest), sum(c.sums.n for c in newest))
    usual = sum(cell.sums.n for cell in before) / max(1, sum(c.predictions for c in before))
    expected = rows * usual
    if expected < _FEWEST or labelled >= expected * LITTLE:
        return []
    start = from_microseconds(span.mature * span.length)
    return [
        problem(
            ProblemKind.LABELS,
            "coverage",
            Severity.WARN,
            f"Of {plural(rows, 'prediction')} in the {spoken(span.length / 1e6)} from "
            f"{moment_of(start)}, whose labels should be there by now, {labelled:,} have one; of "
            f"those before it {percent(usual)} have. Labels stopped coming, came later than "
            "labels.delay, or their ids are no longer those of the log.",
        )
    ]


def _before(cells: Sequence[Cell], span: Span) -> list[Cell]:
    before = [cell for cell in cells if cell.window < span.mature]
    week = WEEK * 1_000_000
    if week % span.length:
        return before
    same = [cell for cell in before if (span.mature - cell.window) % (week // span.length) == 0]
    return same if len({cell.window for cell in same}) >= FEWEST_WEEKS else before
