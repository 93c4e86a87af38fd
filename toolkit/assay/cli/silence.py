"""``assay silence`` and ``assay ack``: hold messages about a problem back, journaled."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from assay.state.silences import Kind

_UNTIL = "UTC as 2026-03-09T10:00:00Z, or from now: 90m, 8h, 3d."
by_option = click.option("--by", required=True, metavar="NAME", help="Who says so.")
reason_option = click.option("--reason", required=True, metavar="TEXT", help="Why.")
remote_option = click.option(
    "--remote",
    default="origin",
    show_default=True,
    metavar="NAME",
    help="The remote that keeps the branch assay/desired.",
)


@click.command()
@click.argument("model")
@click.argument("problem")
@click.option("--until", required=True, metavar="TIME", help=f"{_UNTIL} At most 31 days; now: end.")
@reason_option
@by_option
@remote_option
def silence(model: str, problem: str, until: str, reason: str, by: str, remote: str) -> None:
    """Tell nobody of a problem until a time; with `--until now`, tell of it again.

    PROBLEM is `kind:subject` as a look shows it. One line is added to the branch assay/desired. No
    issue, webhook or alert tells of the problem until then; guards, verdicts and rollbacks never
    read it, and go on as before.

    \b
    Example:
      assay silence churn quality:f1 --until 8h --reason "known, fixed tonight" --by kim
    """
    kind: Kind = "lift" if until == "now" else "silence"
    write(kind, model, problem, None if until == "now" else until, reason, by, remote)


def write(
    kind: Kind, model: str, problem: str, until: str | None, reason: str, by: str, remote: str
) -> None:
    """Add one line about a problem to the branch."""
    from assay.cli.desired import Place, opened
    from assay.git import Repository
    from assay.github.settings import read_settings
    from assay.state import Entry, append_silence
    from assay.state.silences import stamp

    now = datetime.now(UTC)
    entry = Entry(
        kind=kind,
        model=model,
        problem=problem,
        by=by,
        at=stamp(now),
        reason=reason,
        until=None if until is None else moment(until, now),
    )
    place = Place(
        settings=read_settings(os.environ),
        environment=os.environ,
        repository=Repository.find(Path.cwd(), os.environ),
        remote=remote,
    )
    with opened(place) as branch:
        append_silence(branch, entry)
    ends = f" until {entry.until}" if entry.until else ""
    click.echo(f"{kind}: {problem} of {model}{ends}, by {by}")


def moment(given: str, now: datetime) -> str:
    """Read a time, or a span from now; raises InputError for neither."""
    from assay.errors import InputError
    from assay.state.silences import stamp

    units = {"m": "minutes", "h": "hours", "d": "days"}
    if given[:-1].isdecimal() and given[-1] in units and len(given) < 8:
        return stamp(now + timedelta(**{units[given[-1]]: int(given[:-1])}))
    try:
        found = datetime.fromisoformat(given)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise InputError(f"--until {given[:40]!r} is no time.", remedy=f"Write {_UNTIL}")
    return stamp(found)
