from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay.cli.edge import run
from support.production import Production


def _written(folder: Path, days: int = 5, wrong: float = 0.1) -> Path:
    made = Production(folder)
    for number in range(days):
        made.day(number, wrong=wrong)
    made.label(made.rows)
    text = made.model().model_dump_json(exclude_defaults=True)
    config = folder / "assay.yaml"
    config.write_text(json.dumps({"version": 1, "models": {"m": json.loads(text)}}))
    return config


def _run(config: Path, *more: str, at: str = "2026-09-06T00:30Z") -> int:
    folder = config.parent
    return run(
        [
            "monitor",
            *("--config", str(config), "--state", str(folder / "state"), "--at", at),
            *("--evidence", str(folder / "evidence"), *more),
        ]
    )


def test_a_healthy_model_exits_zero(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(_written(tmp_path)) == 0
    assert "no problem was found" in capsys.readouterr().out
    assert (tmp_path / "evidence/m/monitor.json").is_file()


def test_a_worse_model_exits_one_and_says_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = _written(tmp_path, wrong=0.3)
    assert _run(config, "--json") == 1
    assert json.loads(capsys.readouterr().out)["state"] == "fail"
    assert _run(config, "--exit-zero", at="2026-09-06T00:40Z") == 0
    assert "quality:accuracy" in capsys.readouterr().out


def test_what_is_wrong_with_the_input_exits_two(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = _written(tmp_path)
    assert _run(config, at="yesterday") == 2
    assert _run(config, "--model", "other") == 2
    facts = json.loads(config.read_text())
    del facts["models"]["m"]["monitoring"]["quality"]["accuracy"]["reference"]
    config.write_text(json.dumps(facts))
    assert _run(config) == 2
    assert "nothing says what accuracy should be" in capsys.readouterr().err
    del facts["models"]["m"]["monitoring"]
    config.write_text(json.dumps(facts))
    assert _run(config) == 2
    assert "no model is watched" in capsys.readouterr().err


def test_a_bucket_that_is_down_exits_three(tmp_path: Path) -> None:
    config = _written(tmp_path)
    facts = json.loads(config.read_text())
    facts["models"]["m"]["monitoring"]["labels"]["source"] = "http://127.0.0.1:9/labels.csv"
    config.write_text(json.dumps(facts))
    assert _run(config) == 3
    assert not (tmp_path / "state/state.json").exists()
