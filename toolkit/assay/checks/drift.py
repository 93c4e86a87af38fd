"""How far each column moved between two files: effect sizes decide, p-values confirm."""

from __future__ import annotations

from collections.abc import Collection

from assay.checks.cells import (
    Cells,
    describe,
    effects,
    from_bins,
    from_categories,
    histogram,
    p_value,
    rounded,
)
from assay.checks.side import Side, number
from assay.evidence import Finding
from assay.stats.multiplicity import benjamini_hochberg
from assay.tables.histograms import (
    binned,
    category_counts,
    quantiles,
    top_counts,
)
from assay.tables.profile import ColumnProfile

_LEVEL = 0.05
_FEW_NUMBERS = 20
_MOSTLY_DISTINCT = 0.5
_NUMBERS = {"integer", "float"}

Pair = tuple[ColumnProfile, ColumnProfile]


def drifted(
    reference: Side,
    current: Side,
    *,
    check: str,
    dataset: str,
    max_psi: float,
    leave_out: Collection[str] = (),
) -> list[Finding]:
    """Columns whose distribution moved by more than ``max_psi``.

    A move counts where its chi-square p-value stays below 5 % after Benjamini and Hochberg's
    correction over all columns of the two files. Ids and free text (mostly distinct values) and
    nested columns are not compared.
    """
    cells = _cells(reference, current, leave_out)
    if not cells:
        return []
    p_values = [p_value(found) for found in cells.values()]
    adjusted = benjamini_hochberg(p_values)
    findings = []
    for (name, found), p, p_adjusted in zip(cells.items(), p_values, adjusted, strict=True):
        sizes = effects(found, max_psi)
        index = sizes[0].value
        if index <= max_psi or p_adjusted >= _LEVEL:
            continue
        findings.append(
            Finding(
                check=check,
                dataset=dataset,
                columns=(name,),
                message=f"The population stability index is {number(index)} "
                f"(at most {number(max_psi)}): {describe(found)}.",
                effects=sizes,
                p_value=rounded(p),
                p_adjusted=rounded(float(p_adjusted)),
                histogram=histogram(found),
            )
        )
    return findings


def _cells(reference: Side, current: Side, leave_out: Collection[str]) -> dict[str, Cells]:
    pairs = [
        (profile, current.profiles[name])
        for name, profile in reference.profiles.items()
        if name in current.profiles and name not in leave_out
    ]
    cells: dict[str, Cells] = {}
    many: list[Pair] = []
    for before, after in pairs:
        listed = category_counts(before, after)
        if _is_empty(before) or _is_empty(after):
            cells[before.name] = _any_value(before, after)
        elif _are_numbers(before, after):
            if listed is not None and len(listed.values) <= _FEW_NUMBERS:
                cells[before.name] = from_categories(listed, numbers=True)
            else:
                many.append((before, after))
        elif {before.kind, after.kind} <= {"text", "boolean"} and before.kind == after.kind:
            if listed is not None:
                cells[before.name] = from_categories(listed)
            elif not _mostly_distinct(before):
                top = top_counts(reference.rows, current.rows, before.name)
                cells[before.name] = from_categories(top)
    cells.update(_binned(reference, current, many))
    completed = {
        before.name: cells[before.name].with_missing(_without(before), _without(after))
        for before, after in pairs
        if before.name in cells
    }
    return {
        name: found
        for name, found in completed.items()
        if sum(found.reference) and sum(found.current)
    }


def _is_empty(profile: ColumnProfile) -> bool:
    return _without(profile) == profile.rows


def _any_value(before: ColumnProfile, after: ColumnProfile) -> Cells:
    """A column without values in one of the files has no type to compare by."""
    present = [profile.rows - _without(profile) for profile in (before, after)]
    return Cells(names=("any value",), reference=(present[0],), current=(present[1],))


def _are_numbers(before: ColumnProfile, after: ColumnProfile) -> bool:
    kinds = {before.kind, after.kind}
    return kinds <= _NUMBERS or (kinds == {"time"} and before.column.type == after.column.type)


def _mostly_distinct(profile: ColumnProfile) -> bool:
    return profile.distinct > _MOSTLY_DISTINCT * (profile.rows - profile.missing)


def _without(profile: ColumnProfile) -> int:
    """Rows without a finite value: they are in no bin and no list."""
    return profile.missing + profile.infinite


def _binned(reference: Side, current: Side, pairs: list[Pair]) -> dict[str, Cells]:
    columns = [[pair[side].column for pair in pairs] for side in (0, 1)]
    before = quantiles(reference.rows, columns[0])
    after = quantiles(current.rows, columns[1])
    both = {name: (before[name], after[name]) for name in before if before[name] and after[name]}
    bins = binned(reference.rows, current.rows, both)
    times = {before.name for before, _ in pairs if before.kind == "time"}
    return {name: from_bins(found, times=name in times) for name, found in bins.items()}
