"""Guess a schema from data: loose enough for tomorrow's rows, tight enough to catch mistakes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from assay.checks.schema import ColumnSchema, DataSchema, Scalar
from assay.errors import InputError
from assay.tables.profile import ColumnProfile

_MOST_CATEGORIES = 50
_MOST_CODES = 10
_ROWS_PER_CATEGORY = 10
_WIDENED = 0.25
_LONGEST_NAME = 256
_LONGEST_CATEGORY = 100
_TINY = 1e-290


def infer_schema(
    profiles: Sequence[Mapping[str, ColumnProfile]],
    *,
    id_column: str | None = None,
    earlier: DataSchema | None = None,
) -> DataSchema:
    """Return a schema that the profiled files (train, test) meet together.

    Texts of few values become categories, as do whole numbers of at most ten; other numbers get
    their range, widened by a quarter and rounded outwards, never across zero. What only people
    can know (`pattern`, `max_missing`, `unique`) is kept from ``earlier``.

    Raises InputError for a column whose name a schema cannot hold.
    """
    names = dict.fromkeys(name for profile in profiles for name in profile)
    for name in names:
        if not 0 < len(name) <= _LONGEST_NAME:
            raise InputError(
                f"the column {name[:60]!r} has a name of {len(name)} characters.",
                remedy=f"Rename it to at most {_LONGEST_NAME}, or name it in data.ignore.",
            )
    columns: dict[str, ColumnSchema] = {}
    for name in names:
        found = [profile[name] for profile in profiles if name in profile]
        known = earlier.columns.get(name) if earlier else None
        columns[name] = _infer(found, unique=name == id_column, known=known)
    return DataSchema(version=1, columns=columns)


def _infer(
    found: Sequence[ColumnProfile], *, unique: bool, known: ColumnSchema | None
) -> ColumnSchema:
    kind = _kind(found)
    categories = None if unique else _categories(found, kind)
    low, high = (None, None) if unique or categories else _range(found, kind)
    same_kind = known is not None and known.type == kind
    return ColumnSchema.model_validate(
        {
            "type": kind,
            "nullable": any(profile.missing for profile in found),
            "max_missing": known.max_missing if known else None,
            "unique": unique or (known is not None and known.unique),
            "min": low,
            "max": high,
            "categories": categories,
            "pattern": known.pattern if known and same_kind else None,
        }
    )


def _kind(found: Sequence[ColumnProfile]) -> str:
    """The kind of the values; a column without any takes that of the file that has some."""
    kinds = {profile.kind for profile in found if profile.missing < profile.rows}
    kinds = kinds or {profile.kind for profile in found}
    if kinds == {"integer", "float"}:
        return "float"
    return kinds.pop() if len(kinds) == 1 else "text"


def _categories(found: Sequence[ColumnProfile], kind: str) -> list[Scalar] | None:
    if kind not in {"text", "integer"} or any(profile.kind != kind for profile in found):
        return None
    values: set[Scalar] = set()
    for profile in found:
        if profile.values is None:
            return None
        values.update(value for value, _ in profile.values)
    if any(len(str(value)) > _LONGEST_CATEGORY for value in values):
        return None
    rows = sum(profile.rows - profile.missing for profile in found)
    most = _MOST_CATEGORIES if kind == "text" else _MOST_CODES
    if not values or len(values) > most or rows < _ROWS_PER_CATEGORY * len(values):
        return None
    return sorted(values, key=lambda value: (str(type(value)), value))


def _range(
    found: Sequence[ColumnProfile], kind: str
) -> tuple[float | None, float | None] | tuple[int | None, int | None]:
    if kind not in {"integer", "float"}:
        return None, None
    lows = [float(profile.low) for profile in found if profile.low is not None]
    highs = [float(profile.high) for profile in found if profile.high is not None]
    if not lows:
        return None, None
    low, high = outwards(min(lows), max(highs))
    return (int(low), int(high)) if kind == "integer" else (low, high)


def outwards(low: float, high: float) -> tuple[float, float]:
    """Widen a range by a quarter to round numbers; neither end crosses zero.

    What lies between 0 and 1 stays there: it is most likely a share or a probability.

    >>> outwards(18, 83)
    (0.0, 100.0)
    """
    if low >= 0 and high <= 1 and low < high:
        return 0.0, 1.0
    span = (high - low) or abs(high) or 1.0
    least, most = low - _WIDENED * span, high + _WIDENED * span
    if not (math.isfinite(least) and math.isfinite(most)) or span < _TINY:
        return low, high
    exponent = math.floor(math.log10(span))
    step = 10.0**exponent
    rounded = [math.floor(least / step), math.ceil(most / step)]
    # Multiplying by a negative power of ten leaves digits that dividing does not.
    scaled = [n * step if exponent >= 0 else n / 10.0**-exponent for n in rounded]
    if not all(math.isfinite(end) for end in scaled):
        return low, high
    return (
        max(scaled[0], 0.0) if low >= 0 else scaled[0],
        min(scaled[1], 0.0) if high <= 0 else scaled[1],
    )
