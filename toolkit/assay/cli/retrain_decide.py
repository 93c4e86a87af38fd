"""Collect the facts of ``assay retrain decide``, and write down what was decided."""

from __future__ import annotations

import json
import os
import posixpath
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from assay.cli.console import say
from assay.errors import AssayError, InputError, Location

if TYPE_CHECKING:
    from assay.cli.desired import Place
    from assay.config import Config, Model
    from assay.evidence import Look, Retraining, TriggerKind
    from assay.github.client import Client
    from assay.retraining.triggers import Facts


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is asked; ``lease`` in seconds."""

    config: str
    model: str | None
    reason: str | None
    look: Path | None
    lease: int


@dataclass(frozen=True, kw_only=True)
class Source:
    """The configuration, and the commit and branch it is of; both None at a terminal.

    ``file`` is its path from the repository's root.
    """

    config: Config
    file: str
    commit: str | None = None
    branch: str | None = None
    client: Client | None = None


def decide(place: Place, wanted: Wanted, folder: Path) -> None:
    """Decide about each model that is meant; in a job reserve, write and hand on."""
    from assay.cli.outputs import write_outputs

    source = _source(place, wanted)
    made = []
    for name in _models(source.config, wanted.model):
        decision = _one(place, wanted, source, name)
        decision.write(folder / name)
        _print(decision)
        made.append(decision)
    if not made:
        say(f"No model of {wanted.config} has `retrain:`: nothing to decide.")
    _summarise(place, made)
    due = [decision.model for decision in made if decision.due]
    write_outputs(
        "retrain",
        any="true" if due else "false",
        models=json.dumps(due, separators=(",", ":")),
        base=source.commit or "",
    )


def _source(place: Place, wanted: Wanted) -> Source:
    from assay.config import load_config, parse_config

    file = _from_root(place, wanted.config)
    if not place.settings.in_actions:
        return Source(config=load_config(Path(wanted.config)), file=file)
    from assay.github.fork import file_at
    from assay.github.publish import client_of

    client = client_of(place.settings)
    branch = place.settings.default_branch or str(client.get("")["default_branch"])
    commit = str(client.get(f"commits/{branch}")["sha"])
    text = file_at(client, file, commit)
    if text is None:
        raise InputError(f"the branch {branch} has no such file.", where=Location(file=file))
    parsed = parse_config(text, file=file)
    return Source(config=parsed, file=file, commit=commit, branch=branch, client=client)


def _from_root(place: Place, config: str) -> str:
    """The configuration's path from the repository's root, without detours.

    In a job a relative one counts from there already; at a terminal it counts from this folder.
    """
    if place.repository is None and not Path(config).is_absolute():
        return posixpath.normpath(config)
    root = place.repository.root if place.repository else place.settings.workspace
    found = Path(config).resolve()
    if root is None or not found.is_relative_to(root.resolve()):
        raise InputError(
            "the configuration lies outside the repository.",
            where=Location(file=config),
            remedy="Name one inside the checkout: what is proposed is a file of the repository.",
        )
    return found.relative_to(root.resolve()).as_posix()


def _models(config: Config, named: str | None) -> list[str]:
    from assay.config import model_named

    if named is not None:
        model_named(config, named)
        return [named]
    return [name for name, model in sorted(config.models.items()) if model.retrain is not None]


def _one(place: Place, wanted: Wanted, source: Source, name: str) -> Retraining:
    from assay.cli.desired import opened, reader
    from assay.retraining.decide import Asked, reserve
    from assay.retraining.decide import decide as judge
    from assay.state.retraining import entries_in, path_of

    run = place.settings.event.run_id
    model = source.config.models[name]
    asked = Asked(
        id=f"run-{run}" if run else f"local-{secrets.token_hex(8)}",
        name=name,
        model=model,
        folder=posixpath.dirname(source.file),
        base=source.commit,
        base_branch=source.branch,
        lease=timedelta(seconds=wanted.lease),
        run=run,
    )
    facts = _facts(place, wanted, source, name, model)
    if place.settings.in_actions:
        with opened(place) as branch:
            return reserve(asked, facts, branch)
    book = entries_in(reader(place, say)(path_of(name)).files, name)
    return judge(asked, facts, book)


def _facts(place: Place, wanted: Wanted, source: Source, name: str, model: Model) -> Facts:
    from assay.cli.retrain_rows import Commit, count_rows
    from assay.retraining.decide import paths_of
    from assay.retraining.triggers import Facts

    rows, missing = None, None
    if model.retrain is not None and model.retrain.new_data is not None:
        try:
            commit = Commit(
                read=_reader(place, source),
                folder=posixpath.dirname(source.file),
                root=place.repository.root if place.repository else None,
            )
            rows = count_rows(model.retrain.new_data.source, commit)
        except AssayError as error:
            missing = str(error)
    event = place.settings.event
    return Facts(
        now=datetime.now(UTC),
        asked=_asked(event.name, wanted.reason),
        by=event.author or os.environ.get("USER"),
        reason=wanted.reason,
        trained=_trained(source, paths_of(model, posixpath.dirname(source.file))[0]),
        rows=rows,
        rows_missing=missing,
        look=_look(wanted.look, name),
    )


def _reader(place: Place, source: Source) -> Callable[[str], str | None]:
    """Read files of what is decided about: the default branch's commit, or the work tree."""
    from assay.github.fork import file_at

    client, commit = source.client, source.commit
    if client is not None and commit is not None:
        return lambda path: file_at(client, path, commit)
    root = place.repository.root if place.repository else Path()

    def read(path: str) -> str | None:
        # What is no text is no file of DVC's either, and the parser says so, with its place.
        file = root / path
        return file.read_text(encoding="utf-8", errors="replace") if file.is_file() else None

    return read


