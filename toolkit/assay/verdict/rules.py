"""From claims to judged rules: the state of each, corrected for how many there are."""

from __future__ import annotations

from collections.abc import Sequence

from assay.config import Severity
from assay.evidence import Measurement, Rule, State
from assay.stats.multiplicity import benjamini_hochberg, holm
from assay.verdict.claims import Claim
from assay.verdict.judge import flags_of, judge, judge_relative, judge_scalar
from assay.verdict.reuse import WORN, reuse_of, why_worn

IDENTICAL = "identical model"
NO_INTERVAL = "a single number, without an interval"


def judged(claims: Sequence[Claim]) -> list[Rule]:
    """Judge all claims of a run together, in their order; `decides` is left false.

    `worse` is corrected by Holm over all claims that would block and by Benjamini and Hochberg
    over all others; the worst of the slices that were searched by their number (Bonferroni),
    apart from both.
    """
    adjusted = _adjusted(claims)
    return [_rule(claim, adjusted.get(place)) for place, claim in enumerate(claims)]


def judged_with_anchor(claims: Sequence[Claim], anchored: Sequence[Claim]) -> list[Rule]:
    """Judge the claims against the base, then those against the anchor.

    What only warns against the anchor is a family of its own: the base's claims are corrected
    as if there were no anchor. What blocks is one more way to fail, and counts among them.
    """
    blocking = [claim for claim in anchored if claim.if_worse is Severity.BLOCK]
    others = [claim for claim in anchored if claim.if_worse is not Severity.BLOCK]
    return [*judged([*claims, *blocking]), *judged(others)]


def _adjusted(claims: Sequence[Claim]) -> dict[int, float]:
    places: dict[bool, list[int]] = {True: [], False: []}
    p_values = [_p_worse(claim) for claim in claims]
    adjusted: dict[int, float] = {}
    for place, (claim, p) in enumerate(zip(claims, p_values, strict=True)):
        if p is not None and claim.searched is not None:
            adjusted[place] = min(1.0, p * claim.searched)
        elif p is not None:
            places[claim.if_worse is Severity.BLOCK].append(place)
    for blocking, correct in ((True, holm), (False, benjamini_hochberg)):
        family = places[blocking]
        corrected = correct([p for place in family if (p := p_values[place]) is not None])
        adjusted.update(zip(family, corrected.tolist(), strict=True))
    return adjusted


def _p_worse(claim: Claim) -> float | None:
    measured = claim.measured
    return measured.p_worse if measured is not None and measured.interval is not None else None


def _rule(claim: Claim, p_adjusted: float | None) -> Rule:
    state, flags, reason = _state(claim, p_adjusted)
    reuse = reuse_of(claim, lambda again: _state(again, p_adjusted)[0])
    worn = why_worn(reuse, state)
    if worn is not None:
        flags, reason = [*flags, WORN], f"{reason}; {worn}" if reason else worn
    shown = claim.measured
    gate = claim.gate
    rows_needed = claim.contrast.rows_needed if claim.contrast else None
    if rows_needed is None and shown is not None:
        rows_needed = shown.rows_needed
    return Rule(
        model=claim.model,
        metric=claim.metric,
        slice=claim.slice,
        state=state,
        flags=tuple(flags),
        reason=reason,
        base=shown.base if shown else None,
        head=shown.head if shown else None,
        difference=shown.difference if shown else None,
        interval=shown.interval if shown else None,
        confidence=claim.confidence,
        margin=_margin(claim),
        relative_margin=_relative_margin(claim),
        higher_is_better=_direction(claim),
        p_worse=_p_worse(claim),
        p_adjusted=p_adjusted,
        n=shown.n if shown else 0,
        detectable=shown.detectable if shown else None,
        rows_needed=rows_needed,
        reuse=reuse,
        searched=claim.searched,
        against="base" if claim.anchor is None else "anchor",
        anchor=claim.anchor,
        gate=claim.gates and (gate is None or gate.severity is not Severity.OFF),
        severity=_worn_effect(claim, state) if worn else _effect(claim, state),
        decides=False,
    )


