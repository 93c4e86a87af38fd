"""Check an evidence folder: every document valid, every digest that of the file it names.

A document's ``inputs`` name files from the document's own folder, with their SHA-256; a training
names its predictions the same way. A name with a colon, such as ``data:test``, is of a file that
is not kept, because it is the consumer's data. So a folder can be checked without knowing how it
was made.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from assay.errors import InputError, IntegrityError, Location, SeveralErrors
from assay.evidence import (
    Attribution,
    Comparison,
    DataReport,
    Document,
    Ledger,
    Plan,
    Reference,
    TestRun,
    Training,
    Verdict,
    file_digest,
)

_DOCUMENTS = (
    Plan, Ledger, TestRun, DataReport, Training, Reference, Comparison, Attribution, Verdict
)  # fmt: skip
KINDS: dict[str, type[Document]] = {kind.FILE: kind for kind in _DOCUMENTS}


@dataclass(frozen=True, kw_only=True)
class Verified:
    """How many documents and how many digests were right."""

    documents: int
    digests: int


def verify(folder: Path) -> Verified:
    """Check every evidence document below ``folder``.

    Raises IntegrityError (or SeveralErrors of them) naming each file that is not what the
    evidence says, and InputError where there is no evidence at all.
    """
    if not folder.is_dir():
        raise InputError(
            "there is no such folder.",
            where=Location(file=folder.as_posix()),
            remedy="Name the folder that holds plan.json or verdict.json.",
        )
    problems: dict[Location | None, IntegrityError] = {}
    documents = digests = 0
    for path in sorted(folder.rglob("*.json")):
        kind = KINDS.get(path.name)
        if kind is None:
            continue
        documents += 1
        try:
            document = kind.read(path.parent)
        except IntegrityError as error:
            problems[error.where] = error
            continue
        for name, expected in _claims(document):
            digests += 1
            # Several documents can name one altered file: that is one cause.
            for wrong in _mismatch(path.parent, name, expected, said_by=path):
                problems.setdefault(wrong.where, wrong)
    if not documents:
        raise InputError(
            "the folder holds no evidence document.",
            where=Location(file=folder.as_posix()),
            remedy=f"Expected one of {', '.join(KINDS)}.",
        )
    if len(problems) == 1:
        raise next(iter(problems.values()))
    if problems:
        raise SeveralErrors(tuple(problems.values()))
    return Verified(documents=documents, digests=digests)


def _claims(document: Document) -> Iterator[tuple[str, str]]:
    yield from ((name, digest) for name, digest in document.inputs.items() if ":" not in name)
    if isinstance(document, Training) and document.predictions:
        yield document.predictions.file, document.predictions.sha256


def _mismatch(folder: Path, name: str, expected: str, *, said_by: Path) -> list[IntegrityError]:
    target = folder / name
    where = Location(file=target.as_posix())
    if not target.is_file():
        return [
            IntegrityError(
                f"{said_by.name} was made from this file, and it is not there.",
                where=where,
                remedy="Fetch the whole evidence folder, or run the gate again.",
            )
        ]
    if file_digest(target) != expected:
        return [
            IntegrityError(
                f"this is not the file that {said_by.name} was made from (SHA-256 differs).",
                where=where,
                remedy="It was changed afterwards: fetch the evidence again, or run the gate "
                "again.",
            )
        ]
    return []
