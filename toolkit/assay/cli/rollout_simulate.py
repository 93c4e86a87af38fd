"""``assay rollout simulate``: replay a log of requests through a strategy before one dares it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.cli.options import json_option, model_option
from assay.errors import InputError

if TYPE_CHECKING:
    from assay.config import Strategy

_KINDS = ("canary", "blue-green", "shadow", "ab", "bandit")


@click.command()
@click.option(
    "--log",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="Parquet, CSV or JSON lines: time, unit, error, milliseconds, value, label_time.",
)
@click.option(
    "--strategy",
    "kind",
    type=click.Choice(_KINDS),
    help="A strategy with its defaults.  [default: the model's own, from --config]",
)
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("assay.yaml"),
    show_default=True,
    help="Where the model's own strategy stands.",
)
@model_option
@click.option("--metric", default="accuracy", show_default=True, help="What `value` is.")
@click.option("--margin", type=float, help="What may be lost of it; with --strategy.")
@click.option("--deadline", type=float, metavar="SECONDS", help="Of --strategy.  [default: a day]")
@click.option(
    "--value-change",
    type=float,
    default=0.0,
    help="Assume that the new version's mean value is higher by this (−0.03: lower).",
)
@click.option(
    "--more-errors",
    type=click.FloatRange(0, 1),
    default=0.0,
    help="Assume that it fails this share of the requests more.",
)
@click.option(
    "--slower",
    type=click.FloatRange(0, min_open=True),
    default=1.0,
    help="Assume that it takes so many times as long.",
)
@click.option(
    "--every",
    type=click.FloatRange(0, min_open=True),
    default=60.0,
    show_default=True,
    help="Seconds of the log between two looks.",
)
@click.option(
    "--replays",
    type=click.IntRange(1, 10_000),
    default=20,
    show_default=True,
    help="Times that the log is replayed, each with another split of the units.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the splits.")
@json_option
def simulate(
    log: Path,
    kind: str | None,
    config: Path,
    model: str | None,
    *,
    metric: str,
    margin: float | None,
    deadline: float | None,
    value_change: float,
    more_errors: float,
    slower: float,
    every: float,
    replays: int,
    seed: int,
    as_json: bool,
) -> None:
    """Replay a log of requests through a strategy, before one dares it.

    The log has one row a request. Where a second version answered the same requests (a shadow),
    its columns are new_error, new_milliseconds and new_value; else the new version is assumed to
    be the serving one with the changes that you name. Prints the decisions of the first replay,
    and of all: how they ended, after how long, how many labels that took, and how many requests
    went badly that would not have.

    \b
    Examples:
      assay rollout simulate --log requests.parquet --more-errors 0.02
      assay rollout simulate --log requests.parquet --strategy ab --margin 0.01 --value-change=-0.03
      assay rollout simulate --log shadowed.parquet --strategy bandit --margin 0.01 --json

    Exit codes: 0 done; 2 the log, the configuration or an option is wrong.
    """
    from assay.cli.rollout_simulated import as_document, lines_of
    from assay.rollout.rehearsal import Assumed, assume, rehearse
    from assay.tables.request_log import read_request_log

    strategy = _strategy(kind, config, model, metric=metric, margin=margin, deadline=deadline)
    requests = read_request_log(log)
    _fits(strategy, requests.columns, log)
    assumed = Assumed(value=value_change, errors=more_errors, slower=slower)
    if requests.new is not None and assumed != Assumed():
        raise click.UsageError(
            "the log has a second version's outcomes: leave out --value-change, --more-errors "
            "and --slower."
        )
    try:
        new = requests.new or assume(requests.serving, assumed, seed=seed)
    except ValueError as error:
        raise click.UsageError(f"--value-change: {error}.") from None
    found = rehearse(requests, new, strategy, every=every, replays=replays, seed=seed)
    if as_json:
        click.echo(as_document(requests, strategy, found))
    else:
        for line in lines_of(requests, strategy, found, assumed=requests.new is None):
            click.echo(line)


def _strategy(
    kind: str | None,
    config: Path,
    model: str | None,
    *,
    metric: str,
    margin: float | None,
    deadline: float | None,
) -> Strategy:
    """The strategy that was asked for, or the model's own."""
    from pydantic import ValidationError

    from assay.config import Strategy

    if kind is None:
        if margin is not None or deadline is not None:
            raise click.UsageError("--margin and --deadline need --strategy.")
        return _configured(config, model)
    given: dict[str, object] = {"kind": kind}
    if margin is not None:
        given["quality"] = {"metric": metric, "margin": margin}
    if deadline is not None:
        given["deadline"] = deadline
    try:
        return Strategy.model_validate(given)
    except ValidationError as error:
        said = error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
        hint = " Give a --margin." if "name one" in said else ""
        raise click.UsageError(f"--strategy {kind}: {said}.{hint}") from None


def _configured(config: Path, model: str | None) -> Strategy:
    from assay.config import load_config, model_named

    found = load_config(config)
    if model is None and len(found.models) > 1:
        raise click.UsageError(f"Name a --model: {', '.join(sorted(found.models))}.")
    name = model or next(iter(found.models))
    delivery = model_named(found, name).delivery
    if delivery is None:
        raise InputError(
            f"the model {name} has no `delivery`, so it has no strategy.",
            remedy="Name one with --strategy, or write `delivery` in assay.yaml.",
        )
    return delivery.strategy


def _fits(strategy: Strategy, columns: tuple[str, ...], log: Path) -> None:
    """Refuse what the log cannot tell."""
    from assay.errors import Location

    where = Location(file=log.as_posix())
    if strategy.agreement:
        raise InputError(
            "a log of outcomes does not say whether predictions agree.",
            where=where,
            remedy="Rehearse the strategy without `agreement`.",
        )
    if strategy.quality is not None and "value" not in columns:
        raise InputError(
            f"the strategy judges {strategy.quality.metric}, and the log has no column 'value'.",
            where=where,
            remedy="Write each labelled request's value: for accuracy, 1 where it was right.",
        )
    if strategy.kind in {"canary", "ab"} and "unit" not in columns:
        raise InputError(
            f"{strategy.kind} keeps a unit with its version, and the log has no column 'unit'.",
            where=where,
            remedy="Write who asked, such as a user's id; one that differs each time will do.",
        )
