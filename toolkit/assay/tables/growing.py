"""Text files that somebody is writing to: a copy that holds still, to its last whole line."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from assay.errors import InputError, Location, OutsideError
from assay.tables.formats import Format, csv_header, detect_format, is_json_array, suffix_of

GROWING = 60.0
"""Seconds since its last change in which a file is taken for one that grows."""
_PAUSE = 0.5
"""Seconds in which a file whose last row may lack a part of its last value would go on."""
_BLOCK = 1 << 16


def settled(
    path: Path, folder: Path, *, now: float, wait: Callable[[float], object] = time.sleep
) -> Path | None:
    """Return the file itself; of one that grows a copy in `folder`, without an unfinished last row.

    `now` is the time in seconds since 1970. A file of another format, or that cannot be read, is
    returned as it is: whoever opens it says what is wrong; None is one of which no row is whole
    yet. Raises OutsideError where the copy cannot be written.
    """
    try:
        age = now - path.stat().st_mtime
        if age > GROWING or detect_format(path) is Format.PARQUET:
            return path
    except (OSError, InputError):
        return path
    where = Location(file=path.as_posix())
    copy = folder / f"{hashlib.sha256(path.as_posix().encode()).hexdigest()[:32]}{suffix_of(path)}"
    try:
        shutil.copyfile(path, copy)
        start, line = _last_line(copy)
        if line and not (_is_whole(copy, line) and _stays(path, copy, wait)):
            if not start:
                return None
            os.truncate(copy, start)
    except OSError as error:
        raise OutsideError(
            f"a file that grows cannot be copied before it is read: {error.strerror}.",
            where=where,
            remedy="Free some space, or point TMPDIR at a folder that can be written.",
        ) from None
    return copy


def _last_line(path: Path) -> tuple[int, bytes]:
    """Where the last line begins, and the line; empty where it has an end."""
    line = b""
    with path.open("rb") as stream:
        start = stream.seek(0, os.SEEK_END)
        while start and b"\n" not in line:
            size = min(_BLOCK, start)
            start = stream.seek(start - size)
            line = stream.read(size) + line
    place = line.rfind(b"\n") + 1
    return start + place, line[place:]


def _stays(path: Path, copy: Path, wait: Callable[[float], object]) -> bool:
    """Whether nothing is added to a file; of JSON an object with its end needs no other."""
    if detect_format(copy) is Format.JSON:
        return True
    wait(_PAUSE)
    return path.stat().st_size == copy.stat().st_size


def _is_whole(path: Path, line: bytes) -> bool:
    """Whether a last line without an end may be a row all the same, as some programs leave it."""
    if detect_format(path) is Format.JSON:
        try:
            return is_json_array(path) or isinstance(json.loads(line), dict)
        except ValueError:
            return False
    try:
        mark, names = csv_header(path)
        [fields] = csv.reader([line.decode()], delimiter=mark)
    except (InputError, csv.Error, ValueError):
        return False
    return len(fields) == len(names)