def _effect(claim: Claim, state: State) -> Severity:
    match state:
        case State.WORSE:
            return claim.if_worse
        case State.INCONCLUSIVE:
            return claim.if_inconclusive
        case State.NOT_MEASURED:
            return claim.if_not_measured
        case _:
            return Severity.OFF


def _worn_effect(claim: Claim, state: State) -> Severity:
    """A worn test set turns a gate that passes into one that warns, and blocks nothing."""
    effect = _effect(claim, state)
    if effect is Severity.OFF and claim.if_worse is not Severity.OFF:
        return Severity.WARN
    return effect


def _margin(claim: Claim) -> float | None:
    if claim.scalar is not None:
        relative = claim.scalar.relative_tolerance is not None
        return None if relative else claim.scalar.tolerance or 0.0
    if claim.gate is None:
        return None
    return 0.0 if claim.gate.must_improve else claim.gate.margin


def _relative_margin(claim: Claim) -> float | None:
    if claim.scalar is not None:
        return claim.scalar.relative_tolerance
    return claim.gate.relative_margin if claim.gate else None


def _direction(claim: Claim) -> bool:
    shown = claim.measured
    if shown is not None:
        return shown.higher_is_better
    if claim.scalar is not None:
        return claim.scalar.higher_is_better
    return claim.gate.higher_is_better if claim.gate else True


def _state(claim: Claim, p_adjusted: float | None) -> tuple[State, list[str], str | None]:
    """Return the state of a claim, its flags, and the reason where the numbers are not one."""
    shown = claim.measured
    if shown is None:
        return State.NOT_MEASURED, [], claim.reason
    if shown.undefined is not None or shown.difference is None:
        return State.NOT_MEASURED, [], shown.undefined or claim.reason
    if claim.scalar is not None:
        return _scalar_state(claim, shown)
    regime = shown.regime or (claim.contrast.regime if claim.contrast else None)
    if regime is not None or shown.interval is None:
        return State.INCONCLUSIVE, [], regime or "there is no interval"
    state, flags = _interval_state(claim, shown.interval)
    level = (1 - claim.confidence) / 2 * (claim.searched or 1)
    if state is State.WORSE and p_adjusted is not None and p_adjusted > level:
        reason = (
            "only nominally worse: not beyond chance once all claims are counted "
            f"(adjusted p {p_adjusted:.2g}, needs {level:.3g})"
        )
        return State.INCONCLUSIVE, [*flags, "nominally_worse"], reason
    if claim.identical and shown.interval[0] == shown.interval[1]:
        must = bool(claim.gate and claim.gate.must_improve)
        return state, flags, f"{IDENTICAL}, and it must improve" if must else IDENTICAL
    return state, flags, _why_unsettled(claim) if state is State.INCONCLUSIVE else None


def _why_unsettled(claim: Claim) -> str | None:
    """Why no margin settled the claim, where that is not the interval's width."""
    if claim.searched is not None:
        return "not beyond chance once all slices that were searched are counted"
    if _relative_margin(claim) is not None and claim.contrast is None:
        return "the comparison did not measure the relative margin's contrast"
    if _margin(claim) is None and _relative_margin(claim) is None:
        return "no margin says which loss would be acceptable"
    return None


def _scalar_state(claim: Claim, shown: Measurement) -> tuple[State, list[str], str | None]:
    scalar = claim.scalar
    if scalar is None or shown.difference is None or shown.base is None:
        return State.NOT_MEASURED, [], claim.reason
    state = judge_scalar(
        shown.base,
        shown.difference,
        tolerance=scalar.tolerance or 0.0,
        relative=scalar.relative_tolerance or 0.0,
    )
    return state, ["no_interval"], NO_INTERVAL


def _interval_state(claim: Claim, interval: tuple[float, float]) -> tuple[State, list[str]]:
    gate, margin = claim.gate, _margin(claim)
    contrast = claim.contrast.interval if claim.contrast else None
    if contrast is not None:
        state = judge_relative(interval, contrast)
        return state, flags_of(state, interval, margin=None, beyond=contrast[1] < 0)
    # A relative margin whose contrast was not measured is granted to nobody: no margin then.
    must_improve = gate is not None and gate.must_improve
    state = judge(interval, margin=margin, must_improve=must_improve)
    return state, flags_of(state, interval, margin=margin, beyond=False)
