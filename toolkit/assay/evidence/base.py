"""What every evidence document has: a versioned schema, and canonical bytes.

Canonical JSON (sorted keys, two spaces, UTF-8, a final newline, no NaN) makes the same
document the same bytes wherever it is written, so that a replay can be compared by digest.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_serializer

from assay.errors import InputError, IntegrityError, Location, OutsideError

MAX_DOCUMENT_BYTES = 32 * 1024 * 1024


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
        """Return the canonical JSON text of this document."""
        data = self.model_dump(mode="json", by_alias=True)
        return (
            json.dumps(data, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        )

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
        try:
            data = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise IntegrityError(
                f"this is not JSON ({error}).",
                where=Location(file=file),
                remedy="The file was cut off or altered: run the stage that writes it again.",
            ) from None
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
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            raise IntegrityError(
                f"{place}: {first['msg']}.",
                where=Location(file=file),
                remedy="The file was altered: run the stage that writes it again.",
            ) from None

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read the document from ``folder``; raises InputError where it is missing."""
        path = folder / cls.FILE
        try:
            if path.stat().st_size > MAX_DOCUMENT_BYTES:
                raise IntegrityError(
                    f"the file has over {MAX_DOCUMENT_BYTES:,} bytes.", where=_at(path)
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
            raise IntegrityError("the file is not UTF-8.", where=_at(path)) from None
        except OSError as error:
            raise OutsideError(f"cannot be read: {error.strerror}.", where=_at(path)) from None
        return cls.parse(text, file=path.as_posix())


def _at(path: Path) -> Location:
    return Location(file=path.as_posix())


def write_atomically(target: Path, content: str | bytes) -> None:
    """Write a file by rename, so that a reader or a kill never meets half of it.

    Raises OutsideError where the disk or the permissions do not allow it.
    """
    data = content.encode() if isinstance(content, str) else content
    temporary: str | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(target)
    except OSError as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        raise OutsideError(
            f"cannot be written: {error.strerror}.",
            where=_at(target),
            remedy="Check the free space and the permissions of the folder.",
        ) from None


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file, in hex; raises InputError where it cannot be read."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}.", where=_at(path)) from None


def tree_digest(path: Path) -> str:
    """Return the SHA-256 of a file, or of a folder's sorted relative names and digests."""
    if path.is_file():
        return file_digest(path)
    lines = [
        f"{file_digest(item)}  {item.relative_to(path).as_posix()}\n"
        for item in sorted(path.rglob("*"))
        if item.is_file()
    ]
    return hashlib.sha256("".join(lines).encode()).hexdigest()
