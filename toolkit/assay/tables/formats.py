"""Which format a file has, judged by its bytes and then by its name; CSV headers; JSON lines."""

from __future__ import annotations

import csv
import io
import itertools
import json
from enum import StrEnum
from pathlib import Path

from assay.errors import InputError, Location, OutsideError

_SNIFFED_BYTES = 1 << 20
_DELIMITERS = ",;\t|"
_WRITE_INSTEAD = "Write Parquet, CSV or JSON lines."


class Format(StrEnum):
    """A file format that can be read."""

    PARQUET = "Parquet"
    CSV = "CSV"
    JSON = "JSON"


_SUFFIXES = {
    ".parquet": Format.PARQUET,
    ".pq": Format.PARQUET,
    ".csv": Format.CSV,
    ".tsv": Format.CSV,
    ".txt": Format.CSV,
    ".jsonl": Format.JSON,
    ".ndjson": Format.JSON,
    ".json": Format.JSON,
}
_FOREIGN = (
    (b"\x1f\x8b", "gzip-compressed"),
    (b"PK\x03\x04", "a ZIP archive (an Excel workbook is one)"),
    (b"ARROW1", "an Arrow (Feather) file"),
    (b"\x89HDF", "an HDF5 file"),
    (b"\x28\xb5\x2f\xfd", "Zstandard-compressed"),
    (b"ORC", "an ORC file"),
    (b"\x80\x04", "a Python pickle"),
    (b"\x80\x05", "a Python pickle"),
    (b"version https://git-lfs", "a Git LFS pointer, not the file itself (run `git lfs pull`)"),
)


def suffix_of(path: Path) -> str:
    """The suffix that names a format, in small letters; empty where there is none.

    It is `.jsonl` of `app.jsonl.1`, which is how loggers name what they rotated.
    """
    return next((each.lower() for each in reversed(path.suffixes) if not each[1:].isdigit()), "")


def detect_format(path: Path) -> Format:
    """Return the format of a readable, non-empty file.

    Bytes win over the name: a Parquet file called .csv is read as Parquet. Raises InputError
    for a missing file, a folder, an empty file and anything that is none of the formats.
    """
    where = Location(file=path.as_posix())
    start = _first_bytes(path, where)
    if start.startswith(b"PAR1"):
        return Format.PARQUET
    for magic, what in _FOREIGN:
        if start.startswith(magic):
            unpack = "Unpack it. " if what.endswith("compressed") else ""
            raise InputError(f"this is {what}.", where=where, remedy=f"{unpack}{_WRITE_INSTEAD}")
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError("the file is UTF-16.", where=where, remedy="Save it as UTF-8.")
    named = _SUFFIXES.get(suffix_of(path))
    if named is None:
        raise InputError(
            f"the suffix {path.suffix!r} names no format that can be read."
            if path.suffix
            else "the file's name has no suffix that names its format.",
            where=where,
            remedy="Use .parquet, .csv, .tsv, .jsonl or .json.",
        )
    if named is Format.PARQUET:
        raise InputError(
            "the file is named Parquet but does not begin as one.",
            where=where,
            remedy="It was cut off, is a pointer, or is another format: write it again.",
        )
    if named is Format.CSV and _begins_as_json(start):
        return Format.JSON
    return named


def _first_bytes(path: Path, where: Location) -> bytes:
    if path.is_dir():
        raise InputError("this is a folder, not a file.", where=where, remedy="Name the file.")
    try:
        if path.exists() and not path.is_file():
            raise InputError(
                "this is not a regular file.", where=where, remedy="Save it to a file first."
            )
        with path.open("rb") as stream:
            start = stream.read(64)
    except FileNotFoundError:
        raise InputError(
            "there is no such file.", where=where, remedy="Check the path and the folder."
        ) from None
    except OSError as error:
        raise OutsideError(f"cannot be read: {error.strerror}.", where=where) from None
    except ValueError:
        raise InputError("the path holds a NUL character.", where=where) from None
    if not start.strip():
        raise InputError(
            "the file is empty.", where=where, remedy="The step that writes it did not finish."
        )
    return start


def _begins_as_json(start: bytes) -> bool:
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    return text.startswith((b'{"', b"{ ", b'[{"', b"{}"))


