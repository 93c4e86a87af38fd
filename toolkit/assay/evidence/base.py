"""What every evidence document has: a versioned schema, and canonical bytes.

Canonical JSON (sorted keys, two spaces, UTF-8, a final newline, no NaN) makes the same
document the same bytes wherever it is written, so that a replay can be compared by digest.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_serializer

from assay.errors import InputError, IntegrityError, Location, OutsideError

MAX_DOCUMENT_BYTES = 32 * 1024 * 1024
_SURROGATE = re.compile("[\ud800-\udfff]")
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")
_AGAIN = "It was cut off or altered: run the stage that writes it again."
_PERMISSIONS = "Check the path and its permissions."


class Part(BaseModel):
    """A frozen part of a document; refuses unknown keys and non-finite numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Document(Part):
    """A typed evidence document; ``SCHEMA`` is its name and version, stored as ``schema``."""

    SCHEMA: ClassVar[str]
    FILE: ClassVar[str]

    inputs: dict[str, str] = Field(
        default_factory=dict, description="SHA-256 of each input this was made from, by name."
    )

    @model_serializer(mode="wrap")
    def _with_schema(self, handler: Any) -> dict[str, Any]:
        return {"schema": self.SCHEMA, **handler(self)}

    def to_json(self) -> str:
        """Return the canonical JSON text; a name that is no text has U+FFFD where it is none."""
        data = self.model_dump(mode="json", by_alias=True)
        text = json.dumps(data, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False)
        return _SURROGATE.sub("\ufffd", text) + "\n"

    def digest(self) -> str:
        """Return the SHA-256 of the canonical JSON, in hex."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    def write(self, folder: Path) -> Path:
        """Write the document into ``folder`` under its own name, whole or not at all."""
        target = folder / self.FILE
        write_atomically(target, self.to_json())
        return target

    @classmethod
    def parse(cls, text: str, *, file: str) -> Self:
        """Read a document from JSON text; raises IntegrityError where it is not one."""
        data = _loads(text, file)
        found = data.pop("schema", None) if isinstance(data, dict) else None
        if found != cls.SCHEMA:
            raise IntegrityError(
                f"expected a document of schema {cls.SCHEMA}, found {str(found)[:60]!r}.",
                where=Location(file=file),
                remedy="It was written by another version of Assay or is another file: "
                "run the stage that writes it again.",
            )
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = ".".join(str(part)[:60] for part in first["loc"])
            raise IntegrityError(
                f"{place!r} is not what a document of schema {cls.SCHEMA} holds there "
                f"({first['msg']}).",
                where=Location(file=file),
                remedy=_AGAIN,
            ) from None

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read the document from ``folder``; raises InputError where it is missing."""
        path = folder / cls.FILE
        try:
            found = path.stat()
            if not stat.S_ISREG(found.st_mode):
                raise IntegrityError("this is no file.", where=_at(path), remedy=_AGAIN)
            if found.st_size > MAX_DOCUMENT_BYTES:
                raise IntegrityError(
                    f"the file has over {MAX_DOCUMENT_BYTES:,} bytes.",
                    where=_at(path),
                    remedy=_AGAIN,
                )
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            raise InputError(
                "there is no such evidence.",
                where=_at(path),
                remedy=f"Run the stage that writes {cls.FILE} first, or name the folder that "
                "holds it.",
            ) from None
        except UnicodeDecodeError:
            raise IntegrityError("the file is not UTF-8.", where=_at(path), remedy=_AGAIN) from None
        except OSError as error:
            raise OutsideError(
                f"cannot be read: {error.strerror}.", where=_at(path), remedy=_PERMISSIONS
            ) from None
        return cls.parse(text, file=path.as_posix())


def _loads(text: str, file: str) -> Any:
    """Read JSON in which every key stands once, and all numbers and all text are whole."""
    try:
        data = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
        _refuse_halves(text, data)
    except (ValueError, RecursionError) as error:
        where = Location(file=file)
        reason = str(error)
        if isinstance(error, json.JSONDecodeError):
            where, reason = Location(file=file, line=error.lineno), error.msg
        raise IntegrityError(
            f"this is not JSON ({reason[:200]}).",
            where=where,
            remedy=_AGAIN,
        ) from None
    return data


def _refuse_halves(text: str, data: Any) -> None:
    escaped = _SURROGATE_ESCAPE.search(text)
    if escaped and _SURROGATE.search(json.dumps(data, ensure_ascii=False)):
        raise ValueError("half of a character")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no number")


def _at(path: Path) -> Location:
    return Location(file=path.as_posix())


def write_atomically(target: Path, content: str | bytes) -> None:
    """Write a file by rename, so that a reader or a kill never meets half of it.

    Raises OutsideError where the disk or the permissions do not allow it.
    """
    data = content.encode() if isinstance(content, str) else content
    temporary: Path | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # Named before it is made: an interrupt in between leaves nothing that nobody knows of.
        temporary = target.with_name(f".{target.name}.{secrets.token_hex(8)}")
        with temporary.open("xb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.chmod(0o644)
        temporary.replace(target)
        temporary = None
    except OSError as error:
        raise OutsideError(
            f"cannot be written: {error.strerror}.",
            where=_at(target),
            remedy="Check the free space and the permissions of the folder.",
        ) from None
    finally:
        if temporary is not None:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file, in hex; raises InputError where it cannot be read."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise InputError(
            f"cannot be read: {error.strerror}.", where=_at(path), remedy=_PERMISSIONS
        ) from None


def tree_digest(path: Path) -> str:
    """Return the SHA-256 of a file, or of a folder's sorted relative names and digests.

    Links to files count as their files, links to folders and empty folders not at all. Raises
    InputError where there is nothing, or where a file cannot be read.
    """
    if not path.is_dir():
        return file_digest(path)
    names = sorted(item.relative_to(path).as_posix() for item in path.rglob("*") if item.is_file())
    # A name is written as JSON, so that none can pretend to be two lines.
    lines = [f"{file_digest(path / name)}  {json.dumps(name)}\n" for name in names]
    return hashlib.sha256("".join(lines).encode()).hexdigest()
