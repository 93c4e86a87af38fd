"""From a comparison and a model's rules to claims: what is asked, what was measured, how severe."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from assay.config import Gate, Scalar, Severity
from assay.evidence import Comparison, Measurement, Reuse

WHOLE = "all"
NEW_MODEL = "the model is new: there is no base to compare with"


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What judges one model's comparison.

    `worse_blocks` names metrics without a margin that still block where they are shown to be
    worse. A `new` model has no base, which warns instead of blocking.
    """

    model: str
    gates: Mapping[str, Gate]
    scalars: Mapping[str, Scalar]
    worse_blocks: Collection[str] = ()
    new: bool = False
    worst_slice: Severity = Severity.WARN


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One metric on one slice, under one rule; `measured` is None where there is nothing."""

    model: str
    metric: str
    slice: str
    confidence: float
    gate: Gate | None = None
    scalar: Scalar | None = None
    gates: bool = False
    new: bool = False
    measured: Measurement | None = None
    contrast: Measurement | None = None
    """The measurement against the relative margin's share of the base."""
    reason: str | None = None
    identical: bool = False
    searched: int | None = None
    """How many slices were searched, where this is the worst of them."""
    worst_slice: Severity = Severity.OFF
    """What a worst slice that is worse does."""
    reuse: Reuse | None = None
    """How often the test set has decided."""
    anchor: str | None = None
    """What the anchor is called, where that is what is compared with."""

    @property
    def if_worse(self) -> Severity:
        """What `worse` does here."""
        if self.scalar is not None:
            return self.scalar.severity
        if self.searched is not None:
            return self.worst_slice
        if not self.gates:
            return Severity.OFF
        if self.gate is None:
            return Severity.BLOCK if self.slice == WHOLE else Severity.WARN
        return self.gate.severity if self.slice == WHOLE else self._in_slices(self.gate)

    @staticmethod
    def _in_slices(gate: Gate) -> Severity:
        return Severity.OFF if gate.severity is Severity.OFF else gate.slices

    @property
    def if_inconclusive(self) -> Severity:
        """What `inconclusive` does here: slices are asked for `worse` alone."""
        if not self.gates or self.slice != WHOLE or self.if_worse is Severity.OFF:
            return Severity.OFF
        if self.gate is None:
            return Severity.WARN
        return self.gate.severity if self.gate.must_improve else self.gate.inconclusive

    @property
    def if_not_measured(self) -> Severity:
        """What a missing measurement does here."""
        if not self.gates or self.if_worse is Severity.OFF:
            return Severity.OFF
        if self.slice != WHOLE and self.measured and self.measured.base is None:
            # The base has no value in this slice either: the data's doing, not the head's.
            return Severity.OFF
        return Severity.WARN if self.new else self.if_worse


def claims_of(rules: Rules, comparison: Comparison | None) -> list[Claim]:
    """Return every claim about one model: its gates first, then what was also measured.

    `comparison` is None where the stage left nothing; that, too, makes claims.
    """
    return [
        *_metric_claims(rules, comparison),
        *_scalar_claims(rules, comparison),
        *_search_claims(rules, comparison),
    ]


def anchor_claims(
    model: str, gates: Mapping[str, Gate], name: str, comparison: Comparison | None
) -> list[Claim]:
    """Return the claims of the gates against the anchor called ``name``.

    A missing anchor warns at most, as a missing base of a new model does.
    """
    rules = Rules(model=model, gates=gates, scalars={})
    return [
        replace(claim, new=True, anchor=name)
        for claim in _metric_claims(rules, comparison)
        if claim.gates
    ]


def _metric_claims(rules: Rules, comparison: Comparison | None) -> Iterator[Claim]:
    plain: dict[tuple[str, str], Measurement] = {}
    weighted: dict[tuple[str, str], Measurement] = {}
    for measured in comparison.measurements if comparison else ():
        if measured.has_interval:
            side = plain if measured.base_weight == 1 else weighted
            side.setdefault((measured.slice, measured.metric), measured)
    asked = [*rules.gates, *(name for name in rules.worse_blocks if name not in rules.gates)]
    wanted = [(WHOLE, metric) for metric in asked]
    others = [key for key in {**plain, **weighted} if key not in wanted]
    for where, metric in [*wanted, *others]:
        gate = rules.gates.get(metric)
        relative = gate is not None and gate.relative_margin is not None
        yield Claim(
            model=rules.model,
            metric=metric,
            slice=where,
            confidence=comparison.confidence if comparison else 0.95,
            gate=gate,
            gates=metric in asked,
            new=rules.new,
            measured=plain.get((where, metric)),
            contrast=weighted.get((where, metric)) if relative else None,
            reason=_missing(rules, comparison, metric),
            identical=bool(comparison and comparison.identical_model),
            reuse=comparison.reuse if comparison else None,
        )


def _scalar_claims(rules: Rules, comparison: Comparison | None) -> Iterator[Claim]:
    found = {
        measured.metric: measured
        for measured in (comparison.measurements if comparison else ())
        if not measured.has_interval
    }
    for name, scalar in rules.scalars.items():
        yield Claim(
            model=rules.model,
            metric=name,
            slice=WHOLE,
            confidence=comparison.confidence if comparison else 0.95,
            scalar=scalar,
            gates=True,
            new=rules.new,
            measured=found.get(name),
            reason=_missing(rules, comparison, name),
        )


def _search_claims(rules: Rules, comparison: Comparison | None) -> Iterator[Claim]:
    found = comparison.worst_slice if comparison else None
    if found is None or found.worst is None or found.metric is None or found.confidence is None:
        return
    if rules.worst_slice is Severity.OFF:
        return
    yield Claim(
        model=rules.model,
        metric=found.metric,
        slice=found.worst.slice,
        confidence=found.confidence,
        gate=rules.gates.get(found.metric),
        gates=True,
        measured=found.worst,
        searched=found.searched,
        worst_slice=rules.worst_slice,
    )


def _missing(rules: Rules, comparison: Comparison | None, name: str) -> str:
    if rules.new:
        return NEW_MODEL
    if comparison is None:
        return "the comparison left no evidence"
    return comparison.not_measured or f"the comparison did not measure {name}"
