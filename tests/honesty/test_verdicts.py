"""Do verdicts err as rarely as docs/statistics.md promises? Fewer runs of verdicts.py."""

from __future__ import annotations

import pytest

from honesty.verdicts import Accuracies, any_worse, claims

pytestmark = pytest.mark.honesty


def test_equal_models_are_seldom_worse_anywhere() -> None:
    """5 metrics on 20 slices, all blocking: any `worse` in at most 5 % of the runs."""
    assert not any_worse(200, 0.1, configs=40).broken


def test_a_loss_as_large_as_the_margin_seldom_passes() -> None:
    """And twice the margin still more seldom."""
    rates = list(claims(3_000))
    assert [rate.name for rate in rates if rate.broken] == []


def test_the_rule_everybody_uses_flips_a_coin() -> None:
    """`candidate >= baseline`: why a margin and an interval are needed."""
    runs = 20_000
    for loss, share in ((0.0, 0.52), (0.01, 0.11)):
        _, passes = Accuracies(n=1_000, discordant=0.06, loss=loss).states(runs)
        assert passes / runs == pytest.approx(share, abs=0.015)
