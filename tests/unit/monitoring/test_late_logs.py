"""Logs that come later than they were written, and logs that are gone: nothing is lost."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from assay.evidence import Look
from assay.monitoring.memory import Memory
from assay.monitoring.times import time_of
from support.production import START, Production

HOURLY: dict[str, Any] = {"labels": None, "quality": {}, "window": 3600}


def counted(made: Production) -> Counter[int]:
    """Predictions by hour since the start, as the monitor remembers them."""
    memory = Memory.read(made.folder / "state")
    first = int(START.timestamp()) // 3600
    return Counter({one.window - first: one.predictions for one in memory.cells})


def logged(made: Production) -> Counter[int]:
    return Counter(int((row["time"] - START) / timedelta(hours=1)) for row in made.rows)


def test_a_log_that_is_handed_over_once_a_day_is_counted_whole(tmp_path: Path) -> None:
    made = Production(tmp_path, settings=HOURLY)
    made.day(0)
    for hour in range(1, 60, 3):
        if hour in {25, 49}:
            made.day(hour // 24)
        made.look(1 + hour / 24)
    assert counted(made) == logged(made)


def test_a_log_that_was_away_for_a_week_is_counted_when_it_comes(tmp_path: Path) -> None:
    made = Production(tmp_path, settings=HOURLY)
    made.day(0)
    made.look(1.1)
    for day in range(2, 8):
        made.look(day)
    for day in range(1, 8):
        made.day(day)
    made.look(8.1)
    assert counted(made) == logged(made)


def test_one_of_two_hosts_may_hand_its_log_over_a_day_late(tmp_path: Path) -> None:
    made = Production(tmp_path, settings=HOURLY)
    made.day(0)
    late = list(made.rows)
    made.write_log("000.parquet", late[::2])
    made.look(0.99)
    made.write_log("other-host.parquet", late[1::2])
    made.look(1.3)
    assert counted(made) == logged(made)


@pytest.mark.parametrize("damaged", [True, False])
def test_a_window_whose_log_is_gone_keeps_its_sums(tmp_path: Path, damaged: bool) -> None:
    made = Production(tmp_path)
    for day in range(6):
        made.day(day)
    made.label(made.rows)
    before = made.look(6.0)
    log = tmp_path / "logs/004.parquet"
    if damaged:
        log.write_bytes(log.read_bytes()[:1000])
    else:
        log.unlink()
    after = made.look(6.1)
    assert ("schema:logs files" in {one.key for one in after.problems}) is damaged

    def window(look: Look) -> Any:
        [one] = [one for one in look.windows if time_of(one.start) == START + timedelta(days=4)]
        return one.model_copy(update={"quality": ()})

    assert window(after) == window(before)
    [rule] = after.rules
    assert rule.n == 4 * 300
