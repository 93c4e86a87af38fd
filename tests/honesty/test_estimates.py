"""How often does an estimate's interval hold what the labels show?"""

from __future__ import annotations

import numpy as np
import pytest

from honesty.estimates import Estimated, simulated
from honesty.estimates_part import LEAST, faults
from honesty.test_sequential import shown

pytestmark = pytest.mark.honesty

DRIFTS = 400


def drawn(kind: str, drifts: int = DRIFTS) -> list[Estimated]:
    rng = np.random.default_rng(17)
    return [each for _ in range(drifts) for each in simulated(rng, kind)]


def held(found: list[Estimated], metric: str) -> int:
    return sum(each.held for each in found if each.metric == metric)


def error(found: list[Estimated], metric: str, *, usual: bool = False) -> float:
    own = [each for each in found if each.metric == metric]
    return float(np.mean([abs((e.usual if usual else e.value) - e.realised) for e in own]))


def test_covariate_drifts_are_estimated_honestly() -> None:
    """Shifts up to a deviation, spreads from 0.6 to 1.4; nominal 95 %."""
    found = drawn("covariate")
    for metric in ("accuracy", "f1"):
        _, high = shown(f"{metric}, covariate drift", held(found, metric), DRIFTS)
        assert high >= 0.95
        assert held(found, metric) >= LEAST * DRIFTS
        assert error(found, metric) < 0.6 * error(found, metric, usual=True)


def test_other_drifts_are_invisible() -> None:
    """What the documentation says: the interval then does not hold."""
    for kind in ("label shift", "concept"):
        found = drawn(kind, 100)
        shown(f"accuracy, {kind}", held(found, "accuracy"), 100)
        assert held(found, "f1") < 80


def test_a_promise_that_is_not_shown_is_named() -> None:
    missed = Estimated(
        kind="covariate", metric="f1", value=0.5, low=0.4, high=0.6, realised=0.9, usual=0.8
    )
    assert "f1, covariate: 0 of 30 held" in faults([missed] * 30)
