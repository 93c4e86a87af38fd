"""What every strategy has in common: going back, holding, the deadline, and promotion."""

from __future__ import annotations

from assay.evidence import Cause, Move, State
from assay.evidence.online import LookName
from assay.rollout.sentences import claim, duration
from assay.rollout.strategies.reading import GUARDS, Reading


def must_go_back(reading: Reading) -> Move | None:
    """A guard that shows the new version to be worse."""
    metric = reading.rollout.strategy.quality
    for name in GUARDS:
        look = reading.looks[name]
        if look.state is State.WORSE:
            return Move(
                kind="back", cause=Cause.GUARD, sentence=f"Goes back: {claim(look, metric)}."
            )
    return None


def worse_quality(reading: Reading) -> Move | None:
    """Labels, or a shadow's disagreement, that show it to be worse."""
    metric = reading.rollout.strategy.quality
    judged: tuple[LookName, ...] = ("agreement", "quality")
    for name in judged:
        look = reading.looks.get(name)
        if look is not None and look.state is State.WORSE:
            return Move(
                kind="back", cause=Cause.VERDICT, sentence=f"Goes back: {claim(look, metric)}."
            )
    return None


def must_hold(reading: Reading) -> Move | None:
    """A person's pause, a freeze, or units that are not split as asked."""
    rollout = reading.rollout
    if rollout.paused:
        return Move(kind="hold", cause=Cause.INTENT, sentence="Holds: a person paused it.")
    if reading.held is not None and not rollout.glass:
        return Move(kind="hold", cause=Cause.HAND, sentence=f"Holds: {reading.held}.")
    if reading.mismatch is not None:
        said = claim(reading.mismatch, rollout.strategy.quality)
        return Move(kind="hold", cause=Cause.GUARD, sentence=f"Holds: {said}.")
    return None


def at_deadline(reading: Reading) -> Move | None:
    """Inconclusive at its deadline: it goes back, and says what was not shown."""
    rollout = reading.rollout
    if rollout.paused or (reading.held is not None and not rollout.glass):
        return None
    limit = rollout.strategy.deadline
    if rollout.elapsed < limit:
        return None
    look = reading.mismatch or reading.unproven()
    why = (
        f"its step still waits ({reading.waiting()})"
        if look is None
        else claim(look, rollout.strategy.quality)
    )
    return Move(
        kind="back",
        cause=Cause.DEADLINE,
        sentence=f"Goes back: inconclusive after {duration(limit)}: {why}.",
    )


def begin(share: float, what: str) -> Move:
    """The first route."""
    return Move(kind="step", cause=Cause.INTENT, sentence=f"Begins: {what}.", share=share)


def stay(reason: str) -> Move:
    """Wait."""
    return Move(kind="stay", cause=Cause.BAKED, sentence=f"Waits: {reason}.")


def finish(reading: Reading, *, kind: str = "promote") -> Move:
    """Promote (or conclude) once the step has waited and everything needed is shown."""
    waiting = reading.waiting()
    if waiting is not None:
        return stay(waiting)
    metric = reading.rollout.strategy.quality
    look = reading.unproven()
    if look is not None:
        return stay(claim(look, metric))
    deciding = reading.looks.get("quality") or reading.looks["errors"]
    word = "Promoted" if kind == "promote" else "Passed as a shadow"
    return Move(
        kind="promote" if kind == "promote" else "conclude",
        cause=Cause.VERDICT,
        sentence=f"{word}: {claim(deciding, metric)}.",
    )
