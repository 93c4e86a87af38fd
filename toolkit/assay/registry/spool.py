"""Runs that wait for a tracking server: written whole before anything is uploaded.

``<spool>/<key>/run.json`` and, beside it, ``artifacts/``. A folder appears by rename and is
removed after its upload, so that a kill at any moment loses no run.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from assay.errors import AssayError, Location, OutsideError
from assay.registry.record import RunRecord

_ARTIFACTS = "artifacts"
_BROKEN = ".broken"


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A run in the spool, with its artifacts."""

    folder: Path
    record: RunRecord

    @property
    def artifacts(self) -> tuple[Path, ...]:
        """The files to keep with the run."""
        folder = self.folder / _ARTIFACTS
        return tuple(sorted(folder.iterdir())) if folder.is_dir() else ()

    def forget(self) -> None:
        """Remove the run from the spool: it is where it belongs."""
        shutil.rmtree(self.folder, ignore_errors=True)


def put(spool: Path, record: RunRecord, artifacts: Iterable[Path]) -> Waiting:
    """Write a run into ``spool``, whole or not at all.

    Raises OutsideError where the disk or the permissions do not allow it.
    """
    target = spool / record.key
    temporary: Path | None = None
    try:
        spool.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=spool, prefix=".new-"))
        (temporary / _ARTIFACTS).mkdir()
        for source in artifacts:
            shutil.copyfile(source, temporary / _ARTIFACTS / source.name)
        record.write(temporary)
        if not target.exists():
            temporary.rename(target)
    except OSError as error:
        raise OutsideError(
            f"the run cannot be kept: {error.strerror}.", where=Location(file=spool.as_posix())
        ) from None
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)
    return Waiting(folder=target, record=record)


def waiting(spool: Path) -> list[Waiting]:
    """Return the runs in ``spool``, the oldest first; one that cannot be read is set aside."""
    found = []
    for folder in sorted(spool.iterdir()) if spool.is_dir() else []:
        if folder.name.startswith(".") or folder.suffix == _BROKEN or not folder.is_dir():
            continue
        try:
            found.append(Waiting(folder=folder, record=RunRecord.read(folder)))
        except AssayError:
            folder.rename(folder.with_suffix(_BROKEN))
    return sorted(found, key=lambda one: (one.record.started_ms, one.record.key))
