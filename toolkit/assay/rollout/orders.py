"""What a person, a workflow or the watchdog orders: taken, or rejected with what to do."""

from __future__ import annotations

from assay.evidence import Cause, DecisionKind, Rollout
from assay.rollout.records import Desired, Order, Return
from assay.rollout.turn import Turn, named


def take(turn: Turn, order: Order, desired: Desired) -> None:
    """Carry out one order as far as the state goes; targets are asked by the step."""
    _TAKE[order.kind](turn, order, desired)


def _reject(turn: Turn, order: Order, why: str) -> None:
    turn.record(
        DecisionKind.REJECTED,
        order.cause,
        f"Rejected: {why}",
        digest=order.digest,
        order=order,
    )


def _accept(
    turn: Turn, order: Order, sentence: str, kind: DecisionKind = DecisionKind.ACCEPTED
) -> None:
    rollout = turn.state.rollout
    turn.record(
        kind,
        order.cause,
        sentence,
        digest=order.digest or (rollout.candidate if rollout else None),
        order=order,
    )


def _deploy(turn: Turn, order: Order, desired: Desired) -> None:
    state, digest = turn.state, order.digest
    if digest is None or order.strategy is None:
        _reject(turn, order, "a deploy names a version and a strategy.")
    elif state.rollout is not None or state.returning is not None:
        _reject(turn, order, "one is on its way: wait until it is decided, or abort it first.")
    elif digest == state.stable:
        _reject(turn, order, f"{named(digest)} is what serves.")
    elif digest in state.barred:
        _reject(
            turn,
            order,
            f"{named(digest)} was taken back and is barred until a person clears that decision.",
        )
    elif desired.rollbacks_left < 1:
        said = "today's automatic rollbacks are used up: find out why before the next rollout."
        _reject(turn, order, said)
        turn.alert(f"{named(digest)} is not rolled out: {said}")
    else:
        turn.change(
            rollout=Rollout(
                candidate=digest,
                strategy=order.strategy,
                by=order.by,
                intent=order.intent,
                glass=order.glass,
            )
        )
        turn.keep(digest)
        how = order.strategy.kind if state.stable is not None else "the first version"
        _accept(turn, order, f"Accepted: {named(digest)}, {how}, asked for by {order.by}.")


def _rollback(turn: Turn, order: Order, desired: Desired) -> None:
    state = turn.state
    drill = order.cause is Cause.DRILL
    if drill and (state.rollout is not None or state.returning is not None):
        _reject(turn, order, "a drill needs a target on which nothing is on its way.")
        return
    if state.rollout is not None:
        _abort(turn, order, desired)
        if order.digest in {None, state.stable}:
            return
    wanted = order.digest or turn.state.previous
    if wanted is None:
        _reject(turn, order, "there is no previous version: name one, or deploy one.")
    elif wanted == turn.state.stable:
        _reject(turn, order, f"{named(wanted)} is what serves.")
    elif wanted in turn.state.barred:
        _reject(turn, order, f"{named(wanted)} is barred: clear it first, or name another version.")
    else:
        turn.keep(wanted)
        turn.change(
            returning=Return(
                digest=wanted,
                by=order.by,
                intent=order.intent,
                cause=order.cause,
                reason=order.reason,
            )
        )


def _abort(turn: Turn, order: Order, desired: Desired) -> None:  # noqa: ARG001 -- one signature
    rollout = turn.state.rollout
    if rollout is None:
        _reject(turn, order, "nothing is on its way.")
        return
    lost = order.kind == "lost"
    why = "nobody watched it any more" if lost else f"{order.kind} by {order.by}"
    reason = f" ({order.reason})" if order.reason else ""
    turn.back(
        Cause.LOST if lost else order.cause,
        f"Goes back: {why}{reason}.",
        order=order,
    )


def _pause(turn: Turn, order: Order, desired: Desired) -> None:  # noqa: ARG001
    rollout = turn.state.rollout
    if rollout is None or rollout.paused:
        _reject(turn, order, "nothing is on its way." if rollout is None else "it is paused.")
        return
    sentence = f"Holds: paused by {order.by}; guards stay awake, baking does not count."
    turn.change_rollout(paused=True, held=sentence)
    _accept(turn, order, sentence, DecisionKind.HELD)


def _resume(turn: Turn, order: Order, desired: Desired) -> None:  # noqa: ARG001
    rollout = turn.state.rollout
    if rollout is None or not rollout.paused:
        _reject(turn, order, "nothing is paused.")
        return
    turn.change_rollout(paused=False, held=None)
    _accept(turn, order, f"Goes on: resumed by {order.by}.", DecisionKind.RESUMED)


def _advance(turn: Turn, order: Order, desired: Desired) -> None:  # noqa: ARG001
    rollout = turn.state.rollout
    if rollout is None or rollout.paused:
        _reject(turn, order, "nothing is on its way." if rollout is None else "resume it first.")
        return
    turn.change_rollout(advanced=True)
    _accept(
        turn,
        order,
        f"This step's bake and requests are waived by {order.by}; guards and the verdict are not.",
    )


def _clear(turn: Turn, order: Order, desired: Desired) -> None:  # noqa: ARG001
    digest = order.digest
    if digest is None or digest not in turn.state.barred:
        _reject(turn, order, "that version is not barred.")
        return
    turn.change(barred=tuple(each for each in turn.state.barred if each != digest))
    _accept(
        turn, order, f"{named(digest)} is no longer barred, says {order.by}.", DecisionKind.CLEARED
    )


_TAKE = {
    "deploy": _deploy,
    "rollback": _rollback,
    "abort": _abort,
    "lost": _abort,
    "pause": _pause,
    "resume": _resume,
    "advance": _advance,
    "clear": _clear,
}
