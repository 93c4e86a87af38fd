"""What is read from the load generator, and what a run refuses."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest

from assay.config.staging import Load
from assay.errors import InputError, OutsideError
from assay.evidence import LoadMargins, LoadTest, Outcome
from assay.rollout.load_test import Contender, Generator, load_test, side_of
from assay.rollout.smoke.client import Client, Reply
from assay.rollout.staging import judged
from support.rollouts import NEW, OLD

REPORT: dict[str, Any] = {
    "latencies": {"50th": 2_000_000, "95th": 4_000_000, "99th": 9_500_000},
    "requests": 100,
    "throughput": 19.5,
    "status_codes": {"200": 97, "503": 1, "0": 2},
}


class Canned(Client):
    """A client whose server answers one thing."""

    def __init__(self, version: str | None, status: int = 200) -> None:
        super().__init__(address="http://127.0.0.1:9")
        self.reply = Reply(status=status, version=version, body=b"{}")

    def score(self, body: bytes) -> Reply:  # noqa: ARG002 -- whatever is asked
        return self.reply


def contender(digest: str, **answers: Any) -> Contender:
    return Contender(
        digest=digest, client=Canned(**{"version": digest, **answers}), memory=lambda: 5
    )


def run(tmp_path: Path, script: str, **sides: Contender) -> LoadTest:
    program = tmp_path / "vegeta"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return load_test(
        sides.get("serving", contender(OLD)),
        sides.get("new", contender(NEW)),
        bodies=(b"{}",),
        load=Load(seconds=1, rounds=5),
        generator=Generator(program=program, request_seconds=1),
    )


def test_figures_are_in_milliseconds_and_whatever_is_no_answer_is_an_error() -> None:
    side = side_of(REPORT, memory=7)
    assert (side.requests, side.errors, side.throughput, side.memory) == (100, 3, 19.5, 7)
    assert (side.p50, side.p95, side.p99) == (2.0, 4.0, 9.5)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"status_codes": {"0": 100}}, "answered no request"),
        ({"status_codes": None}, "cannot be read"),
        ({"latencies": {}}, "cannot be read"),
        ({"requests": "many"}, "cannot be read"),
        ({"throughput": 0}, "cannot be read"),
    ],
)
def test_a_report_that_says_nothing_is_outside(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(OutsideError, match=message):
        side_of({**REPORT, **changes}, memory=None)


def test_rows_that_a_version_refuses_are_no_load(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="answers a row of the load with 400"):
        run(tmp_path, "exit 1", serving=contender(OLD, status=400))


def test_another_version_in_its_place_is_no_load(tmp_path: Path) -> None:
    with pytest.raises(OutsideError, match="is answered by version"):
        run(tmp_path, "exit 1", new=contender(NEW, version=OLD))
    with pytest.raises(OutsideError, match="is answered by version None"):
        run(tmp_path, "exit 1", new=contender(NEW, version=None))


def test_without_a_row_there_is_no_load(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no row to send"):
        load_test(
            contender(OLD),
            contender(NEW),
            bodies=(),
            load=Load(),
            generator=Generator(program=tmp_path, request_seconds=1),
        )


def test_a_generator_that_fails_or_is_not_there_is_outside(tmp_path: Path) -> None:
    with pytest.raises(OutsideError, match="Vegeta failed: broken"):
        run(tmp_path, "echo broken >&2; exit 1")
    (tmp_path / "vegeta").unlink()
    with pytest.raises(OutsideError, match="Vegeta failed"):
        load_test(
            contender(OLD),
            contender(NEW),
            bodies=(b"{}",),
            load=Load(seconds=1),
            generator=Generator(program=tmp_path / "vegeta", request_seconds=1),
        )


def test_both_are_asked_by_turns_and_judged(tmp_path: Path) -> None:
    report = (
        '{"latencies": {"50th": 2000000, "95th": 4000000, "99th": 9000000}, "requests": 1000, '
        '"throughput": 19.5, "status_codes": {"200": 1000}}'
    )
    script = f'echo "$@" >> {tmp_path}/asked; [ "$1" = attack ] || echo \'{report}\''
    found = run(tmp_path, script)
    assert found.state is Outcome.PASS
    assert [each.new.memory for each in found.rounds] == [5] * 5
    attacks = [line for line in (tmp_path / "asked").read_text().splitlines() if "attack" in line]
    assert len(attacks) == 2 + 2 * 5
    assert all("-rate 1200/1m" in line and "-timeout 1s" in line for line in attacks)


def test_memory_that_is_not_asked_is_no_claim() -> None:
    margins = LoadMargins(memory=None)
    found = judged(LoadTest(serving=OLD, new=NEW, rounds=(), margins=margins))
    assert [look.name for look in found.looks] == ["p50", "p95", "p99", "throughput", "errors"]
    assert found.looks[0].confidence == pytest.approx(0.99)
