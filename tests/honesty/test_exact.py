"""Coverage of accuracy without any drawing: every outcome, weighted with its probability.

Recall and 0/1 scores are the same formula on other rows.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from honesty.counted import Classes
from honesty.coverage import MOST_COVERAGE
from honesty.grid import Cell
from honesty.regimes import LEAST_COVERAGE, MOST_MISSED
from honesty.vectorised import intervals

pytestmark = pytest.mark.honesty

CELLS = [cell for cell in Classes("two classes", 2).cells if cell.kind == 0.5]


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_accuracy_covers_the_truth(cell: Cell) -> None:
    won = cell.discordance * cell.won
    lost = cell.discordance - won
    losses, wins = (
        np.arange(int(cell.n * share + 9 * np.sqrt(cell.n * share) + 25)) for share in (lost, won)
    )
    lose, win = (grid.ravel() for grid in np.meshgrid(losses, wins, indexing="ij"))
    chance = binom.pmf(lose, cell.n, lost) * binom.pmf(win, cell.n - lose, won / (1 - lost))
    assert chance.sum() == pytest.approx(1, abs=1e-9)
    tables = np.zeros((lose.size, 2, 2, 2), dtype=np.int64)
    # All labels are 1: who was right is all that counts.
    tables[:, 1, 1, 0], tables[:, 1, 0, 1], tables[:, 1, 1, 1] = lose, win, cell.n - lose - win
    found = intervals(tables, "accuracy", "binary", 1)
    above = chance[won - lost < found.low - 1e-9].sum()
    below = chance[won - lost > found.high + 1e-9].sum()
    assert max(above, below) <= MOST_MISSED
    assert 1 - above - below >= LEAST_COVERAGE
    if cell.n * cell.discordance >= 50:
        assert 1 - above - below <= MOST_COVERAGE
