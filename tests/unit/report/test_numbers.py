"""Digits follow the interval, and no bound is printed as a threshold it does not equal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.report import numbers

FINITE = st.floats(-1e6, 1e6, allow_nan=False)


def read(printed: str) -> float:
    return float(printed.replace("−", "-").replace(",", ""))


@given(FINITE, FINITE)
def test_an_interval_reads_back_within_its_last_digit(a: float, b: float) -> None:
    low, high = min(a, b), max(a, b)
    places = numbers.places_for((low, high))
    left, right = numbers.interval((low, high), places).strip("[]").split(", ")
    for value, printed in ((low, left), (high, right)):
        assert abs(read(printed) - value) <= 0.5000001 * 10**-places + 1e-12 * abs(value)


@given(st.floats(-1, 1), st.floats(-1, 1), st.sampled_from([0.0, -0.01, -0.02]))
def test_no_bound_is_printed_as_a_threshold_it_misses(a: float, b: float, mark: float) -> None:
    bounds = (min(a, b), max(a, b))
    places = numbers.places_for(bounds, thresholds=(0.0, mark))
    for bound in bounds:
        if abs(bound - mark) > (bounds[1] - bounds[0]) * 1e-4 + 1e-8:
            assert read(numbers.number(bound, places)) != mark


@pytest.mark.parametrize(
    ("interval", "places"),
    [
        ((0.0011, 0.0191), 4),
        ((-0.38, 0.25), 2),
        ((-340.0, 310.0), 0),
        ((0.00004, 0.02), 5),
        ((0.0, 0.0), 4),
    ],
)
def test_places(interval: tuple[float, float], places: int) -> None:
    assert numbers.places_for(interval) == places


@pytest.mark.parametrize(
    ("value", "places", "printed"),
    [
        (-0.0001, 2, "0.00"),
        (15234.4, 0, "15,234"),
        (-1.5, 1, "−1.5"),
        (1e-12, 8, "1.0e−12"),
    ],
)
def test_number(value: float, places: int, printed: str) -> None:
    assert numbers.number(value, places) == printed


@pytest.mark.parametrize(
    ("share", "printed"),
    [
        (0.0, "0 %"),
        (1.0, "100 %"),
        (37 / 16_152, "0.23 %"),
        (1e-7, "under 0.01 %"),
        (0.999999, "over 99.99 %"),
        (0.5, "50 %"),
    ],
)
def test_a_share_is_never_rounded_to_none_or_all(share: float, printed: str) -> None:
    assert numbers.percent(share).replace("\N{NO-BREAK SPACE}", " ") == printed


def test_signs_and_spans() -> None:
    assert numbers.signed(0.00001, 3) == "0.000"
    assert numbers.signed(0.01, 2) == "+0.01"
    assert numbers.duration(11_400) == "3 h"
    assert numbers.plural(1, "row") == "1 row"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.02, "0.02"), (1_500_000.0, "1,500,000"), (2.5, "2.5"), (-0.1, "−0.1"), (0.0, "0")],
)
def test_what_somebody_wrote_is_shown_as_written(value: float, text: str) -> None:
    assert numbers.written(value) == text
