"""What the page's charts draw, as JSON that can stand inside HTML."""

from __future__ import annotations

import json
from typing import Any

from assay.config import metric_named
from assay.evidence import Comparison, DataReport, Rule
from assay.report.bundle import ModelEvidence, Report
from assay.report.escape import clean
from assay.report.gates import cells, sort_key

MOST_CLAIMS = 1_500
"""Beyond these the page would pass two megabytes; the rest is in verdict.json."""
MOST_HISTOGRAMS = 24
MOST_HEADLINES = 14
_LONGEST = 120
_UNIT = "share"


def claims(report: Report) -> tuple[Rule, ...]:
    """Return the claims that the page lists, what decides first."""
    rules = [rule for rule in report.verdict.rules if rule.searched is None]
    return tuple(sorted(rules, key=sort_key)[:MOST_CLAIMS])


def headline(report: Report) -> tuple[Rule, ...]:
    """Return what the first chart draws: what decides, and every gate over all rows."""
    chosen = [
        rule for rule in report.verdict.rules if rule.decides or (rule.gate and rule.slice == "all")
    ]
    return tuple(sorted(chosen, key=_first)[:MOST_HEADLINES])


def _first(rule: Rule) -> tuple[object, ...]:
    return (not rule.decides, rule.searched is None, *sort_key(rule))


def page_data(report: Report) -> dict[str, Any]:
    """Return claims, and by model curves and histograms; every text is cleaned, none escaped."""
    return {
        "several": report.several,
        "headline": [_claim(rule) for rule in headline(report)],
        "claims": [_claim(rule) for rule in claims(report)],
        "models": {
            clean(model.plan.name, most=_LONGEST): _model(model) for model in report.touched
        },
    }


def embedded(data: dict[str, Any]) -> str:
    """Return ``data`` as ASCII JSON that ends no script element and no line of one."""
    text = json.dumps(data, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _claim(rule: Rule) -> dict[str, Any]:
    printed = cells(rule)
    low, high = rule.interval or (None, None)
    return {
        "model": clean(rule.model, most=_LONGEST),
        "metric": clean(rule.metric, most=_LONGEST),
        "slice": clean(rule.slice, most=_LONGEST),
        "state": rule.state.value,
        "gate": rule.gate,
        "decides": rule.decides,
        "n": rule.n,
        "searched": rule.searched,
        "difference": rule.difference,
        "low": low,
        "high": high,
        "margin": _absolute_margin(rule),
        "unit": _unit(rule),
        "said": f"{printed.base} → {printed.head}, {printed.difference}",
    }


def _absolute_margin(rule: Rule) -> float | None:
    # The state of a relative margin rests on a contrast; its line is drawn at the base's value.
    if rule.relative_margin is not None:
        return None if rule.base is None else rule.relative_margin * abs(rule.base)
    return rule.margin


def _unit(rule: Rule) -> str:
    """Name the axis a claim is drawn on: metrics between 0 and 1 share one."""
    try:
        span = metric_named(rule.metric).span
    except KeyError:  # a scalar of a metric file
        span = None
    return _UNIT if span == 1 else clean(rule.metric, most=_LONGEST)


def _model(model: ModelEvidence) -> dict[str, Any]:
    found = model.comparison
    return {
        "curves": _curves(found) if found else {},
        "drift": _drift(model.data) if model.data else [],
    }


def _curves(found: Comparison) -> dict[str, Any]:
    kinds: dict[str, list[dict[str, Any]]] = {}
    for curve in found.details.curves:
        counts = curve.n or (None,) * len(curve.x)
        kinds.setdefault(curve.kind, []).extend(
            {"side": curve.side, "x": x, "y": y, "n": n}
            for x, y, n in zip(curve.x, curve.y, counts, strict=False)
        )
    return kinds


def _drift(data: DataReport) -> list[dict[str, Any]]:
    drawn = [finding for finding in data.findings if finding.histogram is not None]
    return [
        {
            "cells": [clean(cell, most=40) for cell in finding.histogram.cells],
            "reference": _shares(finding.histogram.reference),
            "current": _shares(finding.histogram.current),
        }
        for finding in drawn[:MOST_HISTOGRAMS]
        if finding.histogram is not None
    ]


def _shares(counts: tuple[int, ...]) -> list[float]:
    total = sum(counts) or 1
    return [round(count / total, 6) for count in counts]
