"""How the processes that run for long write their log: a line of JSON, or one for a person."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from assay.errors import AssayError, VerdictFailed

if TYPE_CHECKING:
    from assay.evidence import Look
    from assay.rollout.controller.logs import Log


def log_format_option(default: str) -> Callable[[Any], Any]:
    """Return the option ``--log-format`` (ASSAY_LOG_FORMAT) of a command."""
    return click.option(
        "--log-format",
        type=click.Choice(("json", "text")),
        default=default,
        show_default=True,
        help="What is logged on standard error: JSON, one object a line, or text for a person.",
    )


@contextmanager
def errors_logged(log: Log) -> Iterator[None]:
    """Where the log is JSON, an error is one line of it too, and the exit code is the same."""
    try:
        yield
    except VerdictFailed:
        raise
    except AssayError as error:
        if not log.as_json:
            raise
        for cause in error.each():
            log.alert("failed", reason=str(cause), exit_code=error.exit_code)
        raise click.exceptions.Exit(error.exit_code) from None


def log_look(log: Log, look: Look) -> None:
    """Log a look and each of its problems, where the log is JSON: its table says it otherwise."""
    if not log.as_json:
        return
    log.info(
        "look", at=look.at, state=look.state.value, sentence=look.sentence,
        artifact_digest=look.version, problems=len(look.problems), notes=list(look.notes),
    )  # fmt: skip
    for one in look.problems:
        say = log.alert if one.severity.value == "block" else log.warning
        say(
            "problem", key=one.key, severity=one.severity.value, sentence=one.sentence,
            since=one.since, step=one.step, command=one.command,
        )  # fmt: skip
