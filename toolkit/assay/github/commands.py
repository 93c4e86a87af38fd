"""Workflow commands: what a step's log tells the runner, with every outside string escaped."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from assay.errors import AssayError, SeveralErrors

Level = Literal["error", "warning", "notice"]
LEVELS: tuple[Level, ...] = ("error", "warning", "notice")
ANNOTATION_LIMIT = 10
"""GitHub shows this many annotations of each type for one step, and drops the rest."""
_MOST_MESSAGE = 4000
_MOST_TITLE = 200
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_CONTROL = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


@dataclass(frozen=True, kw_only=True)
class Annotation:
    """One finding on a file and line; lines and columns count from 1."""

    level: Level
    message: str
    title: str | None = None
    file: str | None = None
    line: int | None = None
    column: int | None = None


def plain(text: str) -> str:
    """Take ANSI sequences, control and bidirectional characters out of ``text``."""
    return _CONTROL.sub("", _ANSI.sub("", text)).replace("\r\n", "\n").replace("\r", "\n")


def _cut(text: str, most: int) -> str:
    left = len(text) - most
    return text if left <= 0 else f"{text[:most]}… ({left:,} more characters)"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def annotation_line(annotation: Annotation) -> str:
    """Return the ``::error file=…::`` line of one annotation."""
    values = {
        "file": plain(annotation.file) if annotation.file else None,
        "line": annotation.line,
        "col": annotation.column,
        "title": _cut(plain(annotation.title), _MOST_TITLE) if annotation.title else None,
    }
    properties = ",".join(
        f"{name}={_property(str(value))}" for name, value in values.items() if value is not None
    )
    message = _data(_cut(plain(annotation.message), _MOST_MESSAGE)) or "no message"
    return f"::{annotation.level}{' ' + properties if properties else ''}::{message}"


def annotation_lines(
    annotations: Iterable[Annotation], *, more: str = "the job summary lists all of them"
) -> list[str]:
    """Return at most ten lines of each type; the tenth counts what it stands for."""
    found = list(annotations)
    lines: list[str] = []
    for level in LEVELS:
        of_level = [item for item in found if item.level == level]
        shown = of_level if len(of_level) <= ANNOTATION_LIMIT else of_level[: ANNOTATION_LIMIT - 1]
        lines += [annotation_line(item) for item in shown]
        if left := len(of_level) - len(shown):
            rest = Annotation(
                level=level, title="More of these", message=f"and {left} more: {more}"
            )
            lines.append(annotation_line(rest))
    return lines


def annotations_of(error: AssayError) -> list[Annotation]:
    """Return one error annotation for each cause, at the place it names."""
    if isinstance(error, SeveralErrors):
        return [found for cause in error.causes for found in annotations_of(cause)]
    where = error.where
    return [
        Annotation(
            level="error",
            title=error.title,
            message=f"{error.message} {error.remedy}" if error.remedy else error.message,
            file=where.file if where else None,
            line=where.line if where else None,
            column=where.column if where else None,
        )
    ]


def log_line(text: str) -> str:
    """Return ``text`` as one line the runner reads as no command, whatever it holds."""
    line = plain(text).replace("\n", " ").replace("##[", "## [")
    return re.sub(r"^(\s*):(?=:)", r"\1: ", line)


def mask_lines(secret: str) -> list[str]:
    """Return the ``add-mask`` lines of a secret, one for each of its lines.

    Lines under four characters (the braces of a JSON key) hold no secret, and masking them
    would make the log unreadable.
    """
    lines = (line.strip() for line in secret.splitlines())
    return [f"::add-mask::{_data(line)}" for line in lines if len(line) >= 4]
