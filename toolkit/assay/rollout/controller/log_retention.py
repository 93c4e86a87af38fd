"""How much of a prediction log stays on a controller's host, by days and by bytes."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from assay.config import Retention
from assay.errors import Location, OutsideError
from assay.evidence import Rollout
from assay.rollout.labels import generations_of

_DAY = 86_400.0
_GIGABYTE = 1e9


@dataclass(frozen=True, kw_only=True)
class LogFile:
    """A file of the prediction log: when it was written (seconds since 1970), and its bytes."""

    path: Path
    written: float
    size: int


def expired(
    files: Iterable[LogFile],
    limits: Retention,
    *,
    now: float,
    needed: Callable[[LogFile], bool],
) -> tuple[LogFile, ...]:
    """Return the files that are too old or, oldest first, too many; none that is ``needed``."""
    oldest_first = sorted(files, key=lambda one: (one.written, one.path))
    total = sum(one.size for one in oldest_first)
    days, gigabytes = limits.log_days, limits.log_gigabytes
    found = []
    for one in oldest_first:
        old = days is not None and now - one.written > days * _DAY
        much = gigabytes is not None and total > gigabytes * _GIGABYTE
        if not old and not much:
            break
        if not needed(one):
            found.append(one)
            total -= one.size
    return tuple(found)


def tidy_log(log: Path, limits: Retention, rollout: Rollout | None, *, now: datetime) -> int:
    """Remove what is over of the prediction log in ``log``; return the bytes that were freed.

    The rows of the ``rollout`` on its way stay. Raises OutsideError where a file cannot be removed,
    or where those rows alone are more than there may be.
    """
    generations = {batch.generation for batch in rollout.batches} if rollout else set()

    def needed(file: LogFile) -> bool:
        span = generations_of(file.path) if generations else None
        return span is not None and any(span[0] <= one <= span[1] for one in generations)

    at = now.timestamp()
    with removing(log):
        files = _files(log)
        gone = expired(files, limits, now=at, needed=needed)
        for file in gone:
            file.path.unlink(missing_ok=True)
        for partial in log.glob("*/.*.new"):
            if at - partial.stat().st_mtime > _DAY:
                partial.unlink(missing_ok=True)
    freed = sum(file.size for file in gone)
    _complain(log, limits, sum(file.size for file in files) - freed)
    return freed


def _complain(log: Path, limits: Retention, kept: int) -> None:
    if limits.log_gigabytes is not None and kept > limits.log_gigabytes * _GIGABYTE:
        raise OutsideError(
            f"the prediction log holds {kept / _GIGABYTE:.1f} GB, and the rollout that is on its "
            "way needs all of it.",
            where=Location(file=log.as_posix()),
            remedy="Raise delivery.retention.log_gigabytes, or lower serving.log.share.",
        )


def _files(log: Path) -> list[LogFile]:
    found = []
    for path in log.glob("*/*.parquet"):
        with contextlib.suppress(FileNotFoundError):
            facts = path.stat()
            found.append(LogFile(path=path, written=facts.st_mtime, size=facts.st_size))
    return found


@contextlib.contextmanager
def removing(place: Path) -> Iterator[None]:
    """Turn what the file system says into OutsideError."""
    try:
        yield
    except OSError as error:
        raise OutsideError(
            f"what is over cannot be removed: {error.strerror}.",
            where=Location(file=place.as_posix()),
            remedy="Give the controller's user the right to; it is tried again.",
        ) from None
