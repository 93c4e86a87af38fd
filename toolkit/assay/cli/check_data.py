"""``assay check-data``: every row of the data files, by rules, schema, and comparison."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.cli.console import on_github, print_error
from assay.cli.options import (
    config_option,
    evidence_option,
    exit_zero_option,
    json_option,
    model_option,
)

if TYPE_CHECKING:
    from assay.checks.run import Suites
    from assay.config import Data, Model
    from assay.evidence import DataReport, Plan
    from assay.git import Repository


@click.command("check-data")
@config_option
@model_option
@evidence_option
@click.option(
    "--base",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    default=None,
    help="A checkout of the base with its data: its rules and its schema judge, and drift "
    "between its data and these is checked. Default: what the plan in the evidence folder names.",
)
@click.option(
    "--freeze",
    is_flag=True,
    help="Write the schema that the data meets now to data.schema.yaml, for review; check nothing.",
)
@json_option
@exit_zero_option
def check_data(
    config: Path,
    model: str | None,
    evidence: Path,
    base: Path | None,
    freeze: bool,
    as_json: bool,
    exit_zero: bool,
) -> None:
    """Check every row of the data: schema, rules, leakage, drift.

    Reads the files that `data:` names in the configuration, prints what was found, and writes
    <model>/data.json into the evidence folder. Which check blocks, which warns and which is off
    stands in `data.checks`; docs/data-checks.md lists them all. Exits 1 when a finding blocks.

    \b
    Start with a schema that a reviewer can diff:
      assay check-data --freeze && git add data.schema.yaml
    """
    from assay.cli.outputs import write_outputs
    from assay.errors import VerdictFailed
    from assay.evidence import StageState

    if freeze:
        _freeze(config, model)
        return
    task = _task(config, model, evidence, base)
    if task is None:
        click.echo("The configuration names no data to check.")
        return
    started = time.monotonic()
    report = _measure(task, evidence, exit_zero=exit_zero, as_json=as_json)
    report = report.model_copy(update={"seconds": round(time.monotonic() - started, 3)})
    report.write(evidence / task.name)
    write_outputs("check-data", state=report.state.value)
    if as_json:
        click.echo(report.to_json(), nl=False)
    else:
        from assay.cli.check_data_table import print_report

        print_report(report, task.data, has_base=task.base_folder is not None)
    if report.state is StageState.FAILED and not exit_zero:
        raise VerdictFailed(f"{report.model}: a data check blocks")


@dataclass(frozen=True, kw_only=True)
class _Task:
    """Which model's data is checked, by which rules, and where the base's files lie, if any."""

    name: str
    model: Model
    data: Data
    folder: Path
    base_folder: Path | None
    moved: str = ""
    """What to know where the head's configuration names other files than the judging one."""


def _measure(task: _Task, evidence: Path, *, exit_zero: bool, as_json: bool) -> DataReport:
    """Check the data; where they cannot be, leave that as evidence and raise (or print) why."""
    from assay.checks import not_measured
    from assay.checks import run as checks
    from assay.errors import AssayError

    try:
        return checks.check_data(
            task.data,
            task.folder,
            model=task.name,
            base_folder=task.base_folder,
            task=task.model.task,
            suites=_suites(as_json=as_json),
        )
    except AssayError as error:
        report = not_measured(task.name, f"{error} {task.moved}".strip())
        report.write(evidence / task.name)
        if task.moved:
            click.echo(task.moved, err=True)
        if not exit_zero:
            raise
        print_error(error)
        return report


def _task(config: Path, model: str | None, evidence: Path, base: Path | None) -> _Task | None:
    from assay.cli.consumer import chosen_model
    from assay.config import load_config
    from assay.evidence import Plan

    place = config.parent
    if base is None and (evidence / Plan.FILE).is_file():
        task = _planned(Plan.read(evidence), place, model)
        if task is not None:
            return task if task.model.data is not None else None
    head = load_config(config)
    name, chosen = chosen_model(head, model)
    base_folder = None
    if base is not None:
        theirs = base / (config.name if config.is_absolute() else config)
        base_folder = theirs.parent / chosen.path
        judging = load_config(theirs).models.get(name) if theirs.is_file() else None
        chosen = judging or chosen
    if chosen.data is None:
        return None
    return _Task(
        name=name,
        model=chosen,
        data=chosen.data,
        folder=place / chosen.path,
        base_folder=base_folder,
    )


def _planned(plan: Plan, place: Path, model: str | None) -> _Task | None:
    """The task as planned, by the base's rules; None where the plan is of another checkout."""
    from assay.config import Data
    from assay.git import Repository

    repository = Repository.find(place, os.environ)
    if not on_github() and plan.head.commit != repository.resolve("HEAD").commit:
        return None
    found = [one for one in plan.models if model in {None, one.name}]
    if len(found) != 1:
        return None
    planned = found[0]
    data = planned.rules.data
    return _Task(
        name=planned.name,
        model=planned.rules,
        data=data or Data(),
        folder=place / planned.path,
        base_folder=_base_folder(repository, plan, planned.name, planned.path, data),
        moved=_moved(data, planned.proposed.data if planned.proposed else None),
    )


def _moved(judging: Data | None, proposed: Data | None) -> str:
    if judging is None or proposed is None:
        return ""
    pairs = ((judging.train, proposed.train), (judging.test, proposed.test))
    moved = [f"{old} (now {new})" for old, new in pairs if old and new and old != new]
    if not moved:
        return ""
    files = " and ".join(moved)
    return f"The base's configuration judges and names {files}: keep it until this is merged."


def _base_folder(
    repository: Repository, plan: Plan, name: str, path: str, data: Data | None
) -> Path | None:
    """Gather the base's data and schema from git and the local DVC cache."""
    from assay.training.base_data import place_base_data

    if plan.base is None or data is None:
        return None
    target = repository.root / ".assay" / "tmp" / "base-data" / name
    names = [file for file in (data.train, data.test, data.schema_file) if file is not None]
    folder = (Path(plan.config_file).parent / path).as_posix()
    place_base_data(repository, plan.base.commit, folder=folder, names=names, target=target)
    return target


def _freeze(config: Path, model: str | None) -> None:
    from assay.checks import freeze, write_schema
    from assay.cli.consumer import chosen_model
    from assay.config import load_config
    from assay.errors import InputError, Location
    from assay.evidence import write_atomically

    name, chosen = chosen_model(load_config(config), model)
    if chosen.data is None:
        raise InputError(
            f"the model {name!r} names no data.",
            where=Location(file=config.as_posix()),
            remedy="Write `data: {train: data/train.parquet, test: data/test.parquet}`.",
        )
    folder = config.parent / chosen.path
    schema = freeze(chosen.data, folder)
    target = folder / chosen.data.schema_file
    write_atomically(target, write_schema(schema))
    click.echo(f"{target.as_posix()}: {len(schema.columns)} columns. Review it and commit it.")


def _suites(*, as_json: bool) -> Suites:
    from assay.checks.deepchecks import run_deepchecks
    from assay.cli.consumer import own_environment

    tool = own_environment("deepchecks", lambda text: click.echo(text, err=as_json))
    return lambda data, sides, task: run_deepchecks(tool, data, sides, task)
