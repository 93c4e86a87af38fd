"""Tell what a look found over every channel that is asked for; one that is away stops no other.

What cannot be told waits: messages to the webhook in a spool, issues and metrics in the next look,
from which they follow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from assay.alerting import spool, webhook
from assay.alerting.news import Told, issues_of, messages, silenced
from assay.errors import AssayError, OutsideError
from assay.evidence import Look, write_atomically
from assay.github.issues import Done, Issues
from assay.report.exposition import Family, exposition
from assay.report.look_metrics import look_families, merged
from assay.report.look_page import look_html, look_markdown

PAGE, HTML, METRICS = "look.md", "look.html", "metrics.prom"
_SPOOL = "webhook"
_TOLD = "told"


@dataclass(frozen=True, kw_only=True)
class Channels:
    """Where to tell; None: not there. ``state`` keeps what was told, and what waits."""

    state: Path
    issues: Callable[[], Issues] | None = None
    webhook: str | None = None
    push: Callable[[str, tuple[Family, ...]], None] | None = None
    textfile: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Result:
    """What was done, and what stood in the way of which channel."""

    issues: tuple[Done, ...] = ()
    sent: int = 0
    waiting: int = 0
    troubles: tuple[str, ...] = ()


def write_pages(told: Told, folder: Path) -> str:
    """Write a look's page and metrics beside it; return the page's Markdown."""
    alerts = told.alerts
    page = look_markdown(told.look, owner=alerts.owner, runbook=alerts.runbook)
    write_atomically(folder / PAGE, page)
    write_atomically(
        folder / HTML, look_html(told.look, owner=alerts.owner, runbook=alerts.runbook)
    )
    write_atomically(folder / METRICS, exposition(families_of(told)))
    return page


def families_of(told: Told) -> tuple[Family, ...]:
    """Return a look's gauges, with its silences."""
    return look_families(told.look, silenced(told))


def tell(looks: tuple[Told, ...], channels: Channels) -> Result:
    """Tell every look over every channel."""
    done: list[Done] = []
    troubles: list[str] = []
    sent = spool.Flushed(sent=0, waiting=0)
    if channels.webhook is not None:
        address = webhook.check_address(channels.webhook)
        for told in looks:
            with _noted("webhook", troubles):
                _keep_messages(told, channels.state)
        sent = spool.flush(channels.state / _SPOOL, lambda one: webhook.send(address, one))
        if sent.trouble is not None:
            troubles.append(f"webhook: {sent.trouble}")
    if channels.textfile is not None:
        with _noted("textfile", troubles):
            write_atomically(channels.textfile, exposition(merged(map(families_of, looks))))
    for told in looks:
        if channels.push is not None:
            with _noted("Pushgateway", troubles):
                channels.push(told.look.model, families_of(told))
        if channels.issues is not None and told.alerts.issue:
            with _noted("issues", troubles):
                done += _settle(told, channels.issues())
    return Result(
        issues=tuple(done), sent=sent.sent, waiting=sent.waiting, troubles=tuple(troubles)
    )


@contextmanager
def _noted(channel: str, troubles: list[str]) -> Iterator[None]:
    try:
        yield
    except AssayError as error:
        troubles.append(f"{channel}: {error.message}")


def _settle(told: Told, issues: Issues) -> tuple[Done, ...]:
    wanted, held = issues_of(told)
    return issues.settle(told.look.model, wanted, untouched=held)


def _keep_messages(told: Told, state: Path) -> None:
    """Put what is new into the spool, then remember what was told: killed between, nothing doubles.

    What is held back is not remembered: it is news when its silence ends.
    """
    folder = state / _TOLD / told.look.model
    previous = Look.read(folder) if (folder / Look.FILE).is_file() else None
    if previous is not None and previous.at > told.look.at:
        raise OutsideError(
            f"a newer look ({previous.at}) was told before this one ({told.look.at}).",
            remedy="An old look is news to nobody: it is not sent.",
        )
    for key, message in messages(told, previous):
        spool.put(state / _SPOOL, key, message)
    known = tuple(problem for problem in told.look.problems if not told.held(problem))
    told.look.model_copy(update={"problems": known}).write(folder)
