"""What of a difference came from the code, and what from the data."""

from __future__ import annotations

from collections.abc import Sequence

from assay.evidence import AttributedEffect, Attribution, Corner
from assay.evidence.attribution import EffectName
from assay.report import numbers
from assay.report.bundle import Report
from assay.report.escape import cell_code, code, text
from assay.report.table import paragraphs, table

_CORNERS: tuple[tuple[Corner, str], ...] = (
    ("base", "the base's code on its own data"),
    ("code-only", "the head's code on the base's data"),
    ("data-only", "the base's code on the head's data"),
    ("head", "the head's code on its own data"),
)
_SHARES: tuple[EffectName, ...] = ("total", "code", "data")
_INSIDE: tuple[EffectName, ...] = (
    "code at base data",
    "code at head data",
    "data at base code",
    "data at head code",
    "interaction",
)
_HOW = (
    "Code and data are each the average of what they change beside the other's old and new state, "
    "so that they add up. Made by the pull request's own run: for information, it decides nothing."
)


def code_and_data(report: Report) -> str:
    """Return one small table for each model of which both changed."""
    parts = []
    for model in report.touched:
        found = model.attribution
        if found is None:
            continue
        who = f"{code(model.plan.name)}: " if report.several else ""
        if found.not_measured is not None:
            parts.append(f"{who}**Code and data**: not attributed, {text(found.not_measured)}.")
            continue
        rows = numbers.plural(found.rows or 0, "test row")
        left = f", {_left_out(found)}" if found.left_out else ""
        title = f"{who}**How much came from code and data** ({rows} that all four predict{left})"
        parts += [title, _table(found, _SHARES, ("Total", "Code", "Data"))]
    return paragraphs(*parts)


def two_by_two(found: Attribution) -> str:
    """Return the four corners' values and the effects between them."""
    if found.not_measured is not None:
        return ""
    metrics = list(dict.fromkeys(effect.metric for effect in found.effects))
    values = {(value.metric, value.corner): value.value for value in found.values}
    rows = []
    for metric in metrics:
        places = _places(found, metric)
        shown = [values.get((metric, corner)) for corner, _ in _CORNERS]
        cells = ("–" if value is None else numbers.number(value, places) for value in shown)
        rows.append((cell_code(metric, most=60), *cells))
    header = ("Metric", *(f"{words[:1].upper()}{words[1:]}" for _, words in _CORNERS))
    names = tuple(f"{name[:1].upper()}{name[1:]}" for name in _INSIDE)
    return paragraphs(table(header, rows, right=(1, 2, 3, 4)), _table(found, _INSIDE, names), _HOW)


def _left_out(found: Attribution) -> str:
    most = max(found.left_out.values())
    return f"up to {numbers.plural(most, 'row')} of a corner left out"


def _table(found: Attribution, effects: Sequence[EffectName], names: Sequence[str]) -> str:
    by_name = {(effect.metric, effect.effect): effect for effect in found.effects}
    rows = []
    for metric in dict.fromkeys(effect.metric for effect in found.effects):
        places = _places(found, metric)
        cells = [_cell(by_name.get((metric, effect)), places) for effect in effects]
        rows.append((cell_code(metric, most=60), *cells))
    level = numbers.exact_percent(found.confidence)
    header = (f"Metric, + is better [{level} interval]", *names)
    return table(header, rows, right=range(1, len(effects) + 1))


def _cell(effect: AttributedEffect | None, places: int) -> str:
    if effect is None or effect.difference is None:
        return f"– ({text(effect.reason)})" if effect and effect.reason else "–"
    shown = numbers.signed(effect.difference, places)
    if effect.interval is None:
        return f"{shown}, no interval" + (f" ({text(effect.reason)})" if effect.reason else "")
    return f"{shown} {numbers.interval(effect.interval, places)}"


def _places(found: Attribution, metric: str) -> int:
    """As many decimals as the total's interval supports, for all numbers of a metric."""
    total = next((e for e in found.effects if (e.metric, e.effect) == (metric, "total")), None)
    if total is None or total.interval is None:
        return 4
    return numbers.places_for(total.interval)
