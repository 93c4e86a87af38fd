"""Does the data hold what the frozen schema says it may?"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence

from assay.checks.schema import ColumnSchema, Frozen
from assay.checks.side import Probe, Side, found, found_rows, number, percent, some
from assay.errors import InputError
from assay.evidence import Finding
from assay.tables.profile import ColumnProfile
from assay.tables.repeats import repeated
from assay.tables.rows import (
    Hits,
    count_where,
    is_missing,
    is_not_in,
    is_not_like,
    is_not_of_kind,
    is_outside,
    pattern_problem,
)

_COMPARABLE = {("integer", "float"), ("float", "integer")}


def columns_as_declared(side: Side, frozen: Frozen, ignore: Iterable[str]) -> list[Finding]:
    """Columns the schema names and the file has not, and the other way round."""
    declared = [name for name in frozen.schema.columns if name not in set(ignore)]
    findings = []
    for name in declared:
        if name not in side.profiles:
            close = difflib.get_close_matches(name, side.profiles, n=1)
            hint = f" It has {close[0]!r}." if close else ""
            message = f"The schema has this column, the file has not.{hint}"
            findings.append(
                found("schema-columns", side.name, (name,), message, rows=side.rows.count)
            )
    findings += [
        found(
            "schema-columns",
            side.name,
            (name,),
            "The file has this column, the schema has not.",
            rows=side.rows.count,
        )
        for name in side.profiles
        if name not in frozen.schema.columns
    ]
    return findings


def schema_probes(side: Side, frozen: Frozen) -> list[Probe]:
    """Conditions for all that the schema says of single values, where they can be broken at all.

    Raises InputError, with its place, for a pattern that is no regular expression.
    """
    probes: list[Probe] = []
    for profile, declared in _declared(side, frozen):
        probes += _type_probes(profile, declared)
        probes += _null_probes(profile, declared)
        if "other" not in (profile.kind, declared.type):
            probes += _range_probes(profile, declared)
            probes += _category_probes(profile, declared)
            probes += _pattern_probes(profile, declared, frozen)
    return probes


def columns_of_other_types(side: Side, frozen: Frozen) -> list[Finding]:
    """Columns of another type: the values that cannot be read as the schema's, else the column."""
    findings = []
    for profile, declared in _declared(side, frozen):
        kinds = (profile.kind, declared.type)
        if profile.kind == declared.type or kinds in _COMPARABLE or profile.missing == profile.rows:
            continue
        name = (profile.name,)
        is_now = f"column is {profile.kind} ({profile.column.type})"
        hits = Hits(count=0)
        if "other" not in kinds and declared.type != "text":
            condition = is_not_of_kind(profile.column, declared.type)
            hits = count_where(side.rows, {"": condition})[""]
        if hits.count:
            phrase = f"hold a value that is not of type {declared.type}; the {is_now}"
            findings.append(found_rows(side, "schema-types", name, hits, phrase))
        else:
            message = f"{is_now.replace('the', 'The', 1)}; the schema says {declared.type}."
            present = profile.rows - profile.missing
            findings.append(found("schema-types", side.name, name, message, rows=present))
    return findings


def unique_as_declared(side: Side, frozen: Frozen, *, but: str | None) -> list[Finding]:
    """Values that occur again in columns declared unique; ``but`` the id, checked on its own."""
    findings = []
    for profile, declared in _declared(side, frozen):
        if not declared.unique or profile.name == but:
            continue
        hits = repeated(side.rows, [profile.name], nulls=False)
        if hits.count:
            findings.append(
                found_rows(
                    side,
                    "schema-unique",
                    (profile.name,),
                    hits,
                    "repeat a value of an earlier row",
                )
            )
    return findings


def _declared(side: Side, frozen: Frozen) -> Iterator[tuple[ColumnProfile, ColumnSchema]]:
    for name, declared in frozen.schema.columns.items():
        if name in side.profiles:
            yield side.profiles[name], declared


def _type_probes(profile: ColumnProfile, declared: ColumnSchema) -> list[Probe]:
    """Fractions in a column of whole numbers; every other mismatch is the whole column's."""
    if (profile.kind, declared.type) != ("float", "integer"):
        return []
    return [
        Probe(
            check="schema-types",
            columns=(profile.name,),
            condition=is_not_of_kind(profile.column, declared.type),
            phrase=f"hold a value that is not of type {declared.type}",
        )
    ]


def _null_probes(profile: ColumnProfile, declared: ColumnSchema) -> list[Probe]:
    limit = declared.max_missing
    if not profile.missing or (declared.may_miss and limit is None):
        return []
    if limit is not None and profile.missing / profile.rows <= limit:
        return []
    allowed = f"at most {percent(limit)} may" if limit is not None else "none may"
    return [
        Probe(
            check="schema-nulls",
            columns=(profile.name,),
            condition=is_missing(profile.column),
            phrase=f"have no value; {allowed}",
        )
    ]


def _range_probes(profile: ColumnProfile, declared: ColumnSchema) -> list[Probe]:
    low, high = declared.min, declared.max
    if low is None and high is None:
        return []
    if profile.kind in {"integer", "float"} and not profile.infinite:
        inside = profile.low is None or (
            (low is None or profile.low >= low) and (high is None or profile.high <= high)
        )
        if inside:
            return []
    bounds = " … ".join("" if end is None else number(end) for end in (low, high)).strip()
    seen = ""
    if profile.kind in {"integer", "float"} and profile.low is not None:
        seen = f" (the data goes from {number(profile.low)} to {number(profile.high)})"
    return [
        Probe(
            check="schema-ranges",
            columns=(profile.name,),
            condition=is_outside(profile.column, declared.type, low=low, high=high),
            phrase=f"hold a number outside {bounds}{seen}",
        )
    ]


def _category_probes(profile: ColumnProfile, declared: ColumnSchema) -> list[Probe]:
    if not declared.categories:
        return []
    new: Sequence[object] = ()
    if profile.values is not None and profile.kind == declared.type:
        new = [value for value, _ in profile.values if value not in declared.categories]
        if not new and not profile.infinite:
            return []
    listed = f": {some(new)}" if new else ""
    return [
        Probe(
            check="schema-categories",
            columns=(profile.name,),
            condition=is_not_in(profile.column, declared.type, declared.categories),
            phrase=f"hold none of the {len(declared.categories)} categories{listed}",
        )
    ]


def _pattern_probes(profile: ColumnProfile, declared: ColumnSchema, frozen: Frozen) -> list[Probe]:
    if declared.pattern is None:
        return []
    problem = pattern_problem(declared.pattern)
    if problem:
        raise InputError(
            f"the pattern is no regular expression (RE2): {problem}.",
            where=frozen.place(profile.name, "pattern"),
            remedy="Look-ahead and back-references are not supported; escape what is meant "
            "literally.",
        )
    return [
        Probe(
            check="schema-patterns",
            columns=(profile.name,),
            condition=is_not_like(profile.column, declared.pattern),
            phrase=f"do not match {declared.pattern[:200]}",
        )
    ]


def settled_columns(frozen: Frozen) -> set[str]:
    """Columns of which the schema already says how much may be missing."""
    return {
        name
        for name, declared in frozen.schema.columns.items()
        if declared.max_missing is not None or not declared.nullable
    }
