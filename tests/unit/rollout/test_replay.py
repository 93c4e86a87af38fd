"""`assay rollout replay`: a decision comes out the same, or was altered."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.cli.edge import run
from assay.config import OnlineMetric
from assay.evidence import LoadRound, LoadSide, LoadTest, OnlineEvidence
from assay.rollout.staging import judged
from support.rollouts import NEW, OLD, Behaviour, World, order, serving, strategy


@pytest.fixture
def decided(tmp_path: Path) -> list[Path]:
    """The evidence of every decision of a rollout, as files."""
    world = serving(World({OLD: Behaviour(), NEW: Behaviour(errors=0.3)}))
    how = strategy(quality=OnlineMetric(margin=0.03))
    world.turn(order("deploy", digest=NEW, strategy=how))
    world.run(100)
    documents = [each.evidence for each in world.records if each.evidence is not None]
    paths = []
    for document in documents:
        path = tmp_path / f"{document.digest()}.json"
        path.write_text(document.to_json(), encoding="utf-8")
        paths.append(path)
    return paths


def test_every_decision_comes_out_the_same(
    capsys: pytest.CaptureFixture[str], decided: list[Path]
) -> None:
    assert run(["rollout", "replay", *map(str, decided)]) == 0
    said = capsys.readouterr().out
    assert "Goes back: errors worse" in said
    assert "byte for byte the same" in said


def test_an_altered_count_is_found(capsys: pytest.CaptureFixture[str], decided: list[Path]) -> None:
    path = decided[-1]
    document = OnlineEvidence.parse(path.read_text(), file=path.name)
    errors = document.rollout.batches[-1].new.errors
    path.write_text(path.read_text().replace(f'"errors": {errors}', '"errors": 0'))
    assert run(["rollout", "replay", str(path)]) == 4
    assert "comes out differently" in capsys.readouterr().err


def test_a_load_tests_verdict_is_made_again_too(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    side = LoadSide(requests=1_000, errors=0, throughput=200, p50=10, p95=20, p99=40)
    rounds = (LoadRound(serving=side, new=side),) * 10
    path = judged(LoadTest(serving=OLD, new=NEW, rounds=rounds)).write(tmp_path)
    assert run(["rollout", "replay", str(path)]) == 0
    assert "byte for byte the same" in capsys.readouterr().out
    told = path.read_text()
    path.write_text(told.replace('"errors": 0,', '"errors": 900,', 1))
    assert run(["rollout", "replay", str(path)]) == 4
    assert "comes out differently" in capsys.readouterr().err
    path.write_text(told.replace('"errors": 0.01', '"errors": 2'))
    assert run(["rollout", "replay", str(path)]) == 4
    assert "margins.errors" in capsys.readouterr().err


def test_what_is_no_decision_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    path.write_text('{"schema": "assay/verdict/1"}')
    assert run(["rollout", "replay", str(path)]) == 4
    path.write_bytes(b"\xff\xfe")
    assert run(["rollout", "replay", str(path)]) == 4
    assert run(["rollout", "replay", str(tmp_path / "none.json")]) == 2
    assert "assay/online/1" in capsys.readouterr().err
