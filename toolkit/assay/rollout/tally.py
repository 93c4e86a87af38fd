"""What a rollout has seen: running seconds, and the counts of both versions."""

from __future__ import annotations

from assay.evidence import Rollout, Served
from assay.rollout.target import Counts, Observation


def tallied(
    rollout: Rollout, stable: str, observed: Observation, elapsed: float, *, held: bool
) -> Rollout:
    """The rollout after `elapsed` more seconds, with what is observed.

    While it is held neither baking nor the deadline's time runs; a step bakes only while the
    router has acknowledged it.
    """
    stopped = rollout.paused or held
    backend = observed.backends.get(rollout.candidate)
    ready = backend is not None and backend.ready
    batches = rollout.batches
    applied = bool(batches) and batches[-1].generation == observed.applied
    if applied:
        shadow = rollout.strategy.kind == "shadow"
        new = observed.mirror_counts if shadow else observed.counts.get(rollout.candidate)
        last = batches[-1].model_copy(
            update={"serving": served(observed.counts.get(stable)), "new": served(new)}
        )
        batches = (*batches[:-1], last)
    bakes = applied and not stopped and rollout.held is None
    return rollout.model_copy(
        update={
            "batches": batches,
            "elapsed": rollout.elapsed + (0.0 if stopped else elapsed),
            "baked": rollout.baked + (elapsed if bakes else 0.0),
            "unready": 0.0 if ready else rollout.unready + elapsed,
        }
    )


def served(counts: Counts | None) -> Served:
    """Counts as evidence; a request that is counted as slow before it is counted counts once."""
    if counts is None:
        return Served()
    return Served(
        requests=counts.requests,
        errors=min(counts.errors, counts.requests),
        slow=min(counts.slow, counts.requests),
        units=counts.units,
    )
