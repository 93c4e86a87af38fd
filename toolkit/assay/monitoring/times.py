"""Times as evidence has them, as the engine counts them, and as a person says them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from assay.errors import InputError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def moment_of(at: datetime) -> str:
    """UTC, ISO 8601, to the second."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def time_of(moment: str) -> datetime:
    """Read a time, UTC where it names no zone; raises InputError where it is none."""
    try:
        found = datetime.fromisoformat(moment)
    except ValueError:
        raise InputError(
            f"{moment[:60]!r} is no time.", remedy="Write it as 2026-11-01T12:00Z (UTC)."
        ) from None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)


def microseconds_of(at: datetime) -> int:
    """Microseconds since 1970."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def from_microseconds(count: int) -> datetime:
    """The inverse of :func:`microseconds_of`."""
    return _EPOCH + timedelta(microseconds=count)


def spoken(seconds: float) -> str:
    """A length of time in its two greatest units: 1 d 3 h."""
    left, words = round(max(0.0, seconds)), []
    for size, unit in _UNITS:
        count, left = divmod(left, size)
        if count:
            words.append(f"{count} {unit}")
        elif words:
            break
    return " ".join(words[:2]) or "0 s"
