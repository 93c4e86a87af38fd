"""Several training seeds a side: pairs of seeds are compared, and the comparisons put together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from assay.comparison.ask import Asked
from assay.config import METRICS, Severity
from assay.evidence import Comparison, Measurement, SeedValues, TrainingSeeds
from assay.stats.estimate import Contrast
from assay.stats.seeds import OverSeeds, PairVariance, Trained, seeds_difference
from assay.tables.predictions_counts import ALL
from assay.tables.seeds import Seeds, seeds_of

Side = str
Pair = tuple[tuple[Side, int], tuple[Side, int]]
"""Two models by side and place of their seed; the first is compared with, as a base is."""
Compared = Callable[[Mapping[str, Path], Mapping[str, str | None], Asked], Comparison]
"""Compares two files, each narrowed to one seed; both by 'base' and 'head'."""
_BIASED = "the bias of calibration error is not known over several seeds"
Key = tuple[str, str, float]


def over_seeds(base: Path, head: Path, asked: Asked, column: str, compared: Compared) -> Comparison:
    """Compare the means over seeds, where the seed stands in ``column`` of either file.

    Every seed is in one pair of base and head at least, and in two pairs of its own side; their
    mean variances stand for those of all pairs. Details are those of the first seeds.
    """
    seeds = seeds_of(base, head, column)
    counts = {"base": len(seeds.base or (None,)), "head": len(seeds.head or (None,))}
    files = {"base": base, "head": head}
    # Slices of one pair of models say nothing of the others, so the worst is not searched.
    plain = replace(
        asked,
        base_model=None,
        head_model=None,
        worst_slice=asked.worst_slice.model_copy(update={"severity": Severity.OFF}),
    )
    found = {
        pair: compared(
            {"base": files[pair[0][0]], "head": files[pair[1][0]]},
            {"base": _name(seeds, pair[0]), "head": _name(seeds, pair[1])},
            plain,
        )
        for pair in pairs_of(counts["base"], counts["head"])
    }
    first = next(iter(found.values()))
    combined = _Combined(
        counts=counts, confidence=asked.confidence, found={p: _by_key(c) for p, c in found.items()}
    )
    measurements = tuple(combined.measurement(each) for each in first.measurements)
    return first.model_copy(
        update={
            "inputs": _inputs(found),
            "measurements": measurements,
            "seeds": TrainingSeeds(base=seeds.base or (), head=seeds.head or ()),
            "groups": (),
            "reuse": None,
            "notes": (*first.notes, _note(counts)),
        }
    )


def pairs_of(base: int, head: int) -> list[Pair]:
    """The pairs of models to compare: around each side, and across as often as the larger has."""
    across: list[Pair] = [
        (("base", place % base), ("head", place % head)) for place in range(max(base, head))
    ]
    within: list[Pair] = [
        ((side, place), (side, (place + 1) % count))
        for side, count in (("base", base), ("head", head))
        for place in range(count if count > 2 else count - 1)
    ]
    return [*across, *within]


def _name(seeds: Seeds, model: tuple[Side, int]) -> str | None:
    side, place = model
    names = seeds.base if side == "base" else seeds.head
    return names[place] if names else None


def _by_key(comparison: Comparison) -> dict[Key, Measurement]:
    return {(m.metric, m.slice, m.base_weight): m for m in comparison.measurements}


def _inputs(found: Mapping[Pair, Comparison]) -> dict[str, str]:
    across = next(each for pair, each in found.items() if pair[0][0] != pair[1][0])
    return across.inputs


def _note(counts: Mapping[Side, int]) -> str:
    said = " and ".join(
        f"{count} {'seed' if count == 1 else 'seeds'} of the {side}"
        for side, count in counts.items()
    )
    if min(counts.values()) == 1:
        return (
            f"{said}: training noise is not measured. The intervals are about these very models; "
            "another training could differ by more."
        )
    return f"{said}: each value is the mean over seeds, and training noise is in the intervals."


@dataclass(frozen=True, kw_only=True)
class _Combined:
    """What the pairs measured, and how it is put together for one metric and slice."""

    counts: Mapping[Side, int]
    confidence: float
    found: Mapping[Pair, Mapping[Key, Measurement]]

    def measurement(self, like: Measurement) -> Measurement:
        """The means over seeds for the metric and slice of ``like``, of the first pair."""
        key = (like.metric, like.slice, like.base_weight)
        here = {pair: each[key] for pair, each in self.found.items() if key in each}
        bad = next((m for m in here.values() if m.undefined is not None), None)
        bad = bad or next((m for m in here.values() if m.row_variance is None), None)
        if bad is None and like.metric == "calibration_error":
            # Its interval allows for a bias, which the pairs' variances do not carry.
            bad = like.model_copy(update={"regime": _BIASED, "rows_needed": None})
        if len(here) < len(self.found) or bad is not None:
            return self._refused(like, bad)
        over = self._over(like, here)
        estimate = over.estimate
        return like.model_copy(
            update={
                "base": estimate.base,
                "head": estimate.head,
                "difference": estimate.difference,
                "interval": (estimate.interval.low, estimate.interval.high)
                if estimate.interval
                else None,
                "p_worse": estimate.p_worse,
                "detectable": estimate.detectable,
                "rows_needed": None,
                "row_variance": None,
                "extra_variance": 0.0,
                "regime": estimate.regime,
                "seeds": SeedValues(
                    base=tuple(self._values(here, "base")),
                    head=tuple(self._values(here, "head")),
                    test_error=over.test_error,
                    training_error=over.training_error,
                )
                if like.slice == ALL
                else None,
            }
        )

    def _over(self, like: Measurement, here: Mapping[Pair, Measurement]) -> OverSeeds:
        sides = {
            side: Trained(
                values=self._values(here, side),
                within=[
                    _variance(each)
                    for pair, each in here.items()
                    if pair[0][0] == pair[1][0] == side
                ],
            )
            for side in ("base", "head")
        }
        metric = METRICS.get(like.metric)
        contrast = Contrast(
            n=like.n,
            base=sides["base"].mean,
            head=sides["head"].mean,
            base_weight=like.base_weight,
            greater_is_better=like.higher_is_better,
            lowest=-float("inf") if metric is None or metric.low is None else metric.low,
            highest=float("inf") if metric is None or metric.high is None else metric.high,
        )
        across = [_variance(each) for pair, each in here.items() if pair[0][0] != pair[1][0]]
        return seeds_difference(
            contrast,
            sides["base"],
            sides["head"],
            across,
            confidence=self.confidence,
            clusters=like.clusters,
        )

    def _values(self, here: Mapping[Pair, Measurement], side: Side) -> Sequence[float]:
        found: dict[int, float] = {}
        for ((left, first), (right, second)), each in here.items():
            if left != right and each.base is not None and each.head is not None:
                found[first if side == "base" else second] = (
                    each.base if side == "base" else each.head
                )
        return [found[place] for place in range(self.counts[side])]

    def _refused(self, like: Measurement, bad: Measurement | None) -> Measurement:
        undefined = bad.undefined if bad else None
        reason = bad.regime if bad and bad.regime else "not every seed could be compared"
        return like.model_copy(
            update={
                "interval": None,
                "p_worse": None,
                "detectable": None,
                "rows_needed": bad.rows_needed if bad else None,
                "row_variance": None,
                "undefined": f"in one of the seeds: {undefined}" if undefined else None,
                "regime": None if undefined else reason,
                **({"difference": None} if undefined else {}),
            }
        )


def _variance(found: Measurement) -> PairVariance:
    plain = (found.row_variance or 0.0) / found.n
    return PairVariance(plain=plain, smoothing=found.extra_variance / found.n**2)
