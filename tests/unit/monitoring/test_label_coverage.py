"""Labels that stop coming are found, and hours in which nobody labels are not."""

from __future__ import annotations

from collections.abc import Callable

from assay.monitoring.found import Span
from assay.monitoring.label_problems import coverage_problem
from assay.tables.live_counts import Cell, LiveSums

HOUR = 3_600 * 1_000_000
WEEK = 168


def raised(labelled: Callable[[int], int], mature: int, *, predictions: int = 100) -> bool:
    """Whether there is a finding, after so many hours with so many labels each."""
    cells = [
        Cell(window=at, version="v", predictions=predictions, sums=LiveSums(n=labelled(at)))
        for at in range(mature + 1)
    ]
    at = (mature + 24) * HOUR
    span = Span(since=0, at=at, length=HOUR, mature=mature, until=at)
    return bool(coverage_problem(cells, span))


def test_labels_that_stop_are_found_in_the_first_week_and_later() -> None:
    for mature in (30, 5 * WEEK):
        assert raised(lambda at, last=mature: 80 if at < last else 10, mature)
        assert not raised(lambda at, last=mature: 80 if at < last else 30, mature)


def test_hours_in_which_nobody_labels_are_quiet_once_two_weeks_say_so() -> None:
    def never_on_sundays(at: int) -> int:
        return 0 if at % WEEK >= 144 else 80

    sunday = 3 * WEEK + 150
    assert not raised(never_on_sundays, sunday)
    assert raised(never_on_sundays, 150)
    assert raised(lambda at: 0 if at == sunday + 20 else never_on_sundays(at), sunday + 20)


def test_few_labels_may_be_absent_by_chance() -> None:
    assert not raised(lambda at: 40 if at < 30 else 0, 30)
