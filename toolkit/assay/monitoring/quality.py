"""Live quality: a window's metrics for the report, and the decision over all looks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields

import numpy as np
from numpy.typing import NDArray

from assay.config import METRICS, LiveMetric
from assay.evidence import Quality, Rule, State
from assay.stats import live
from assay.stats.sequential.means import Sums
from assay.stats.sequential.since import Since, calibration_since, mean_since, rate_since
from assay.tables.live_counts import BINS, Cell, LiveSums
from assay.verdict.judge import flags_of, judge

Vector = NDArray[np.float64]
_NO_LABELS = "no labels"


def together(parts: Sequence[LiveSums]) -> LiveSums:
    """The sums of several windows or versions."""
    numbers = {
        field.name: sum(getattr(part, field.name) for part in parts)
        for field in fields(LiveSums)
        if field.name != "bins"
    }
    by_bin = sum((_bins(part) for part in parts), np.zeros((BINS, 3)))
    bins = tuple((int(row[0]), float(row[1]), float(row[2])) for row in by_bin)
    return LiveSums(**numbers, bins=bins if any(row[0] for row in bins) else ())


def measured(metric: str, sums: LiveSums, *, confidence: float) -> live.Measured:
    """One metric of one window, with an interval for that window alone."""
    wrong = sums.false_alarms + sums.misses
    positive = sums.hits + wrong > 0
    match metric:
        case "accuracy":
            return live.share(sums.right, sums.n, confidence=confidence, nothing=_NO_LABELS)
        case "precision":
            said = sums.hits + sums.false_alarms
            nothing = "nothing was predicted positive" if positive else "no positives"
            return live.share(sums.hits, said, confidence=confidence, nothing=nothing)
        case "recall":
            there = sums.hits + sums.misses
            return live.share(sums.hits, there, confidence=confidence, nothing="no positives")
        case "f1":
            return live.f1(sums.hits, wrong, confidence=confidence)
        case "calibration_error":
            return live.calibration_error(*_bins(sums).T, confidence=confidence)
        case "mae":
            return live.mean(sums.errors, sums.absolute, sums.squared, confidence=confidence)
        case "rmse":
            return live.root_mean(sums.errors, sums.squared, sums.fourth, confidence=confidence)
    raise KeyError(metric)


def qualities(
    metrics: Sequence[str], sums: LiveSums, *, confidence: float, of_slice: str = "all"
) -> tuple[Quality, ...]:
    """Each metric as evidence."""
    found = {name: measured(name, sums, confidence=confidence) for name in metrics}
    return tuple(
        Quality(
            metric=name,
            slice=of_slice,
            value=one.value,
            interval=one.interval,
            n=one.n,
            reason=one.reason,
        )
        for name, one in found.items()
    )


def shown_metrics(
    judged: Mapping[str, LiveMetric], *, numbers: bool, positive: str | None, scored: bool
) -> tuple[str, ...]:
    """The usual metrics of what was logged, and those that are judged."""
    usual: tuple[str, ...]
    if numbers:
        usual = ("mae", "rmse")
    elif positive is None:
        usual = ("accuracy",)
    else:
        usual = ("accuracy", "precision", "recall", "f1")
        usual += ("calibration_error",) if scored else ()
    return tuple(dict.fromkeys((*usual, *judged)))


def rule_of(
    model: str,
    metric: str,
    asked: LiveMetric,
    *,
    promised: float,
    cells: Sequence[Cell],
    confidence: float,
    unusable: str | None = None,
) -> tuple[Rule, int | None]:
    """Judge one metric of one version on its mature windows; and the window since which it is so.

    `confidence` holds at all looks together. `unusable` says why nothing can be judged.
    """
    higher = METRICS[metric].higher_is_better
    facts = {
        "model": model,
        "metric": metric,
        "base": promised,
        "margin": asked.margin,
        "higher_is_better": higher,
        "gate": True,
        "severity": asked.severity,
        "confidence": confidence,
    }
    found = () if unusable else _sequences(metric, cells, promised, asked.planned, confidence)
    if not found:
        sums = together([cell.sums for cell in cells])
        n = sums.n
        reason = unusable or (_lacking(metric, sums) if n else "no window is mature yet")
        rule = Rule(**facts, state=State.NOT_MEASURED, reason=reason, n=n, decides=False)
        return rule, None
    differences = [_oriented(one, promised, higher) for one in found]
    states = [judge(ends, margin=asked.margin) for ends in differences]
    worse = [place for place, state in enumerate(states) if state is State.WORSE]
    place = min(worse, key=lambda at: differences[at][1]) if worse else 0
    one, ends, state = found[place], differences[place], states[place]
    rule = Rule(
        **facts,
        state=state,
        flags=tuple(flags_of(state, ends, margin=asked.margin, beyond=False)),
        head=one.value,
        difference=(one.value - promised) * (1 if higher else -1),
        interval=ends,
        n=one.n,
        decides=state is State.WORSE,
    )
    return rule, cells[0].window + one.start


def _lacking(metric: str, sums: LiveSums) -> str:
    """Why labels do not measure a metric."""
    if metric in {"precision", "recall", "f1"} and not sums.hits + sums.false_alarms + sums.misses:
        return "no label and no prediction is the positive class"
    if metric == "calibration_error" and not sums.bins:
        return "no score is logged with a label"
    if metric in {"mae", "rmse"} and not sums.errors:
        return "labels and predictions are no numbers"
    return f"{sums.n:,} labels are too few"


def _oriented(one: Since, promised: float, higher: bool) -> tuple[float, float]:
    if higher:
        return one.low - promised, one.high - promised
    return promised - one.high, promised - one.low


def _sequences(
    metric: str, cells: Sequence[Cell], promised: float, planned: int, confidence: float
) -> tuple[Since, ...]:
    """The sequences that begin with each window from the first cell's to the last one's."""
    if not cells:
        return ()
    by_window = {cell.window: cell.sums for cell in cells}
    sums = [
        by_window.get(number, LiveSums()) for number in range(cells[0].window, cells[-1].window + 1)
    ]
    counted = _counted(metric, sums)
    if counted is not None:
        happened, rows = counted
        f1 = metric == "f1"
        return rate_since(
            happened,
            rows,
            promised=live.jaccard_of(promised) if f1 else promised,
            planned=planned,
            confidence=confidence,
            of_rate=live.f1_of if f1 else float,
        )
    if metric == "calibration_error":
        in_bins, gaps, squares = np.moveaxis(np.stack([_bins(part) for part in sums]), 2, 0)
        return calibration_since(in_bins, gaps, squares, planned=planned, confidence=confidence)
    if metric == "mae":
        values = [_mean_sums(part, part.absolute, part.squared) for part in sums]
        return mean_since(values, planned=planned, confidence=confidence)
    values = [_mean_sums(part, part.squared, part.fourth) for part in sums]
    return mean_since(values, planned=planned, confidence=confidence, of_mean=_root)


def _counted(metric: str, sums: Sequence[LiveSums]) -> tuple[Vector, Vector] | None:
    """Events and rows of a metric that is a proportion, or a rising function of one (F1)."""
    hits = np.array([part.hits for part in sums], dtype=np.float64)
    false_alarms = np.array([part.false_alarms for part in sums])
    misses = np.array([part.misses for part in sums])
    match metric:
        case "accuracy":
            right = np.array([part.right for part in sums], dtype=np.float64)
            return right, np.array([part.n for part in sums], dtype=np.float64)
        case "precision":
            return hits, hits + false_alarms
        case "recall":
            return hits, hits + misses
        case "f1":
            return hits, hits + false_alarms + misses
    return None


def _root(mean: float) -> float:
    return math.sqrt(max(0.0, mean))


def _mean_sums(part: LiveSums, total: float, squares: float) -> Sums:
    if part.errors == 0:
        return Sums()
    mean = total / part.errors
    left = max(0.0, squares - part.errors * mean**2)
    return Sums(n=part.errors, mean=mean, squares=left, events=part.apart)


def _bins(sums: LiveSums) -> Vector:
    return np.asarray(sums.bins or [(0, 0.0, 0.0)] * BINS, dtype=np.float64)
