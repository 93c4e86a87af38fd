"""Stand-in for actions/download-artifact: reads what the upload stand-in stored.

A run's artifacts are those of all its attempts; of two with one name the later attempt's is taken.
``run-id`` counts only together with ``github-token``, as in the real action.
"""

from __future__ import annotations

import fnmatch
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from assay.act.stand_ins.kit import Failed, Step, run


@dataclass(frozen=True, kw_only=True)
class Stored:
    """One artifact in the store."""

    id: int
    name: str
    archive: Path


def stored(attempts: Path) -> dict[str, Stored]:
    """Artifact name -> what the latest attempt stored under it."""
    found: dict[str, Stored] = {}
    folders = sorted(attempts.iterdir(), key=lambda p: int(p.name)) if attempts.is_dir() else []
    for folder in folders:
        for record in sorted(folder.glob("*.json"), key=lambda p: int(p.stem)):
            facts = json.loads(record.read_text(encoding="utf-8"))
            found[facts["name"]] = Stored(
                id=facts["id"], name=facts["name"], archive=record.with_suffix(".zip")
            )
    return found


def choose(step: Step, available: Mapping[str, Stored], run_id: str) -> list[Stored]:
    name, ids = step.text("name"), step.text("artifact-ids")
    if name and ids:
        raise Failed("give either name or artifact-ids, not both")
    if name:
        if name not in available:
            present = ", ".join(sorted(available)) or "none"
            raise Failed(f"Artifact not found for name: {name} (run {run_id} has: {present})")
        return [available[name]]
    every = [available[key] for key in sorted(available)]
    if ids:
        wanted = {int(number) for number in ids.split(",") if number.strip()}
        return [one for one in every if one.id in wanted]
    pattern = step.text("pattern") or "*"
    return [one for one in every if fnmatch.fnmatchcase(one.name, pattern)]


def download(step: Step) -> Mapping[str, str]:
    own = step.github["GITHUB_RUN_ID"]
    run_id = step.text("run-id") if step.text("github-token") else own
    chosen = choose(step, stored(step.store / "artifacts" / run_id), run_id)
    target = step.place(step.text("path")).resolve()
    target.mkdir(parents=True, exist_ok=True)
    # A pattern that matches one artifact leaves out its folder too.
    flat = len(chosen) == 1 or step.flag("merge-multiple")
    for one in chosen:
        folder = target if flat else target / one.name
        folder.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(one.archive) as archive:
            archive.extractall(folder)
        print(f"artifact '{one.name}' of run {run_id} -> {folder}")
    if not chosen:
        print(f"no artifact of run {run_id} matches")
    return {"download-path": str(target)}


if __name__ == "__main__":
    run("download-artifact", download)
