"""``assay monitor``: one look at a model in production."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.cli.credentials import data_option
from assay.cli.log_format import errors_logged, log_format_option, log_look
from assay.cli.options import (
    config_option,
    evidence_option,
    exit_zero_option,
    json_option,
    model_option,
)
from assay.cli.outputs import write_outputs
from assay.errors import InputError, Location, VerdictFailed

if TYPE_CHECKING:
    from assay.config import Config, Model, Monitoring
    from assay.evidence import Comparison, Look, Reference
    from assay.monitoring.look import Task


@click.command()
@model_option
@click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    help="The folder in which the label ledger and the sums of earlier looks are kept. Default: "
    "$XDG_STATE_HOME/assay/monitor/<model>.",
)
@click.option(
    "--at", metavar="TIME", default=None, help="Look as of then: UTC, 2026-11-01T12:00Z.  [now]"
)
@click.option(
    "--reference",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    default=None,
    help="What the version was like when it was judged: its bundle, or a folder with "
    "reference.json (assay reference), from which drift is measured, or with the gate's "
    "comparison.json. Its values are what was promised, where assay.yaml names none. Default: in "
    "a job, the evidence of the version that the log names, or else of the default branch.",
)
@click.option(
    "--controller",
    "controllers",
    multiple=True,
    metavar="TARGET=FOLDER",
    help="Where the controller of a target keeps its state on this host. Default: "
    "$XDG_STATE_HOME/assay/<target>/<model>, and what it pushed where that is not there.",
)
@config_option
@evidence_option
@log_format_option("text")
@json_option
@exit_zero_option
@data_option
def monitor(
    model: str | None,
    *,
    state: Path | None,
    at: str | None,
    reference: Path | None,
    controllers: tuple[str, ...],
    config: Path,
    evidence: Path,
    log_format: str,
    as_json: bool,
    exit_zero: bool,
    data_credentials: str | None,
) -> None:
    """Look at a model in production once: read its log and labels, measure, judge, say.

    What has happened since the last look is read: predictions and labels, which may come late,
    again, corrected or contradicting each other; each prediction counts once. monitor.json is
    written into the model's folder of --evidence. Run it as often as you like, from cron or a
    scheduled workflow: its decisions hold at all looks together (docs/monitoring.md).

    \b
    Examples:
      assay monitor --model churn --reference evidence/churn
      assay monitor --model churn --at 2026-11-01T12:00Z --state /tmp/replay --json

    Exit codes: 0 nothing blocks (or --exit-zero); 1 a problem blocks: a metric is worse than
    promised, or the log is silent; 2 the configuration, an option or a folder is wrong; 3 a
    bucket, a disk or another thing outside failed, and the next look reads it all again.
    """
    from assay.cli.console import console
    from assay.cli.credentials import take_credentials
    from assay.cli.monitor_delivery import folders_of
    from assay.cli.monitor_table import print_look
    from assay.evidence import Outcome
    from assay.rollout.controller.logs import Log

    take_credentials(data_credentials, None, name="data-credentials")
    log = Log(as_json=log_format == "json")
    with errors_logged(log):
        places = folders_of(controllers)
        task = _task(model, config, state=state, at=at, reference=reference, places=places)
        look = _taken(task, evidence, log.warning)
    if as_json:
        click.echo(json.dumps(json.loads(look.to_json()), indent=2))
    elif not log.as_json:
        print_look(console(), look)
    log_look(log, look)
    write_outputs("monitor", state=look.state.value, problems=str(len(look.problems)))
    if look.state is Outcome.FAIL and not exit_zero:
        raise VerdictFailed(look.sentence)


def _taken(task: Task, evidence: Path, say: Callable[[str], object]) -> Look:
    """Take the look, and export it where a collector is named."""
    from datetime import UTC, datetime

    from assay.cli.telemetry import export_look
    from assay.monitoring.look import take_look

    began = datetime.now(UTC)
    look = take_look(task, evidence / task.name)
    export_look(look, began, say)
    return look


def _task(
    model: str | None,
    config: Path,
    *,
    state: Path | None,
    at: str | None,
    reference: Path | None,
    places: Mapping[str, Path],
) -> Task:
    """What is looked at, with whom it is delivered to, and what it is held against."""
    import os
    from datetime import UTC, datetime

    from assay.cli.chosen import states_home
    from assay.cli.console import say_aside
    from assay.cli.consumer import chosen_model, own_environment
    from assay.cli.monitor_delivery import delivered_of
    from assay.cli.monitor_reference import Wanted, found_reference
    from assay.cli.telemetry import check_exporter
    from assay.config import load_config
    from assay.github.settings import read_settings
    from assay.monitoring.look import Task
    from assay.monitoring.sources import is_elsewhere
    from assay.monitoring.times import time_of

    read = load_config(config)
    name, chosen = chosen_model(_watched(read, config, model), model)
    monitoring = chosen.monitoring
    assert monitoring is not None  # noqa: S101 -- _watched leaves no other
    check_exporter("sources" if is_elsewhere(monitoring) else "delivery")
    delivered = delivered_of(read, config, name, places)
    wanted = Wanted(
        model=name,
        monitoring=monitoring,
        root=config.absolute().parent,
        state=state or states_home() / "monitor" / name,
        at=datetime.now(UTC) if at is None else time_of(at),
        known=delivered.versions,
    )
    place = _inside(reference, name) or found_reference(read_settings(os.environ), wanted)
    profile = _profile(place, name)
    return Task(
        name=name,
        model=chosen,
        monitoring=monitoring,
        root=wanted.root,
        state=wanted.state,
        at=wanted.at,
        reference=profile,
        classifier=own_environment("classifier", say_aside),
        delivered=delivered,
        replayed=at is not None,
        promised=_promised(monitoring, place, profile, config, name),
    )


def _watched(config: Config, path: Path, model: str | None) -> Config:
    """The configuration with its watched models alone; raises InputError where there is none."""
    from assay.config import model_named

    asked: dict[str, Model] = {
        name: one
        for name, one in config.models.items()
        if one.monitoring is not None or name == model
    }
    if model is not None:
        model_named(config, model)
    if not asked or (model is not None and asked[model].monitoring is None):
        raise InputError(
            "no model is watched." if model is None else f"{model} is not watched.",
            where=Location(file=path.as_posix()),
            remedy="Write monitoring.logs.source under the model (docs/monitoring.md).",
        )
    return config.model_copy(update={"models": asked})


def _inside(reference: Path | None, model: str) -> Path | None:
    """Where a bundle, an evidence folder or a model's own folder has the model's documents."""
    from assay.evidence import Comparison, Reference

    if reference is None:
        return None
    for place in (reference / "evidence" / model, reference / model):
        if any((place / kind.FILE).is_file() for kind in (Reference, Comparison)):
            return place
    return reference


def _profile(reference: Path | None, name: str) -> Reference | None:
    from assay.evidence import Reference

    if reference is None or not (reference / Reference.FILE).is_file():
        return None
    found = Reference.read(reference)
    _check_model(found, name, reference)
    return found


def _check_model(found: Reference | Comparison, name: str, folder: Path) -> None:
    """Raise InputError where a document is of another model."""
    if found.model != name:
        raise InputError(
            f"this is the evidence of {found.model}, and {name} is looked at.",
            where=Location(file=(folder / found.FILE).as_posix()),
            remedy=f"Name a bundle or the evidence of {name} with --reference.",
        )


def _promised(
    monitoring: Monitoring,
    reference: Path | None,
    profile: Reference | None,
    config: Path,
    name: str,
) -> dict[str, float]:
    """The value that each judged metric is held against."""
    from assay.evidence import Comparison

    measured: dict[str, float] = {}
    if profile is not None:
        measured = dict(profile.quality)
    if reference is not None and (profile is None or (reference / Comparison.FILE).is_file()):
        # The gate's own numbers, where both are there.
        compared = Comparison.read(reference)
        _check_model(compared, name, reference)
        for one in compared.measurements:
            if one.slice == "all" and one.head is not None:
                measured[one.metric] = one.head
    found = {
        metric: live.reference if live.reference is not None else measured.get(metric)
        for metric, live in monitoring.quality.items()
    }
    missing = [metric for metric, value in found.items() if value is None]
    if missing:
        raise InputError(
            f"models.{name}.monitoring.quality: nothing says what {' and '.join(missing)} should "
            "be.",
            where=Location(file=config.as_posix()),
            remedy="Write `reference:` under the metric, or name the gate's evidence with "
            "--reference.",
        )
    return {metric: value for metric, value in found.items() if value is not None}
