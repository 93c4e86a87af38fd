"""What production left of the toy, and what a run of monitor.yml made of it."""

from __future__ import annotations

import csv
import json
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from assay.act.result import RunResult
from support.production import LOG

from .gating import ROOT

MONITOR = "monitor.yml"


def caller(settings: str, secrets: str = "") -> str:
    """The template's caller, without its retraining, that hands over ``settings``."""
    text = (ROOT / "template-repo/.github/workflows" / MONITOR).read_text(encoding="utf-8")
    looks, _, _ = text.partition("  retrain:\n")
    before, _, _ = looks.partition("    with: {")
    handed = f"    secrets: {{{secrets}}}\n" if secrets else ""
    return f"{before}    with: {{{settings}}}\n{handed}"


def answers(
    folder: Path, version: str, hours: Sequence[int], *, right: float, an_hour: int = 60
) -> None:
    """Log so many hours ago what `version` said, and let the labels come half an hour later.

    A second look reads the windows of the last three hours again: twice the delay, and one.
    """
    random, now = np.random.default_rng(len(version)), datetime.now(UTC)
    rows, labels = [], []
    for ago in hours:
        for number in range(an_hour):
            time = now - timedelta(hours=ago, minutes=number % 59, seconds=5)
            truth, hit = number % 2, random.random() < right
            key = f"{version[:8]}-{ago}-{number}"
            said = {"prediction": truth if hit else 1 - truth}
            rows.append(
                {
                    "request_id": key, "row": 0, "version": version, "assigned": version,
                    "mirrored": False, "time": time, "input": "{}", "output": json.dumps(said),
                }
            )  # fmt: skip
            known = time + timedelta(minutes=30)
            if known < now:
                labels.append((key, truth, known.isoformat()))
    (folder / "log").mkdir(exist_ok=True)
    table = pa.Table.from_pylist(rows, schema=LOG)
    pq.write_table(table, folder / "log" / f"{version[:8]}-{min(hours)}.parquet")
    new = not (folder / "labels.csv").exists()
    with (folder / "labels.csv").open("a", newline="") as stream:
        out = csv.writer(stream)
        out.writerows([*([("request_id", "label", "known")] if new else ()), *labels])


def log_of(run: RunResult, job: str) -> str:
    """What a job of a run said."""
    (found,) = [one for one in run.jobs if one.name.endswith(job)]
    return found.log


def look_of(run: RunResult) -> dict[str, Any]:
    """The look that a run kept."""
    (found,) = [item for item in run.artifacts if item.name.startswith("assay-look-")]
    with zipfile.ZipFile(found.archive) as archive:
        loaded: dict[str, Any] = json.loads(archive.read("toy/monitor.json"))
        return loaded
