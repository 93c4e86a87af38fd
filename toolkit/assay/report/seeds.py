"""What the comment says of several training seeds."""

from __future__ import annotations

from collections.abc import Sequence

from assay.evidence import Comparison, Measurement
from assay.report import numbers
from assay.report.bundle import Report
from assay.report.escape import cell_code, code
from assay.report.table import table
from assay.verdict.figures import places_without_interval

_MOST_VALUES = 10


def training_noise(report: Report) -> str:
    """Return how often each side was trained, and how much of the error that makes."""
    lines = []
    for model in report.touched:
        found = model.comparison
        if found is None or found.seeds is None:
            continue
        named = f"{code(model.plan.name)}: " if report.several else ""
        lines.append(f"{named}{_said(found, set(model.plan.rules.gates))}")
    return f"**Training noise**: {' '.join(lines)}" if lines else ""


def _said(found: Comparison, gates: set[str]) -> str:
    counts = [len(found.seeds.base or ("",)), len(found.seeds.head or ("",))] if found.seeds else []
    said = " and ".join(
        f"{numbers.plural(count, 'seed')} of the {side}"
        for count, side in zip(counts, ("base", "head"), strict=False)
    )
    if 1 in counts:
        return (
            f"not measured ({said}). The intervals are about these very models; another training "
            "could differ by more."
        )
    shares = [
        (measured.metric, training**2 / (training**2 + measured.seeds.test_error**2))
        for measured in _measured(found)
        if measured.metric in gates
        and measured.seeds is not None
        and (training := measured.seeds.training_error) is not None
        and training + measured.seeds.test_error > 0
    ]
    parts = "; ".join(f"{numbers.percent(share)} for {code(name)}" for name, share in shares[:5])
    rest = f" Its share of the variance: {parts}." if parts else ""
    return f"{said}; every value is the mean over seeds, the interval holds both sources.{rest}"


def seed_values(found: Comparison | None) -> str:
    """Return every seed's value of every metric, so that nobody has to trust the mean."""
    rows = []
    for measured in _measured(found) if found else ():
        seeds = measured.seeds
        if seeds is None:
            continue
        places = places_without_interval(measured.base, measured.head)
        for side, values, mean in (
            ("base", seeds.base, measured.base),
            ("head", seeds.head, measured.head),
        ):
            shown = "–" if mean is None else numbers.number(mean, places)
            rows.append((cell_code(measured.metric, most=60), side, shown, _listed(values, places)))
    return table(("Metric", "Side", "Mean", "Of each seed"), rows, right=(2,))


def _measured(found: Comparison) -> list[Measurement]:
    return [each for each in found.measurements if each.seeds is not None and each.base_weight == 1]


def _listed(values: Sequence[float], places: int) -> str:
    left = len(values) - _MOST_VALUES
    more = f" and {left:,} more" if left > 0 else ""
    return ", ".join(numbers.number(value, places) for value in values[:_MOST_VALUES]) + more
