"""One step of a rollout: what is wanted, observed and shown, to actions and the next state.

Pure: no file, clock or network, so that a rollout can be replayed from its log, simulated before
it is dared, and tested from every state. The controller calls it every second or so and carries
out what it says, in order; every action may be repeated.
"""

from __future__ import annotations

from assay.evidence import Cause, DecisionKind, Labelled
from assay.rollout.looks import evidence_of
from assay.rollout.moves import carry_out, promote
from assay.rollout.orders import take
from assay.rollout.records import Action, Apply, Desired, Start, State, Stop
from assay.rollout.tally import tallied
from assay.rollout.target import Observation
from assay.rollout.turn import Turn, named, way_back

UNREADY_SECONDS = 10.0
"""A version with traffic that has not been ready for so long goes back; errors speak sooner."""
MOST_RESTARTS = 3
DRILL_STANDBY = 600.0
"""Seconds that the version a drill left stays ready, to return to."""


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
    turn = Turn(state)
    for order in desired.orders:
        take(turn, order, desired)
    if observed.applied > turn.state.generation:
        _overtaken(turn, observed.applied)
    if turn.state.rollout is not None:
        _roll(turn, desired, observed, evidence, elapsed)
    if turn.state.returning is not None:
        _return(turn, desired, observed, elapsed)
    _stand_by(turn, elapsed)
    stops = _stops(turn, observed)
    actions: list[Action] = list(_starts(turn.state, observed))
    if turn.state.route is not None and observed.applied < turn.state.generation:
        actions.append(Apply(route=turn.state.route.route(), back=way_back(turn.state)))
    return (*actions, *turn.said, *stops), turn.state


def _roll(
    turn: Turn,
    desired: Desired,
    observed: Observation,
    labels: tuple[Labelled, ...],
    elapsed: float,
) -> None:
    state, rollout = turn.state, turn.state.rollout
    if rollout is None:
        return
    held = desired.held if not rollout.glass else None
    rollout = tallied(rollout, state.stable or "", observed, elapsed, held=held is not None)
    turn.change(rollout=rollout)
    backend = observed.backends.get(rollout.candidate)
    limit = UNREADY_SECONDS if rollout.batches else desired.start_seconds
    if rollout.unready >= limit:
        detail = f": {backend.detail}" if backend is not None and backend.detail else ""
        said = f"Goes back: not ready for {rollout.unready:.0f} s{detail}."
        turn.back(Cause.GUARD, said)
    elif backend is not None and backend.restarts >= MOST_RESTARTS:
        turn.back(Cause.GUARD, f"Goes back: its server ended {backend.restarts} times.")
    elif rollout.at < 0 and (backend is None or not backend.ready):
        return
    elif state.stable is None:
        if held is None and not rollout.paused:
            promote(turn, Cause.INTENT, "Promoted: the first version, nothing to compare with.")
    else:
        document = evidence_of(state.stable, rollout, labels, held=held)
        carry_out(turn, document, observed)


def _return(turn: Turn, desired: Desired, observed: Observation, elapsed: float) -> None:
    """Give all traffic to the version that a person named, as soon as it is ready."""
    wanted, gone = turn.state.returning, turn.state.stable
    if wanted is None:
        return
    backend = observed.backends.get(wanted.digest)
    if backend is None or not backend.ready:
        unready = wanted.unready + elapsed
        turn.change(returning=wanted.model_copy(update={"unready": unready}))
        if unready >= desired.start_seconds:
            turn.change(returning=None)
            turn.retire(wanted.digest)
            said = f"{named(wanted.digest)} did not start within {unready:.0f} s: nothing changed."
            turn.record(DecisionKind.HELD, wanted.cause, said, digest=wanted.digest, order=wanted)
            turn.alert(said)
        return
    turn.whole(wanted.digest)
    turn.change(stable=wanted.digest, previous=None, returning=None)
    reason = f" ({wanted.reason})" if wanted.reason else ""
    if wanted.cause is Cause.DRILL:
        turn.change(previous=gone, standby=max(turn.state.standby, DRILL_STANDBY))
    elif gone is not None:
        turn.bar(gone)
        turn.retire(gone)
    turn.record(
        DecisionKind.ROLLED_BACK,
        wanted.cause,
        f"Rolled back to {named(wanted.digest)} by {wanted.by}{reason}.",
        digest=gone,
        order=wanted,
    )


def _overtaken(turn: Turn, applied: int) -> None:
    """The router runs a generation that this state never asked for: ask for ours beyond it."""
    turn.change(generation=applied)
    state, rollout = turn.state, turn.state.rollout
    if state.route is None:
        return
    if rollout is not None and rollout.batches and state.stable is not None:
        batches, share = rollout.batches, rollout.batches[-1].share
        turn.split(rollout, state.stable, share)
        if rollout.strategy.kind == "blue-green" and turn.state.rollout is not None:
            turn.change_rollout(batches=(batches[0], turn.state.rollout.batches[-1]))
    elif state.stable is not None:
        turn.whole(state.stable)
    said = f"The router ran generation {applied:,}, which this controller did not ask for."
    turn.record(DecisionKind.REPAIRED, Cause.RECOVERY, said)


def _stand_by(turn: Turn, elapsed: float) -> None:
    """Count down the time that the previous version is kept ready."""
    state = turn.state
    if state.standby <= 0:
        return
    left = max(0.0, state.standby - elapsed)
    turn.change(standby=left)
    if left == 0:
        turn.retire(state.previous)


def _needed(state: State) -> list[str]:
    """The versions that must run, the serving one first."""
    kept = state.previous if state.standby > 0 else None
    rollout, returning = state.rollout, state.returning
    wanted = [
        state.stable,
        rollout.candidate if rollout is not None else None,
        returning.digest if returning is not None else None,
        kept,
    ]
    return list(dict.fromkeys(each for each in wanted if each is not None))


def _starts(state: State, observed: Observation) -> list[Action]:
    return [Start(digest=each) for each in _needed(state) if each not in observed.backends]


def _stops(turn: Turn, observed: Observation) -> list[Action]:
    """End what is retired, once the router has taken its traffic away."""
    state = turn.state
    if observed.applied < state.generation:
        return []
    needed = _needed(state)
    retiring = tuple(
        each for each in state.retiring if each in observed.backends and each not in needed
    )
    turn.change(retiring=retiring)
    return [Stop(digest=each) for each in retiring]
