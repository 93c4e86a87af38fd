"""The states of the design's table, and what stands beside them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.evidence import State
from assay.verdict import judge, judge_relative, judge_scalar
from assay.verdict.judge import flags_of


@pytest.mark.parametrize(
    ("interval", "state", "flags"),
    [
        ((0.001, 0.02), State.BETTER, []),
        ((-0.009, 0.02), State.NO_WORSE, []),
        ((0.0, 0.0), State.NO_WORSE, []),
        ((-0.009, -0.001), State.NO_WORSE, ["small_loss"]),
        ((-0.010, 0.02), State.INCONCLUSIVE, []),
        ((-0.030, 0.001), State.INCONCLUSIVE, []),
        ((-0.030, 0.0), State.INCONCLUSIVE, []),
        ((-0.030, -0.001), State.WORSE, []),
        ((-0.030, -0.011), State.WORSE, ["exceeds_margin"]),
    ],
)
def test_states_at_a_margin_of_one_point(
    interval: tuple[float, float], state: State, flags: list[str]
) -> None:
    assert judge(interval, margin=0.01) is state
    assert flags_of(state, interval, margin=0.01, beyond=False) == flags


def test_must_improve_leaves_nothing_between_better_and_worse() -> None:
    assert judge((0.0, 0.0), margin=0.0, must_improve=True) is State.INCONCLUSIVE
    assert judge((1e-9, 0.1), margin=0.0, must_improve=True) is State.BETTER
    assert judge((-0.1, -1e-9), margin=0.0, must_improve=True) is State.WORSE


def test_without_a_margin_nothing_is_no_worse() -> None:
    assert judge((-1e-9, 1e-9), margin=None) is State.INCONCLUSIVE


@pytest.mark.parametrize(
    ("interval", "contrast", "state"),
    [
        ((0.01, 0.02), (0.03, 0.04), State.BETTER),
        ((-0.01, 0.02), (0.01, 0.04), State.NO_WORSE),
        ((-0.03, 0.02), (-0.01, 0.04), State.INCONCLUSIVE),
        ((-0.03, -0.01), (-0.01, 0.01), State.WORSE),
        ((-0.03, -0.01), (0.001, 0.01), State.NO_WORSE),
    ],
)
def test_a_relative_margin_is_one_contrast(
    interval: tuple[float, float], contrast: tuple[float, float], state: State
) -> None:
    assert judge_relative(interval, contrast) is state


@given(low=st.floats(-1, 1), width=st.floats(0, 1), margin=st.floats(1e-6, 0.5))
def test_a_wider_margin_never_hurts(low: float, width: float, margin: float) -> None:
    order = [State.WORSE, State.INCONCLUSIVE, State.NO_WORSE, State.BETTER]
    strict = judge((low, low + width), margin=margin)
    loose = judge((low, low + width), margin=2 * margin)
    assert order.index(loose) >= order.index(strict)


def test_a_scalar_is_within_its_tolerance_to_the_last_decimal() -> None:
    assert judge_scalar(0.85, 0.84 - 0.85, tolerance=0.01, relative=0) is State.NO_WORSE
    assert judge_scalar(0.85, 0.8399 - 0.85, tolerance=0.01, relative=0) is State.WORSE
    assert judge_scalar(-200.0, -2.0, tolerance=0, relative=0.01) is State.NO_WORSE
    assert judge_scalar(0.0, -1e-9, tolerance=0, relative=0.01) is State.WORSE
