"""One step of a rollout: what is wanted, observed and shown, to actions and the next state.

Pure: no file, clock or network, so that a rollout can be replayed from its log, simulated before
it is dared, and tested from every state. The controller calls it every second or so and carries
out what it says; every action may be repeated.
"""

from __future__ import annotations

from assay.evidence import Labelled
from assay.rollout.records import Action, Desired, State
from assay.rollout.target import Observation


def step(
    state: State,
    desired: Desired,
    observed: Observation,
    evidence: tuple[Labelled, ...],
    elapsed: float,
) -> tuple[tuple[Action, ...], State]:
    """Return what to do now, in this order, and the state to keep before doing it.

    `evidence` holds the label sums of the whole rollout so far, by the generation under which a
    unit was assigned. `elapsed` is the running seconds since the last call, 0 at the first one
    after a start (then pass `records.restarted(state)`).
    """
    raise NotImplementedError
