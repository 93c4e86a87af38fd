"""Train: run the consumer's pipeline, and keep what it made and from what."""

from __future__ import annotations

import platform
import time
from pathlib import Path
from typing import Any

from assay.config import Model, Selection
from assay.errors import InputError, Location
from assay.evidence import ModelSelection, StageState, Training
from assay.training import dvc
from assay.training.dvc_state import demand_readable
from assay.training.elsewhere import train_elsewhere
from assay.training.environment import ConsumerEnvironment
from assay.training.job import Job, Tools, collect
from assay.training.lineage import Checkout, lineage_of
from assay.training.orchestrators.interface import Carried, Order, carry_out
from assay.training.orchestrators.local import Local
from assay.training.outputs import forget_predictions, kept_name
from assay.training.process import Transcript
from assay.training.selection import NotChosenError, Search, choose, demand_pipeline

__all__ = ["Job", "Tools", "collect", "train"]

REPRO = "dvc repro"


def train(job: Job, tools: Tools) -> Training:
    """Make the model of ``job`` and keep its predictions.

    Runs ``train.command``, or ``dvc repro`` where the folder has a dvc.yaml, after fetching from
    the DVC remote where there is one. A command that fails is ``failed``; where fetching its data
    failed before, ``not-measured``; both with the reason. Raises InputError where the
    configuration gives nothing to run, and OutsideError where there is no environment to run in.
    Where ``train.orchestrator`` names a server, that runs it.
    """
    model, checkout = job.model, job.checkout
    kept_name(model.predictions)
    forget_predictions(job.target)
    if model.train.orchestrator != "local":
        return train_elsewhere(job, tools, model.train.orchestrator)
    command = command_of(model, checkout.folder)
    if "dvc" in command.split():
        demand_readable(checkout.folder, checkout.root)
    started, clock = tools.now(), time.monotonic()
    environment = _environment(job, command, tools)
    result = _made(job, tools, environment, command)
    made = Training(
        model=job.name,
        side=job.side,
        command=environment.redact(command),
        started=started.isoformat(timespec="seconds"),
        lineage=lineage_of(environment, checkout, seed=model.train.seed, host=platform.node()),
        **result,
    )
    return made.model_copy(update={"seconds": round(time.monotonic() - clock, 3)})


def _made(job: Job, tools: Tools, environment: ConsumerEnvironment, command: str) -> dict[str, Any]:
    """Run what there is to run; return the fields of Training that say how that went."""
    model, folder, clock = job.model, job.checkout.folder, time.monotonic()
    pulled = _pull(model, environment, job.checkout, tools.transcript)
    chosen: dict[str, Any] = {}
    if model.train.selection is not None:
        try:
            chosen = {"selection": _choose(job, tools, environment, model.train.selection)}
        except NotChosenError as why:
            return {"state": StageState.FAILED, "reason": f"no model was chosen: {why}"}
    before = _stamp(folder / model.predictions)
    local = Local(
        environment=environment,
        command=command,
        folder=folder,
        variables=_seed_variables(model.train.seed),
    )
    carried = carry_out(
        local,
        _order(job, command),
        folder=folder,
        timeout=max(1.0, model.train.timeout - (time.monotonic() - clock if chosen else 0.0)),
        transcript=tools.transcript,
    )
    ended = carried.outcome.ended
    untouched = before != () and before == _stamp(folder / model.predictions)
    by_dvc = dvc.was_cache_hit(ended.tail)
    result = _result(job, carried, pulled)
    if untouched and not by_dvc and "reason" not in result:
        result["reason"] = f"the command did not write {model.predictions}, which was there before"
    # After a selection DVC has nothing left to run, and yet the model is a new one.
    hit = ended.succeeded and (untouched or by_dvc) and not chosen
    return {**result, **chosen, "cache_hit": hit}


def _choose(
    job: Job, tools: Tools, environment: ConsumerEnvironment, rules: Selection
) -> ModelSelection:
    model = job.model
    demand_pipeline(job.checkout.folder)
    judged = {model.predictions, *((model.data.test,) if model.data and model.data.test else ())}
    return choose(
        Search(
            rules=rules,
            judged=frozenset(judged),
            environment=environment,
            checkout=job.checkout,
            transcript=tools.transcript,
            timeout=model.train.timeout,
            committed=not job.checkout.dirty and not job.side.endswith("-only"),
            variables=_seed_variables(model.train.seed),
        )
    )


def _order(job: Job, command: str) -> Order:
    checkout = job.checkout
    return Order(
        model=job.name,
        commit=checkout.revision.commit,
        path=checkout.folder.relative_to(checkout.root).as_posix(),
        command=command,
        seed=job.model.train.seed,
    )


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


def _result(job: Job, carried: Carried, pulled: str | None) -> dict[str, Any]:
    """Return the fields of Training that say how the run ended and what it left."""
    lacking = pulled is not None or dvc.lacked_data(carried.outcome.ended.tail)
    blamed = StageState.NOT_MEASURED if lacking else StageState.FAILED
    if carried.reason is None:
        kept = collect(job.model, job.checkout.folder, job.target)
        return {"state": blamed, **kept} if "reason" in kept else kept
    reason = carried.reason
    return {"state": blamed, "reason": f"{pulled}; then {reason}" if pulled else reason}


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
