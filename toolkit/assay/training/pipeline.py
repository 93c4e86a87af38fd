"""Train: run the consumer's pipeline, and keep what it made and from what."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from assay.config import Model
from assay.errors import InputError, Location
from assay.evidence import Side, StageState, Training
from assay.training import dvc
from assay.training.build import Builder
from assay.training.dvc_state import demand_readable
from assay.training.environment import ConsumerEnvironment
from assay.training.lineage import Checkout, lineage_of
from assay.training.outputs import (
    digest_of,
    forget_predictions,
    keep_predictions,
    kept_name,
    read_scalars,
    test_set_digest,
)
from assay.training.process import Ended, Transcript

REPRO = "dvc repro"


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


def train(job: Job, tools: Tools) -> Training:
    """Make the model of ``job`` and keep its predictions.

    Runs ``train.command``, or ``dvc repro`` where the folder has a dvc.yaml, after fetching from
    the DVC remote where there is one. A command that fails is ``failed``; where fetching its data
    failed before, ``not-measured``; both with the reason. Raises InputError where the
    configuration gives nothing to run, and OutsideError where there is no environment to run in.
    """
    model, checkout = job.model, job.checkout
    kept_name(model.predictions)
    forget_predictions(job.target)
    command = command_of(model, checkout.folder)
    if "dvc" in command.split():
        demand_readable(checkout.folder, checkout.root)
    started, clock = tools.now(), time.monotonic()
    environment = _environment(job, command, tools)
    pulled = _pull(model, environment, checkout, tools.transcript)
    before = _stamp(checkout.folder / model.predictions)
    ended = environment.run(
        command,
        cwd=checkout.folder,
        timeout=model.train.timeout,
        transcript=tools.transcript,
        extra=_seed_variables(model.train.seed),
    )
    untouched = before != () and before == _stamp(checkout.folder / model.predictions)
    by_dvc = dvc.was_cache_hit(ended.tail)
    result = _result(job, ended, pulled)
    if untouched and not by_dvc and "reason" not in result:
        result["reason"] = f"the command did not write {model.predictions}, which was there before"
    made = Training(
        model=job.name,
        side=job.side,
        command=environment.redact(command),
        cache_hit=ended.succeeded and (untouched or by_dvc),
        started=started.isoformat(timespec="seconds"),
        lineage=lineage_of(environment, checkout, seed=model.train.seed, host=platform.node()),
        **result,
    )
    return made.model_copy(update={"seconds": round(time.monotonic() - clock, 3)})


def command_of(model: Model, folder: Path) -> str:
    """Return the command that makes the model; raises InputError where there is none."""
    if model.train.command:
        return model.train.command
    if (folder / "dvc.yaml").is_file():
        return REPRO
    raise InputError(
        "there is nothing to run: the model has no train.command and its folder no dvc.yaml.",
        where=Location(file="assay.yaml"),
        remedy="Write train: {command: python train.py}, or whatever makes the predictions.",
    )


def _environment(job: Job, command: str, tools: Tools) -> ConsumerEnvironment:
    """Build the environment, with a dvc in it where the job needs one."""
    environment = tools.builder.build(job.model, job.checkout.folder, tools.transcript)
    repo = dvc.find_repo(job.checkout.folder, job.checkout.root)
    pulls = job.model.train.pull and repo is not None and repo.remote is not None
    if pulls or "dvc" in command.split():
        environment = tools.builder.with_dvc(environment, tools.transcript)
    return environment


def _pull(
    model: Model, environment: ConsumerEnvironment, checkout: Checkout, transcript: Transcript
) -> str | None:
    """Fetch from the remote; return why that failed."""
    repo = dvc.find_repo(checkout.folder, checkout.root) if model.train.pull else None
    if repo is None:
        return None
    if repo.remote is None:
        transcript.say("No DVC remote is configured: nothing is fetched.")
        return None
    failed = dvc.pull(environment, checkout.folder, transcript, repo)
    if failed:
        transcript.say(f"{failed}. The pipeline runs with what is here.")
    return failed


def _result(job: Job, ended: Ended, pulled: str | None) -> dict[str, Any]:
    """Return the fields of Training that say how the command ended and what it left."""
    lacking = pulled is not None or dvc.lacked_data(ended.tail)
    blamed = StageState.NOT_MEASURED if lacking else StageState.FAILED
    if ended.succeeded:
        kept = collect(job.model, job.checkout.folder, job.target)
        return {"state": blamed, **kept} if "reason" in kept else kept
    command = job.model.train.command or REPRO
    if "dvc" in command.split():
        reason = dvc.failure(ended, f"`{command}`", job.model.train.timeout)
    else:
        reason = ended.why("the training command", job.model.train.timeout)
    return {"state": blamed, "reason": f"{pulled}; then {reason}" if pulled else reason}


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


def _seed_variables(seed: int | None) -> dict[str, str]:
    if seed is None:
        return {}
    return {"ASSAY_SEED": str(seed), "PYTHONHASHSEED": str(seed % 2**32)}


def _stamp(path: Path) -> tuple[int, ...]:
    """Return what changes when a file is written again; empty where there is none."""
    try:
        status = path.stat()
    except OSError:
        return ()
    return (status.st_mtime_ns, status.st_size, status.st_ino)
