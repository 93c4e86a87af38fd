"""What DuckDB says about files, disks and memory, in the words of our errors."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from assay.errors import InputError, Location, OutsideError


@contextmanager
def translated(file: str) -> Iterator[None]:
    """Turn what DuckDB says about files, disks and memory into the words of our errors."""
    try:
        yield
    except (duckdb.OutOfMemoryException, duckdb.IOException) as error:
        raise OutsideError(
            f"the data engine could not go on: {_first_line(error)}.",
            where=Location(file=file),
            remedy="Free memory and space in TMPDIR, and check the file's permissions.",
        ) from None
    except duckdb.InvalidInputException as error:
        raise _unreadable(error, file) from None
    except duckdb.Error as error:
        # Damage inside a Parquet file comes as the bare base class.
        if type(error) is not duckdb.Error:
            raise
        raise _unreadable(error, file) from None


def _unreadable(error: duckdb.Error, file: str) -> InputError:
    text = str(error)
    line = re.search(r"CSV Error on Line: (\d+)", text)
    where = Location(file=file, line=int(line.group(1)) if line else None)
    ragged = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", text)
    if ragged:
        return InputError(
            f"the row has {ragged.group(2)} values where the header has {ragged.group(1)} names.",
            where=where,
            remedy="Quote values that hold the delimiter, and end no row early.",
        )
    if "maximum line size" in text.lower():
        return InputError(
            "the line is longer than 16 MB.", where=where, remedy="Write Parquet instead."
        )
    if "not utf-8" in text.lower():
        return InputError("the file is not UTF-8.", where=where, remedy="Save it as UTF-8.")
    if "unterminated quote" in text.lower():
        return InputError(
            "a quoted value is never closed.", where=where, remedy='Write " inside it as "".'
        )
    if "state machine" in text:
        return InputError(
            "the line ends are mixed, or quotes stand where CSV allows none.",
            where=where,
            remedy="Write the file again with one kind of line end.",
        )
    return InputError(
        f"the file is damaged or cut off ({_first_line(error)}).",
        where=where,
        remedy="Write it again.",
    )


def _first_line(error: duckdb.Error) -> str:
    first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return re.sub(r"/\S*/assay-\w+/", "", first)[:200].rstrip(".")
