"""Does the classifier of multivariate drift keep quiet, and see?"""

from __future__ import annotations

from pathlib import Path

import pytest

from honesty.apart import Compared, compared
from honesty.apart_part import faults
from honesty.test_sequential import shown

pytestmark = pytest.mark.honesty


def test_p_is_honest_where_nothing_has_changed(tmp_path: Path) -> None:
    found = compared(tmp_path, range(100), moves=0.0, less=0.0)
    low, _ = shown("p below 5 %", sum(one.p < 0.05 for one in found), len(found))
    assert low <= 0.05
    assert faults("nothing moves", found) == []


def test_days_that_always_move_are_quiet_and_a_turned_pair_is_seen(tmp_path: Path) -> None:
    days = compared(tmp_path / "days", range(15), moves=0.1, less=0.0)
    assert faults("days move by 0.1", days) == []
    assert min(one.threshold for one in days) > 0.6
    turned = compared(tmp_path / "turned", range(15), moves=0.0, less=1.6)
    assert all(one.moved for one in turned)


def test_a_promise_that_is_not_kept_is_named() -> None:
    alarm = Compared(auc=0.7, p=1e-9, interval=(0.65, 0.75), threshold=0.6)
    assert faults("nothing moves", [alarm] * 20) == [
        "nothing moves: 20 of 20 looks cried wolf",
        "p below 0.05 in 20 of 20 looks",
        "p below 0.01 in 20 of 20 looks",
    ]
