"""Altered, missing and foreign evidence, through ``gate``, ``report`` and ``verify``."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from assay.cli.edge import run
from faults.conftest import ERROR, Place
from support.hostile import HARMLESS, evidence

Alter = Callable[[Path], object]


@dataclass(frozen=True, kw_only=True)
class Altered:
    """What is done to judged evidence, the command then run, and what its message must name."""

    alter: Alter
    argv: tuple[str, ...]
    says: tuple[str, ...]
    code: int = 4


@pytest.fixture(scope="session")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An evidence folder as a gate leaves it, to be copied."""
    folder = tmp_path_factory.mktemp("judged") / "e"
    evidence(folder, HARMLESS)
    assert run(["gate", "--evidence", str(folder), "--publisher", "file"]) == 1
    return folder


def text(name: str, change: Callable[[str], str]) -> Alter:
    """Change the text of a file."""

    def alter(folder: Path) -> None:
        path = folder / name
        path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")

    return alter


def value(name: str, **changes: Any) -> Alter:
    """Change keys of a JSON document."""
    return text(name, lambda old: json.dumps({**json.loads(old), **changes}))


def gone(name: str) -> Alter:
    return lambda folder: (folder / name).unlink()


VERIFY, REPORT = ("verify", "e"), ("report", "--evidence", "e", "--publisher", "file")
GATE = ("gate", "--evidence", "e", "--publisher", "file")
AGAIN = "run the stage that writes it again"
CASES = {
    "no folder": Altered(
        alter=shutil.rmtree, argv=VERIFY, says=("e: there is no such folder", "plan.json"), code=2
    ),
    "an empty folder": Altered(
        alter=lambda folder: (shutil.rmtree(folder), folder.mkdir()),
        argv=VERIFY,
        says=("e: the folder holds no evidence", "Expected one of"),
        code=2,
    ),
    "no plan": Altered(
        alter=gone("plan.json"), argv=GATE, says=("e: there is no plan.json", "assay plan"), code=2
    ),
    "no verdict": Altered(
        alter=gone("verdict.json"), argv=REPORT, says=("e/verdict.json: there is no such",), code=2
    ),
    "a plan cut off": Altered(
        alter=text("plan.json", lambda old: old[:200]),
        argv=GATE,
        says=("e/plan.json:", "this is not JSON", AGAIN),
    ),
    "a plan of another version": Altered(
        alter=value("plan.json", schema="assay/plan/99"),
        argv=GATE,
        says=("e/plan.json: expected a document of schema assay/plan/1", AGAIN),
    ),
    "a plan with a key more": Altered(
        alter=value("plan.json", zebra=1), argv=GATE, says=("e/plan.json: 'zebra' is not", AGAIN)
    ),
    "a plan with a key twice": Altered(
        alter=text("plan.json", lambda old: old.replace("{", '{"base": null,', 1)),
        argv=GATE,
        says=("e/plan.json: this is not JSON (a key stands twice",),
    ),
    "a plan whose model climbs": Altered(
        alter=text("plan.json", lambda old: old.replace('"name": "m"', '"name": "../m"')),
        argv=GATE,
        says=("e/plan.json: 'models.0.name' is not what", AGAIN),
    ),
    "a verdict that was rewritten": Altered(
        alter=text(
            "verdict.json", lambda old: old.replace('"state": "fail"', '"state": "pass"', 1)
        ),
        argv=VERIFY,
        says=("verdict.json",),
    ),
    "a verdict with NaN": Altered(
        alter=text(
            "verdict.json", lambda old: old.replace('"confidence": 0.95', '"confidence": NaN')
        ),
        argv=REPORT,
        says=("e/verdict.json: this is not JSON (NaN is no number)", AGAIN),
    ),
    "predictions that were rewritten": Altered(
        alter=text("m/predictions.csv", lambda old: old.replace("word 0", "word 1")),
        argv=GATE,
        says=("e/m/predictions.csv: these are not", "run the model's job again"),
    ),
    "predictions that were rewritten, verified": Altered(
        alter=text("m/predictions.csv", lambda old: old.replace("word 0", "word 1")),
        argv=VERIFY,
        says=("e/m/predictions.csv",),
    ),
    "evidence of another model": Altered(
        alter=value("m/training.json", model="n"), argv=REPORT, says=("e/m/training.json", "'n'")
    ),
    "a document of another stage": Altered(
        alter=lambda folder: shutil.copy(folder / "plan.json", folder / "m" / "tests.json"),
        argv=REPORT,
        says=("e/m/tests.json: expected a document of schema assay/tests/1", AGAIN),
    ),
    "needs that are no JSON": Altered(
        alter=Path.exists, argv=(*GATE, "--needs", "{"), says=("needs",), code=2
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_altered_evidence(name: str, place: Place, judged: Path) -> None:
    case = CASES[name]
    shutil.copytree(judged, place.root / "e")
    case.alter(place.root / "e")
    before = place.contents()
    code, out, err = place.run(*case.argv)
    messages = [line for line in err.splitlines() if ERROR in line]
    assert code == case.code, (out, err)
    assert len(messages) == 1, err
    for expected in case.says:
        assert expected in messages[0]
    assert "Traceback" not in out + err
    after = place.contents()
    assert {name: after.get(name) for name in before} == before


def test_evidence_as_the_gate_left_it_verifies(place: Place, judged: Path) -> None:
    shutil.copytree(judged, place.root / "e")
    code, out, err = place.run(*VERIFY)
    assert (code, err) == (0, ""), out
