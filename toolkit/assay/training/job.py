"""One side of one model: what is to be made, with what, and what it left behind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from assay.config import Model
from assay.evidence import Side, StageState
from assay.training.build import Builder
from assay.training.lineage import Checkout
from assay.training.outputs import digest_of, keep_predictions, read_scalars, test_set_digest
from assay.training.process import Transcript


def utc_now() -> datetime:
    """Return the time of day in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class Job:
    """One side of one model, and the evidence folder ``target`` that it goes to."""

    name: str
    model: Model
    side: Side
    checkout: Checkout
    target: Path


@dataclass(frozen=True, kw_only=True)
class Tools:
    """What a job is done with: environments, the log, the clock."""

    builder: Builder
    transcript: Transcript
    now: Callable[[], datetime] = utc_now


def collect(model: Model, folder: Path, target: Path) -> dict[str, Any]:
    """Keep what lies in ``folder``; return the fields of Training that describe it.

    Where there are no predictions the fields hold ``reason``.
    """
    values, missing = read_scalars(model.scalars, folder)
    found: dict[str, Any] = {
        "model_digest": digest_of(folder, model.artifact),
        "test_set_digest": test_set_digest(model, folder),
        "scalars": values,
        "missing_scalars": missing,
    }
    source = folder / model.predictions
    if not source.is_file():
        return {**found, "reason": f"the pipeline left no {model.predictions}{_meant(model)}"}
    kept = keep_predictions(source, target)
    return {**found, "predictions": kept, "state": StageState.PASSED}


def _meant(model: Model) -> str:
    """Say where predictions are looked for, if they were named from the repository's root."""
    folder = f"{model.path.rstrip('/')}/"
    if not model.predictions.startswith(folder):
        return ""
    meant = model.predictions.removeprefix(folder)
    return f" in {folder} (predictions: is relative to path:, so write {meant})"