def _asked(event: str, reason: str | None) -> TriggerKind | None:
    from assay.evidence import TriggerKind

    if event == "repository_dispatch":
        return TriggerKind.DISPATCH
    return TriggerKind.MANUAL if reason and reason.strip() else None


def _look(place: Path | None, name: str) -> Look | None:
    from assay.evidence import Look

    if place is None:
        return None
    folders = [place.parent] if place.name == Look.FILE else [place / name, place]
    folder = next((one for one in folders if (one / Look.FILE).is_file()), None)
    if folder is None:
        return None
    found = Look.read(folder)
    return found if found.model == name else None


def _trained(source: Source, lock: str) -> datetime | None:
    """When the default branch's dvc.lock was last committed, where GitHub tells."""
    from assay.github.override import parse_time

    if source.client is None or source.commit is None:
        return None
    try:
        listed = source.client.get(f"commits?path={quote(lock)}&sha={source.commit}&per_page=1")
        return parse_time(listed[0]["commit"]["committer"]["date"])
    except (AssayError, LookupError, TypeError):
        return None


def _print(decision: Retraining) -> None:
    if decision.due:
        say(f"{decision.model} is to be trained anew:")
    elif decision.held:
        say(f"{decision.model} waits: {decision.held}. What asks for it:")
    else:
        say(f"{decision.model}: nothing asks for a retraining.")
    for trigger in decision.triggers:
        say(f"  {trigger.kind}: {trigger.sentence}")
    for missing in decision.not_measured:
        say(f"  not looked at: {missing}")


def _summarise(place: Place, made: list[Retraining]) -> None:
    from assay.github.outputs import write_summary
    from assay.report.escape import code, text

    if place.settings.summary_file is None:
        return
    lines = ["### Retraining", ""]
    for decision in made:
        state = "starts" if decision.due else f"waits: {text(decision.held or 'nothing asks')}"
        lines.append(f"- {code(decision.model)} {state}")
        lines += [f"  - {one.kind}: {text(one.sentence)}" for one in decision.triggers]
        lines += [f"  - not looked at: {text(one)}" for one in decision.not_measured]
    write_summary(place.settings.summary_file, "\n".join(lines) + "\n")
