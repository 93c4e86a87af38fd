"""Where commands print: a person's terminal, a log, or GitHub's workflow commands."""

from __future__ import annotations

import os
import sys
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from assay.errors import AssayError

_LONGEST = 4000


def on_github() -> bool:
    """Whether this process runs as a step of a GitHub Actions job."""
    return os.environ.get("GITHUB_ACTIONS") == "true"


def console(*, stderr: bool = False, width: int | None = None) -> Console:
    """Return a rich console: styled on a terminal, plain in a log or a pipe (100 columns)."""
    from rich.console import Console

    terminal = (sys.stderr if stderr else sys.stdout).isatty()
    return Console(
        stderr=stderr,
        width=width or (None if terminal else 100),
        highlight=False,
        markup=False,
        emoji=False,
        no_color=None if terminal else True,
    )


def printable(text: str) -> str:
    """Return outside text without control characters, so that it cannot steer a terminal."""
    cut = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text):,} characters)"
    return "".join(
        character
        if character in "\n\t" or unicodedata.category(character)[0] != "C"
        else f"\\x{ord(character):02x}"
        for character in cut
    )


def print_error(error: AssayError) -> None:
    """Print one error on standard error; as an annotation under GitHub Actions."""
    if on_github():
        from assay.github.commands import annotation_lines, annotations_of

        print(*annotation_lines(annotations_of(error)), sep="\n", flush=True)
        return
    for line in str(error).split("\n"):
        print(f"assay: error: {printable(line)}", file=sys.stderr, flush=True)
