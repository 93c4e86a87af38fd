"""Compute a decision again from its evidence and say whether it comes out the same."""

from __future__ import annotations

from pathlib import Path

from assay.errors import IntegrityError, Location
from assay.evidence import Attribution, Comparison, Plan, Verdict
from assay.gate.judge import replay
from assay.gate.sides import ANCHOR


def replay_differences(folder: Path) -> str:
    """Replay the comparisons and the verdict of ``folder``; return what was found equal.

    Raises IntegrityError naming the first document that comes out differently. A folder without
    plan or verdict is not replayed, and the answer says so.
    """
    if not (folder / Plan.FILE).is_file() or not (folder / Verdict.FILE).is_file():
        return "Not replayed: the folder holds no plan.json and verdict.json."
    plan, stored = Plan.read(folder), Verdict.read(folder)
    models, verdict = replay(plan, folder, stored)
    for model in models:
        if model.comparison is not None:
            _same(folder / model.plan.name / Comparison.FILE, model.comparison.to_json())
        if model.anchored is not None:
            place = folder / model.plan.name / ANCHOR / Comparison.FILE
            _same(place, model.anchored.to_json())
        if model.attribution is not None:
            _same(folder / model.plan.name / Attribution.FILE, model.attribution.to_json())
    _same(folder / Verdict.FILE, verdict.to_json())
    return "The comparison and the verdict come out byte for byte the same."


def _same(path: Path, text: str) -> None:
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        raise IntegrityError(
            "computed again from the evidence, this comes out differently.",
            where=Location(file=path.as_posix()),
            remedy="It was altered, or another version of Assay wrote it: compare "
            "`assay --version` with the run's.",
        )