def csv_header(path: Path) -> tuple[str, tuple[str, ...]]:
    """Return the delimiter and the column names of a CSV file's first line.

    The delimiter is the one of ``, ; tab |`` that splits the header into most names, and the
    first row into as many values.
    """
    where = Location(file=path.as_posix(), line=1)
    with path.open("rb") as stream:
        start = stream.read(_SNIFFED_BYTES)
    try:
        text = start.decode("utf-8-sig", errors="strict")
    except UnicodeDecodeError as error:
        # A character may be cut in two where the sniffed part ends.
        if len(start) < _SNIFFED_BYTES or error.start < len(start) - 4:
            line = start.count(b"\n", 0, error.start) + 1
            raise InputError(
                f"the file is not UTF-8 (byte {error.start}).",
                where=Location(file=path.as_posix(), line=line),
                remedy="Save it as UTF-8.",
            ) from None
        text = start[: error.start].decode("utf-8-sig")
    if "\0" in text:
        raise InputError("the file holds NUL bytes: this is not CSV.", where=where)
    records = {mark: _first_records(text, mark) for mark in _DELIMITERS}
    best = max(_DELIMITERS, key=lambda mark: _plausible(records[mark]))
    names = tuple(name.strip() for name in (records[best] or [[]])[0])
    if not names:
        raise InputError(
            "the first line is no line of column names: a quote is wrong, or a name is far too "
            "long.",
            where=where,
            remedy="Begin the file with the names of its columns.",
        )
    broken = next((name for name in names if "\r" in name), None)
    if broken is not None:
        raise InputError(
            f"the column name {broken[:60]!r} holds a line end.",
            where=where,
            remedy="Give every column a name of one line.",
        )
    if not names[0]:
        # The row numbers that pandas writes unless told not to; under the name it reads them by.
        names = ("Unnamed: 0", *names[1:])
    if any(not name for name in names):
        empty = names.index("") + 1
        raise InputError(
            f"column {empty} of the header has no name.",
            where=where,
            remedy="Give every column a name.",
        )
    return best, names


def _plausible(records: list[list[str]]) -> tuple[bool, int]:
    names = len(records[0]) if records else 0
    return names > 1 and all(len(record) == names for record in records), names


def _first_records(text: str, delimiter: str) -> list[list[str]]:
    """The header and the first row, as far as this delimiter can read them."""
    records: list[list[str]] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for record in itertools.islice(reader, 2):
            records.append(record)
    except csv.Error:
        pass
    return records


def is_json_array(path: Path) -> bool:
    """Whether a JSON file holds one array rather than one object per line."""
    with path.open("rb") as stream:
        return stream.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"[")


def json_problem(path: Path) -> InputError:
    """Find the line at which a JSON-lines file breaks, after the engine refused it."""
    file = path.as_posix()
    remedy = 'Each line must be one JSON object, such as {"id": 1, "y_true": 0}.'
    if is_json_array(path):
        if path.read_bytes().removeprefix(b"\xef\xbb\xbf").split() in ([b"[]"], [b"[", b"]"]):
            return InputError("the array holds no rows.", where=Location(file=file))
        return InputError("the JSON array is broken.", where=Location(file=file), remedy=remedy)
    with path.open("rb") as stream:
        for number, line in enumerate(stream, start=1):
            if not line.strip():
                continue
            problem = _line_problem(line)
            if problem:
                where = Location(file=file, line=number)
                return InputError(problem, where=where, remedy=remedy)
    return InputError(
        "no column can be read from the JSON.", where=Location(file=file), remedy=remedy
    )


def _line_problem(line: bytes) -> str | None:
    def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
        names = [name for name, _ in pairs]
        for name in names:
            if names.count(name) > 1:
                raise KeyError(name)
        return dict(pairs)

    try:
        row = json.loads(line.decode("utf-8-sig"), object_pairs_hook=unique)
    except UnicodeDecodeError:
        return "the line is not UTF-8."
    except RecursionError:
        return "the line is nested too deeply."
    except json.JSONDecodeError as error:
        return f"the line is not JSON (column {error.colno}: {error.msg})."
    except KeyError as error:
        return f"the key {error.args[0]!r} stands twice in one object."
    return None if isinstance(row, dict) else "the line is JSON, but not an object."
