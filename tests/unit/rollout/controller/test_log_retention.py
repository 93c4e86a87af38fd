"""How much of a prediction log stays: by days, by bytes, and never a rollout's own rows."""

from __future__ import annotations

import os
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.config import Retention
from assay.errors import OutsideError
from assay.evidence import Batch, Rollout
from assay.rollout.controller.clock import Clock
from assay.rollout.controller.log_retention import LogFile, expired, tidy_log
from assay.rollout.controller.retention import House
from assay.rollout.serving.predictions import SCHEMA
from support.controllers import V1, V2
from support.fake_target import FakeTarget
from support.rollouts import strategy
from support.services import Hosted

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


def written(log: Path, version: str, days_ago: float, *, generation: int = 1) -> Path:
    """One file of a version's log, of that age."""
    row = dict.fromkeys(SCHEMA.names) | {
        "request_id": os.urandom(4).hex(), "row": 0, "version": version, "generation": generation,
        "mirrored": False, "time": NOW,
    }  # fmt: skip
    folder = log / version
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{row['request_id']}.parquet"
    pq.write_table(pa.Table.from_pylist([row], schema=SCHEMA), path)
    at = (NOW - timedelta(days=days_ago)).timestamp()
    os.utime(path, (at, at))
    return path


def in_flight(*generations: int) -> Rollout:
    batches = tuple(Batch(generation=each, share=0.5) for each in generations)
    return Rollout(candidate=V2, strategy=strategy("canary"), by="octo", at=0, batches=batches)


def limits(**given: Any) -> Retention:
    return Retention(**{"log_days": None, "log_gigabytes": None, **given})


def test_old_files_go_by_days(tmp_path: Path) -> None:
    old, young = written(tmp_path, V1, 31), written(tmp_path, V1, 29)
    size = old.stat().st_size
    assert tidy_log(tmp_path, limits(log_days=30), None, now=NOW) == size
    assert (old.exists(), young.exists()) == (False, True)
    assert tidy_log(tmp_path, limits(), None, now=NOW + timedelta(days=10_000)) == 0
    assert young.exists()


def test_the_oldest_go_by_bytes_whichever_version_wrote_them(tmp_path: Path) -> None:
    files = [written(tmp_path, version, age) for version, age in ((V1, 3), (V2, 2), (V1, 1))]
    room = sum(file.stat().st_size for file in files[1:])
    tidy_log(tmp_path, limits(log_gigabytes=room / 1e9), None, now=NOW)
    assert [file.exists() for file in files] == [False, True, True]


def test_the_rows_of_a_rollout_on_its_way_stay(tmp_path: Path) -> None:
    before = written(tmp_path, V1, 40, generation=1)
    its = written(tmp_path, V2, 39, generation=2)
    tidy_log(tmp_path, limits(log_days=1), in_flight(2, 3), now=NOW)
    assert (before.exists(), its.exists()) == (False, True)
    with pytest.raises(OutsideError, match="needs all of it"):
        tidy_log(tmp_path, limits(log_gigabytes=1e-9), in_flight(2), now=NOW)
    tidy_log(tmp_path, limits(log_days=1), None, now=NOW)
    assert not its.exists()


def test_what_a_killed_server_was_writing_goes_after_a_day(tmp_path: Path) -> None:
    partial = written(tmp_path, V1, 2).rename(tmp_path / V1 / ".x.parquet.new")
    fresh = written(tmp_path, V1, 0.1).rename(tmp_path / V1 / ".y.parquet.new")
    tidy_log(tmp_path, limits(), None, now=NOW)
    assert (partial.exists(), fresh.exists()) == (False, True)


FILES = st.lists(st.tuples(st.floats(0, 200), st.integers(1, 10**9)), max_size=20)


@given(FILES, st.sampled_from([None, 1.0, 30.0]), st.sampled_from([None, 0.5, 2.0]))
def test_what_is_left_keeps_both_bounds_and_is_the_youngest(
    ages: list[tuple[float, int]], days: float | None, gigabytes: float | None
) -> None:
    now = 1e9
    files = [
        LogFile(path=Path(str(place)), written=now - age * 86_400, size=size)
        for place, (age, size) in enumerate(ages)
    ]
    bounds = limits(log_days=days, log_gigabytes=gigabytes)
    gone = expired(files, bounds, now=now, needed=lambda _: False)
    left = [file for file in files if file not in gone]
    assert days is None or all(now - file.written <= days * 86_400 for file in left)
    assert gigabytes is None or sum(file.size for file in left) <= gigabytes * 1e9
    if gone and left:
        assert max(file.written for file in gone) <= min(file.written for file in left)
    if days is None and gigabytes is None:
        assert gone == ()


def test_a_controller_tidies_the_log_by_its_clock(tmp_path: Path) -> None:
    target = tmp_path / "target"
    old, young = written(target / "predictions", V1, 91), written(target / "predictions", V1, 89)
    house = House(
        releases=tmp_path / "bundles",
        intents=tmp_path / "state/intents",
        target=target,
        limits=Retention(),
    )
    with ExitStack() as stack:
        clock = Clock(wall=lambda: NOW)
        hosted = Hosted(tmp_path, stack, FakeTarget(), house=house, clock=clock)
        hosted.turn()
        assert (old.exists(), young.exists()) == (False, True)
        assert "old files of the prediction log" in hosted.log.getvalue()
