"""Checks of one file that need no schema: missing values, constancy, repeats, labels."""

from __future__ import annotations

from collections.abc import Collection

from assay.checks.side import Probe, Side, found, found_rows, percent, some
from assay.config import Task
from assay.evidence import Finding
from assay.tables.profile import ColumnProfile
from assay.tables.repeats import conflicting, repeated
from assay.tables.rows import has_nan, is_in, is_infinite, is_missing

_MOST_MISSING = 0.05
_RARE_SHARE = 0.01
_RARE_ROWS = 20
_MOST_CLASSES = 100


def content_probes(
    side: Side, *, label: str | None, id_column: str | None, settled: Collection[str]
) -> list[Probe]:
    """Conditions on single values; ``settled`` columns have a schema that says what may miss."""
    probes = []
    for profile in side.profiles.values():
        name = (profile.name,)
        missing = is_missing(profile.column)
        if profile.infinite and has_nan(profile.column):
            condition = is_infinite(profile.column)
            probes.append(_probe("non-finite-values", name, condition, "hold an infinite number"))
        if not profile.missing:
            continue
        if profile.name == label:
            probes.append(_probe("label-missing", name, missing, "have no label"))
        elif profile.name == id_column:
            probes.append(_probe("duplicate-ids", name, missing, "have no id"))
        elif profile.name not in settled and profile.missing > _MOST_MISSING * profile.rows:
            phrase = f"have no value; more than {percent(_MOST_MISSING)} is a finding"
            probes.append(_probe("missing-values", name, missing, phrase))
    return probes


def _probe(check: str, columns: tuple[str, ...], condition: str, phrase: str) -> Probe:
    return Probe(check=check, columns=columns, condition=condition, phrase=phrase)


def constant_columns(side: Side) -> list[Finding]:
    """Columns that say the same in every row; a file of one row has none.

    Columns without any value are for the checks of missing values.
    """
    if side.rows.count < 2:
        return []
    return [
        found(
            "constant-columns",
            side.name,
            (profile.name,),
            _constant_message(profile),
            rows=profile.rows,
        )
        for profile in side.profiles.values()
        if profile.constant and profile.missing < profile.rows
    ]


def _constant_message(profile: ColumnProfile) -> str:
    what = "one and the same value" if profile.kind == "other" else some([profile.low])
    missing = " or none" if profile.missing else ""
    return f"Every row has {what}{missing}."


def duplicate_ids(side: Side, id_column: str) -> list[Finding]:
    """Rows whose id an earlier row has."""
    hits = repeated(side.rows, [id_column], nulls=False)
    if not hits.count:
        return []
    phrase = "repeat the id of an earlier row"
    return [found_rows(side, "duplicate-ids", (id_column,), hits, phrase)]


def duplicate_rows(side: Side, id_column: str | None) -> list[Finding]:
    """Rows that equal an earlier row in all columns but the id."""
    columns = [name for name in side.profiles if name != id_column]
    if not columns:
        return []
    hits = repeated(side.rows, columns)
    if not hits.count:
        return []
    but = f" in every column but {id_column!r}" if side.has(id_column) else ""
    return [found_rows(side, "duplicate-rows", (), hits, f"equal an earlier row{but}")]


def has_classes(profile: ColumnProfile, task: Task | None) -> bool:
    """Whether a label column holds classes rather than quantities."""
    if task is not None:
        return task in {Task.BINARY, Task.MULTICLASS}
    if profile.kind in {"text", "boolean"}:
        return True
    if profile.values is None or profile.kind not in {"integer", "float"}:
        return False
    few = len(profile.values) <= _MOST_CLASSES // 5
    return few and all(float(value).is_integer() for value, _ in profile.values)


def label_conflicts(side: Side, label: str, id_column: str | None) -> list[Finding]:
    """Rows that share all features with a row of another class."""
    features = [name for name in side.profiles if name not in {label, id_column}]
    if not features:
        return []
    hits = conflicting(side.rows, features, label)
    if not hits.count:
        return []
    phrase = f"equal another row in every feature but have another {label!r}"
    return [found_rows(side, "label-conflicts", (label,), hits, phrase)]


def balance_probes(side: Side, label: str) -> list[Probe]:
    """The rows of rare classes, in one condition."""
    profile = side.profiles[label]
    if profile.values is None:
        return []
    least = max(_RARE_ROWS, _RARE_SHARE * (profile.rows - profile.missing))
    rare = [(value, count) for value, count in profile.values if count < least]
    if not rare:
        return []
    listed = some([value for value, _ in rare])
    which = f"the class {listed}" if len(rare) == 1 else f"the classes {listed}"
    return [
        _probe(
            "class-balance",
            (label,),
            is_in(profile.column, [value for value, _ in rare]),
            f"are all there is of {which} (fewer than {_RARE_ROWS} rows or "
            f"{percent(_RARE_SHARE)} each)",
        )
    ]
