"""``assay history``: what served when, on whose word, with which evidence."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.cli.chosen import state_option, target_option
from assay.cli.options import config_option, json_option
from assay.cli.records import branch_token_option, remote_option
from assay.errors import AssayError, InputError, OutsideError

if TYPE_CHECKING:
    from assay.cli.chosen import Chosen
    from assay.rollout.history import Period
    from assay.state import Link


@click.command()
@click.argument("model", required=False, envvar="ASSAY_MODEL")
@target_option
@click.option(
    "--at", metavar="TIME", default=None, help="Only what served then: UTC, 2026-11-01T12:00Z."
)
@config_option
@state_option
@remote_option
@branch_token_option
@json_option
def history(
    model: str | None,
    target: str | None,
    at: str | None,
    config: Path,
    state: Path | None,
    remote: str,
    branch_token: str | None,
    as_json: bool,
) -> None:
    """Say what served MODEL's requests: since when, on whose word, with which evidence.

    It is read from the chain of decisions on assay/journal, verified link by link; with --state,
    or where the remote is away, from the controller's own copy here. With MLFLOW_TRACKING_URI set,
    it also names where the registry's aliases differ from what serves. Exits 4 where the chain is
    broken, and 2 where nothing served at that time.

    \b
    Examples:
      assay history churn
      assay history churn --at 2026-11-01T12:00Z --json
    """
    from assay.cli.chosen import choose
    from assay.rollout.history import period_at, periods

    chosen = choose(config, model, target, state)
    when = None if at is None else _time(at)
    links = _links(chosen, remote, branch_token, here=state is not None)
    if when is not None:
        found = period_at(links, when)
        if found is None:
            raise InputError(
                f"nothing of {chosen.model_name} served on {chosen.target_name} at {at}.",
                remedy="assay history without --at lists all there was.",
            )
        shown: Sequence[Period] = (found,)
        differences: Sequence[str] = ()
    else:
        shown = periods(links)
        differences = _differences(chosen, links)
    if as_json:
        facts = {
            "model": chosen.model_name,
            "target": chosen.target_name,
            "decisions": len(links),
            "periods": [one.to_json() for one in shown],
            "differences": list(differences),
        }
        click.echo(json.dumps(facts, indent=2, sort_keys=True))
        return
    for one in shown:
        click.echo(_described(one))
    for line in differences:
        click.echo(f"registry: {line}")
    if not shown:
        click.echo(f"Nothing of {chosen.model_name} has served on {chosen.target_name}.")


def _time(text: str) -> datetime:
    from assay.rollout.controller.clock import time_of

    try:
        return time_of(text)
    except ValueError:
        raise InputError(
            f"{text[:60]!r} is no time.", remedy="Write it as 2026-11-01T12:00Z (UTC)."
        ) from None


def _links(chosen: Chosen, remote: str, token: str | None, *, here: bool) -> tuple[Link, ...]:
    """Read the chain from the remote, else this host's copy; raises where there is neither."""
    from assay.cli.records import open_records_of
    from assay.state import chain_in, read_chain

    own = chosen.state / "journal.jsonl"
    if not here:
        try:
            with open_records_of(chosen, remote, token) as branches:
                return read_chain(branches.journal, chosen.target_name, chosen.model_name)
        except (InputError, OutsideError) as error:
            if not own.is_file():
                raise
            click.echo(f"This is the controller's own copy: {error}", err=True)
    try:
        content = own.read_bytes()
    except OSError as error:
        raise InputError(
            f"there is no journal here: {error.strerror}.", remedy="Name its folder with --state."
        ) from None
    # A line that is being written right now is none yet.
    return chain_in(content[: content.rfind(b"\n") + 1], file=own.as_posix())


def _differences(chosen: Chosen, links: Sequence[Link]) -> tuple[str, ...]:
    """Name where MLflow's aliases are not what the chain says; nothing is repaired."""
    if not (os.environ.get("MLFLOW_REGISTRY_URI") or os.environ.get("MLFLOW_TRACKING_URI")):
        return ()
    from assay.cli.callbacks import aliases_of
    from assay.cli.register import open_registry
    from assay.rollout.controller.after import Versions
    from assay.rollout.controller.chain import state_after

    state = state_after(links)
    versions = Versions(stable=state.stable, previous=state.previous, candidate=None)
    name = chosen.way.registered_name or chosen.model_name
    try:
        found = open_registry().project(name, aliases_of(chosen, versions), repair=False)
    except AssayError as error:
        return (f"not compared: {error}",)
    return tuple(map(str, found))


def _described(period: Period) -> str:
    shares = ", ".join(
        f"{word.artifact_digest[:12]} {word.share / 100:g} %"
        f" (asked for by {word.asked_by or 'nobody in this chain'}"
        + (f", evidence {word.evidence_digest[:12]}" if word.evidence_digest else "")
        + (f", image {word.image}" if word.image else "")
        + ")"
        for word in period.versions
    )
    until = period.until or "now"
    return (
        f"{period.since} to {until}: {shares}\n"
        f"    {period.kind} ({period.cause}, {period.by}), decision {period.seq} "
        f"{period.decision[:12]}: {period.sentence}"
    )
