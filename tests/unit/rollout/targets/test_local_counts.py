"""Counts from a log that grows, is rotated, and is read by one controller after another."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay.rollout.targets.local.counts import Ledger, mirrored, routed
from assay.rollout.targets.local.tail import LogFiles

OLD, NEW = "a" * 64, "b" * 64


def line(assigned: str = NEW, generation: int = 1, **fields: object) -> str:
    kept = {
        "route": "scoring", "generation": str(generation), "assigned": assigned,
        "version": assigned, "unit": "u", "status": 200, "flags": "-", "milliseconds": 3,
        **fields,
    }  # fmt: skip
    return json.dumps(kept) + "\n"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "access.jsonl"


def ledger(log: Path) -> Ledger:
    files = LogFiles(current=log, rotated="access-*.jsonl")
    return Ledger(log.parent / "counts", files, reads=routed, slow_ms=100)


def append(log: Path, *lines: str) -> None:
    with log.open("a") as handle:
        handle.writelines(lines)


def test_errors_are_the_assigned_versions_own_whoever_answered(log: Path) -> None:
    append(
        log,
        line(),
        line(status=500),
        line(version=OLD),
        line(version=None, status=503, flags="UF,URX"),
        line(version=None, status=0, flags="DC", milliseconds=900),
        line(assigned=OLD),
    )
    counts = ledger(log).read(1)
    assert (counts[NEW].requests, counts[NEW].errors, counts[NEW].slow) == (5, 3, 1)
    assert (counts[OLD].requests, counts[OLD].errors) == (1, 0)


def test_only_requests_of_the_experiment_count(log: Path) -> None:
    append(log, line(route="unassigned"), line(route="other"), line(assigned=""), "not json\n")
    assert ledger(log).read(1) == {}


def test_units_are_counted_once_and_by_version(log: Path) -> None:
    append(
        log, line(unit="x"), line(unit="x"), line(unit="y"), line(unit=None), line(OLD, unit="x")
    )
    counts = ledger(log).read(1)
    assert (counts[NEW].counts().units, counts[OLD].counts().units) == (2, 1)


def test_a_request_without_a_unit_is_its_own_where_it_takes_part(log: Path) -> None:
    apart = [line(route="anonymous", unit=None, request_id=name) for name in ("r1", "r2")]
    append(log, line(unit="x"), line(unit="x"), *apart)
    counts = ledger(log).read(1)
    assert (counts[NEW].counts().requests, counts[NEW].counts().units) == (4, 3)


def test_a_generation_begins_at_nothing_and_late_lines_are_its_own(log: Path) -> None:
    reader = ledger(log)
    append(log, line(generation=1), line(generation=2))
    assert reader.read(1)[NEW].requests == 1
    append(log, line(generation=1), line(generation=2))
    assert reader.read(2)[NEW].requests == 2
    assert reader.read(3) == {}


def test_a_line_is_counted_when_it_is_whole(log: Path) -> None:
    whole = line()
    append(log, whole[:20])
    reader = ledger(log)
    assert reader.read(1) == {}
    append(log, whole[20:])
    assert reader.read(1)[NEW].requests == 1


def test_nothing_is_lost_or_doubled_by_rotation_and_restarts(log: Path) -> None:
    append(log, line(unit="1"))
    assert ledger(log).read(1)[NEW].requests == 1
    append(log, line(unit="2"))
    log.rename(log.with_name("access-00000001.jsonl"))
    append(log, line(unit="3"))
    again = ledger(log)
    assert again.read(1)[NEW].counts().units == 3
    log.rename(log.with_name("access-00000002.jsonl"))
    append(log, line(unit="1"))
    assert ledger(log).read(1)[NEW].requests == 4
    assert ledger(log).read(1)[NEW].counts().units == 3


def test_where_the_counts_cannot_be_written_down_they_are_right_all_the_same(log: Path) -> None:
    reader = ledger(log)
    folder = log.parent / "counts"
    folder.rmdir()
    append(log, line(unit="1"))
    assert reader.read(1)[NEW].requests == 1
    assert reader.trouble.startswith("the counts are not kept across a restart")
    folder.mkdir()
    append(log, line(unit="2"))
    assert reader.read(1)[NEW].requests == 2
    assert reader.trouble == ""
    assert ledger(log).read(1)[NEW].counts().units == 2


def test_a_shadow_is_counted_from_its_own_log(log: Path) -> None:
    own = {"mirrored": True, "method": "POST", "version": NEW, "generation": 5, "unit": "u"}
    append(
        log,
        json.dumps({**own, "status": 200, "milliseconds": 3}) + "\n",
        json.dumps({**own, "status": 500, "milliseconds": 300}) + "\n",
        json.dumps({**own, "mirrored": False, "status": 200, "milliseconds": 3}) + "\n",
    )
    files = LogFiles(current=log, rotated="access.jsonl.?")
    counts = Ledger(log.parent / "c", files, reads=mirrored, slow_ms=100).read(5)[NEW].counts()
    assert (counts.requests, counts.errors, counts.slow, counts.units) == (2, 1, 1, 1)
