"""The files by which a step hands outputs and a summary to the runner."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from pathlib import Path

from assay.errors import Location, OutsideError

MAX_SUMMARY_BYTES = 1024 * 1024
"""GitHub refuses a step's whole summary above this size."""
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,99}")


def append_outputs(path: Path, values: Mapping[str, str]) -> None:
    """Append step outputs, each between random delimiters, so that no value can end early.

    Raises ValueError for a name that is none (a defect of ours) and OutsideError where the
    file cannot be written.
    """
    parts = []
    for name, value in values.items():
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} cannot be the name of an output")
        delimiter = f"assay_{secrets.token_hex(16)}"
        parts.append(f"{name}<<{delimiter}\n{value}\n{delimiter}\n")
    _append(path, "".join(parts))


def write_summary(path: Path, markdown: str) -> None:
    """Append Markdown to the step's summary, cut at a line end where GitHub would refuse it."""
    try:
        used = path.stat().st_size if path.exists() else 0
    except OSError as error:
        raise _unwritable(path, error) from None
    note = "\n\n(The summary was cut here: GitHub takes one mebibyte a step.)\n"
    _append(path, cut_bytes(markdown, MAX_SUMMARY_BYTES - used, note=note))


def cut_bytes(text: str, most: int, *, note: str) -> str:
    """Return ``text`` in at most ``most`` bytes of UTF-8, cut at a line end and ended by ``note``.

    Where not even the note fits, the result is empty.
    """
    data = text.encode()
    if len(data) <= most:
        return text
    room = most - len(note.encode())
    if room < 0:
        return ""
    kept = data[:room].decode(errors="ignore")
    return kept[: kept.rfind("\n") + 1] + note


def _append(path: Path, text: str) -> None:
    try:
        with path.open("a", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
    except OSError as error:
        raise _unwritable(path, error) from None


def _unwritable(path: Path, error: OSError) -> OutsideError:
    return OutsideError(
        f"cannot be written: {error.strerror}.",
        where=Location(file=path.as_posix()),
        remedy="The runner names this file and must let the step write it.",
    )
