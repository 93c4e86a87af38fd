"""Where commands print: a person's terminal, a log, or GitHub's workflow commands."""

from __future__ import annotations

import os
import re
import sys
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

    from assay.errors import AssayError

_LONGEST = 4000
_PATIENCE = 2.0
"""Seconds after which a terminal shows that something is going on."""
_RUNNER_SYNTAX = re.compile(r":(?=:)|##(?=\[)")


def on_github() -> bool:
    """Whether this process runs as a step of a GitHub Actions job."""
    return os.environ.get("GITHUB_ACTIONS") == "true"


def console(*, stderr: bool = False) -> Console:
    """Return a rich console: styled on a terminal, plain in a log or a pipe (100 columns)."""
    from rich.console import Console

    terminal = (sys.stderr if stderr else sys.stdout).isatty()
    return Console(
        stderr=stderr,
        width=None if terminal else 100,
        highlight=False,
        markup=False,
        emoji=False,
        no_color=None if terminal else True,
    )


@contextmanager
def working(text: str) -> Iterator[None]:
    """Show on a terminal, from two seconds on, that the command is at work and for how long."""
    if not sys.stderr.isatty():
        yield
        return
    shown: list[Progress] = []

    def show() -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
        bar = Progress(*columns, console=console(stderr=True), transient=True)
        bar.add_task(text, total=None)
        bar.start()
        shown.append(bar)

    timer = threading.Timer(_PATIENCE, show)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        for bar in shown:
            bar.stop()


def printable(text: str) -> str:
    """Return outside text as text: nothing in it steers a terminal or GitHub's runner.

    Control and format characters are shown as escapes. In a job ``::`` and ``##[`` are pulled
    apart wherever they stand, because a long line is wrapped and any word can come to start one.
    """
    cut = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text):,} characters)"
    shown = "".join(
        character
        if character in "\n\t" or unicodedata.category(character)[0] != "C"
        else f"\\x{ord(character):02x}"
        for character in cut
    )
    return _RUNNER_SYNTAX.sub(r"\g<0> ", shown) if on_github() else shown


def say(text: str) -> None:
    """Print one line that no runner obeys, whatever is quoted in it."""
    from assay.github.commands import log_line

    click.echo(log_line(text))


def say_aside(text: str) -> None:
    """Print one such line on standard error, beside the result."""
    from assay.github.commands import log_line

    click.echo(log_line(text), err=True)


def print_error(error: AssayError) -> None:
    """Print each cause once: on standard error, or as an annotation under GitHub Actions."""
    causes = error.each()
    if not on_github():
        for cause in causes:
            text = printable(str(cause)).replace("\n", "\n  ")
            print(f"assay: error: {text}", file=sys.stderr, flush=True)
        return
    from assay.github.commands import ANNOTATION_LIMIT, annotation_lines, annotations_of, log_line

    found = [annotation for cause in causes for annotation in annotations_of(cause)]
    print(*annotation_lines(found, more="the log lists them"), sep="\n", flush=True)
    if len(causes) > ANNOTATION_LIMIT:
        print(*(log_line(str(cause)) for cause in causes), sep="\n", flush=True)
