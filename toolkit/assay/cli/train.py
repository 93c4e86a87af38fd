"""``assay train``: the head's pipeline, or the predictions of the base or the anchor."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from assay.cli.console import on_github, printable
from assay.cli.consumer import Consumer, chosen_model, environment_options, open_consumer
from assay.cli.options import config_option, evidence_option, exit_zero_option, model_option

if TYPE_CHECKING:
    from assay.evidence import ModelPlan, ModelSelection, Plan, Training


@click.command("train")
@config_option
@model_option
@evidence_option
@click.option(
    "--side",
    type=click.Choice(("head", "base", "anchor", "attribution")),
    default="head",
    show_default=True,
    help="head runs the pipeline here; base and anchor resolve the predictions of what it is "
    "compared with; attribution runs one side's code on the other's data.",
)
@click.option(
    "--earlier",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    help="Evidence of earlier trusted runs, as <tree>/<model>/. Default: `_earlier` in the "
    "evidence folder.",
)
@environment_options
@click.option(
    "--dvc-credentials",
    default=None,
    metavar="DOTENV",
    help="NAME=value lines for the DVC remote; masked. Give them as the variable "
    "ASSAY_DVC_CREDENTIALS, never on a command line.",
)
@click.option(
    "--patch",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    help="head: for a retraining. Also push to the DVC remote what the pipeline made, and put the "
    "new dvc.lock into this folder, for `assay retrain propose`.",
)
@exit_zero_option
def train(
    config: Path,
    model: str | None,
    evidence: Path,
    side: str,
    earlier: Path | None,
    python_version: str | None,
    environment_cache: Path | None,
    training_secrets: str | None,
    dvc_credentials: str | None,
    patch: Path | None,
    exit_zero: bool,
) -> None:
    """Run the pipeline, or resolve the predictions of the base or the anchor.

    The head's pipeline (`train:`, or `dvc repro`) runs in the model's environment; predictions
    and lineage go to <model>/ in the evidence folder, and the run to MLflow. The base's go to
    <model>/base/: from the DVC outputs of the base's dvc.lock, from evidence of an earlier
    trusted run, or from its pipeline, run again in a git worktree; the anchor's, which the base's
    configuration names, to <model>/anchor/ in the same ways. In CI resolve both first, before
    the head's code runs. For `attribution: true` the head's code runs on the base's data and the
    other way round, in worktrees; that is the head's word, so it comes last, and never fails.
    Exits 1 unless there are predictions.
    """
    from assay.cli.outputs import write_outputs
    from assay.errors import VerdictFailed
    from assay.evidence import StageState

    consumer = open_consumer(
        config,
        python_version=python_version,
        environment_cache=environment_cache,
        declared={"dvc-credentials": dvc_credentials, "training-secrets": training_secrets},
    )
    if side == "attribution":
        from assay.cli.corners import train_corners

        train_corners(consumer, config, model, evidence)
        return
    if side == "head":
        from assay.cli.train_patch import hand_over, prepare

        if patch is not None:
            prepare(consumer, model, patch)
        made = _head(consumer, model, evidence, exit_zero=exit_zero)
        if patch is not None:
            hand_over(consumer, model, made, patch)
    else:
        wanted: Literal["base", "anchor"] = "anchor" if side == "anchor" else "base"
        made = _resolved(consumer, config, model, evidence, earlier, side=wanted)
    write_outputs("train", state=made.state.value)
    print_training(made)
    if made.state is not StageState.PASSED and not exit_zero:
        raise VerdictFailed(f"{made.model}: {made.state.value}")


def _head(consumer: Consumer, model: str | None, evidence: Path, *, exit_zero: bool) -> Training:
    from assay.cli.tracking import open_tracker, track, track_experiments
    from assay.errors import AssayError
    from assay.evidence import Reference, StageState, Training
    from assay.training.pipeline import Job
    from assay.training.pipeline import train as train_model

    name, chosen = chosen_model(consumer.config, model)
    target = evidence / name
    target.mkdir(parents=True, exist_ok=True)
    # It is of the predictions before these.
    (target / Reference.FILE).unlink(missing_ok=True)
    tracker = open_tracker(consumer, chosen)
    try:
        checkout = consumer.checkout(chosen)
        job = Job(name=name, model=chosen, side="head", checkout=checkout, target=target)
        made = train_model(job, consumer.tools)
    except AssayError as error:
        reason = consumer.tools.builder.redact(str(error))
        made = Training(model=name, side="head", state=StageState.NOT_MEASURED, reason=reason)
        made.write(target)
        if not exit_zero:
            raise
        return made
    made.write(target)
    if tracker is not None:
        made = track_experiments(tracker, made, chosen)
        tracked = track(tracker, made, chosen, checkout.folder, target)
        made = made.model_copy(update={"tracking": str(tracked)})
        made.write(target)
        if tracked.run_id is None:
            consumer.transcript.warn(f"{tracked}. The next run uploads it.")
    return made


def _resolved(
    consumer: Consumer,
    config: Path,
    model: str | None,
    evidence: Path,
    earlier: Path | None,
    *,
    side: Literal["base", "anchor"],
) -> Training:
    from assay.errors import InputError
    from assay.training.base import BaseRequest, resolve_base
    from assay.training.earlier import EARLIER, in_folder, refuse_committed

    refuse_committed(consumer.repository, evidence)
    plan, planned = planned_model(consumer, config, model, evidence)
    name = planned.name
    if side == "anchor" and planned.anchor is None:
        raise InputError(
            f"the base's rules for {name} name no anchor.",
            remedy="Write anchor: {ref: v1.2.0} under the model; it counts once it is merged.",
        )
    target = evidence / name / side
    target.mkdir(parents=True, exist_ok=True)
    request = BaseRequest(
        planned=planned, plan=plan, target=target, scratch=consumer.base_folder, side=side
    )
    find = in_folder(earlier or evidence / EARLIER)
    made = resolve_base(request, consumer.repository, consumer.tools, find)
    made.write(target)
    return made


def planned_model(
    consumer: Consumer, config: Path, model: str | None, evidence: Path
) -> tuple[Plan, ModelPlan]:
    """Return the plan, and the model in it that is meant; raises InputError where it has none."""
    from assay.errors import InputError

    plan = _plan(consumer, config, evidence)
    name = model or chosen_model(consumer.config, None)[0]
    planned = next((found for found in plan.models if found.name == name), None)
    if planned is None:
        raise InputError(
            f"the plan has no model {name[:80]!r}.",
            remedy=f"It has {', '.join(found.name for found in plan.models)}.",
        )
    return plan, planned


def _plan(consumer: Consumer, config: Path, evidence: Path) -> Plan:
    """Return the plan of this checkout; outside a job one is made where there is none."""
    from assay.cli.plan import make
    from assay.evidence import Plan

    if (evidence / Plan.FILE).is_file():
        plan = Plan.read(evidence)
        if on_github() or plan.head.commit == consumer.repository.resolve("HEAD").commit:
            return plan
    plan = make(consumer.repository, config, base=None, environ=os.environ)
    plan.write(evidence)
    return plan


def print_training(made: Training) -> None:
    words = [f"{made.model} ({made.side}): {made.state.value}"]
    if made.cache_hit and made.side == "head":
        words.append("nothing changed since the last run: a cache hit")
    if made.selection:
        words.append(_chosen(made.selection))
    if made.orchestrated:
        run = made.orchestrated
        there = ", which was there already" if run.attached else ""
        words.append(f"by run {run.run} of {run.orchestrator} at {run.server}{there}")
    if made.source_detail:
        words.append(f"from {made.source_detail}")
    if made.reason:
        words.append(made.reason)
    if made.predictions:
        words.append(f"{made.predictions.file}, {made.predictions.bytes:,} bytes")
    words += [f"{name} = {value:.6g}" for name, value in sorted(made.scalars.items())]
    words += [f"{name}: {why}" for name, why in sorted(made.missing_scalars.items())]
    if made.tracking:
        words.append(made.tracking)
    words.append(f"{made.seconds:.1f} s")
    click.echo(printable("; ".join(words)))


def _chosen(selection: ModelSelection) -> str:
    best = next(each for each in selection.experiments if each.name == selection.chosen)
    given = ", ".join(f"{name}={value}" for name, value in best.params.items())
    return (
        f"chosen of {len(selection.experiments)} experiments by {selection.metric} on "
        f"{selection.data} data: {given} ({best.value:.6g})"
    )
