"""A gate with every decision on its test set counted: is the test set worn for it?

A heuristic (docs/statistics.md, "A test set that decides again and again"): it warns and never
blocks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from assay.evidence import Measurement, Reuse, RuleReuse, State
from assay.stats.reuse import MOST_CREDIT, margin_credit, standard_error_of
from assay.verdict.claims import WHOLE, Claim

__all__ = ["MOST_CREDIT", "WORN", "reuse_of", "why_worn"]

WORN = "worn"
_WORDS = {
    State.BETTER: "better",
    State.NO_WORSE: "no worse",
    State.WORSE: "worse",
    State.INCONCLUSIVE: "inconclusive",
    State.NOT_MEASURED: "not measured",
}


def reuse_of(claim: Claim, judge_again: Callable[[Claim], State]) -> RuleReuse | None:
    """Return what the decisions on the test set make of a gate; None where they are not known.

    ``judge_again`` names the state of a claim, by the same rules as the plain one's.
    """
    known, shown = claim.reuse, claim.measured
    if known is None or known.decisions is None or known.confidence is None:
        return None
    if claim.gate is None or claim.slice != WHOLE or shown is None:
        return None
    plain = _corrected(shown, known)
    contrast = _corrected(claim.contrast, known) if claim.contrast else None
    if plain is None or plain.interval is None or (claim.contrast and contrast is None):
        return None
    return RuleReuse(
        decisions=known.decisions,
        credit=_credit(claim),
        confidence=known.confidence,
        interval=plain.interval,
        state=judge_again(replace(claim, measured=plain, contrast=contrast)),
    )


def why_worn(reuse: RuleReuse | None, state: State) -> str | None:
    """Say why the test set is worn for a gate of this state, or None where it is not.

    The first decision on a test set wears nothing, however small its credit.
    """
    if reuse is None or reuse.decisions < 2:
        return None
    times = f"this test set has decided about {reuse.decisions:,} models"
    if reuse.state is not state:
        return (
            f"worn: {times}; counting all of them, at {_percent(reuse.confidence)} confidence, "
            f"this is {_WORDS[reuse.state]}"
        )
    if reuse.credit is not None and reuse.decisions > reuse.credit:
        return f"worn: {times}, and the margin affords {reuse.credit:,}"
    return None


def _percent(share: float) -> str:
    return f"{100 * share:.4g} %"


def _corrected(measured: Measurement, known: Reuse) -> Measurement | None:
    for found in known.corrected:
        if (found.metric, found.base_weight) == (measured.metric, measured.base_weight):
            return measured.model_copy(update={"interval": found.interval})
    return None


def _credit(claim: Claim) -> int | None:
    """The credit of the margin; of a relative one by its contrast, where it is worth r·base."""
    gate, shown = claim.gate, claim.contrast or claim.measured
    if gate is None or shown is None or shown.detectable is None:
        return None
    if not 0.5 <= claim.confidence < 1:
        # Of no configuration, but a stranger's evidence can say anything.
        return None
    if gate.relative_margin is not None:
        margin = gate.relative_margin * abs(shown.base or 0.0)
    else:
        margin = gate.margin or 0.0
    error = standard_error_of(shown.detectable, claim.confidence)
    return margin_credit(margin, error, confidence=claim.confidence)
