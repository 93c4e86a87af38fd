"""``assay rollout simulate``: replay a log of requests through a strategy before one dares it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.cli.options import json_option
from assay.cli.rollout_strategy import strategy_options
from assay.errors import InputError

if TYPE_CHECKING:
    from assay.config import Strategy
    from assay.rollout.rehearsal import Assumed
    from assay.tables.request_log import Outcomes, RequestLog


@click.command()
@click.option(
    "--log",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="Parquet, CSV or JSON lines: time, unit, error, milliseconds, value, label_time.",
)
@strategy_options
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
    *,
    strategy: Strategy,
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
    from assay.rollout.rehearsal import Assumed, rehearse
    from assay.tables.request_log import read_request_log

    requests = read_request_log(log)
    _fits(strategy, requests.columns, log)
    assumed = Assumed(value=value_change, errors=more_errors, slower=slower)
    new = _new_version(requests, assumed, seed)
    found = rehearse(requests, new, strategy, every=every, replays=replays, seed=seed)
    if as_json:
        click.echo(as_document(requests, strategy, found))
        return
    for line in lines_of(requests, strategy, found, assumed=requests.new is None):
        click.echo(line)


def _new_version(log: RequestLog, assumed: Assumed, seed: int) -> Outcomes:
    """The second version's outcomes: the log's, or those that are assumed."""
    from assay.rollout.rehearsal import Assumed, assume

    if log.new is None:
        try:
            return assume(log.serving, assumed, seed=seed)
        except ValueError as error:
            raise click.UsageError(f"--value-change: {error}.") from None
    if assumed != Assumed():
        raise click.UsageError(
            "the log has a second version's outcomes: leave out --value-change, --more-errors "
            "and --slower."
        )
    return log.new


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
