"""What a strategy decided, carried into the state and into the records."""

from __future__ import annotations

from assay.evidence import Batch, Cause, DecisionKind, OnlineEvidence
from assay.rollout.tally import served
from assay.rollout.target import Observation
from assay.rollout.turn import Turn


def carry_out(turn: Turn, document: OnlineEvidence, observed: Observation) -> None:
    move, rollout = document.move, document.rollout
    if move.kind == "back":
        turn.back(move.cause, move.sentence, evidence=document)
    elif move.kind == "hold":
        _hold(turn, document)
    elif rollout.held is not None:
        turn.change_rollout(held=None)
        said = "Goes on: what held it is over."
        turn.record(DecisionKind.RESUMED, Cause.RECOVERY, said, digest=rollout.candidate)
    elif move.kind == "step":
        _step_on(turn, document, observed)
    elif move.kind == "promote":
        promote(turn, move.cause, move.sentence, document)
    elif move.kind == "conclude":
        _conclude(turn, document)


def _hold(turn: Turn, document: OnlineEvidence) -> None:
    """Say a reason for holding once; its number changes at every look."""
    move, rollout = document.move, document.rollout
    if rollout.held is not None:
        return
    turn.change_rollout(held=move.sentence)
    turn.record(
        DecisionKind.HELD, move.cause, move.sentence, digest=rollout.candidate, evidence=document
    )
    if move.cause is Cause.GUARD:
        turn.alert(move.sentence)


def _step_on(turn: Turn, document: OnlineEvidence, observed: Observation) -> None:
    move, rollout = document.move, document.rollout
    if move.share is None:
        return
    first = rollout.at < 0
    if first and rollout.strategy.kind == "blue-green":
        before = Batch(
            generation=max(1, observed.applied),
            share=0.0,
            serving=served(observed.counts.get(document.serving)),
        )
        rollout = rollout.model_copy(update={"batches": (before,)})
    at = rollout.at + 1 if first or rollout.strategy.kind == "canary" else rollout.at
    rollout = rollout.model_copy(update={"at": at})
    turn.change(rollout=rollout)
    turn.split(rollout, document.serving, move.share)
    turn.record(
        DecisionKind.STEPPED,
        move.cause,
        move.sentence,
        digest=rollout.candidate,
        evidence=document,
    )


def promote(
    turn: Turn, cause: Cause, sentence: str, document: OnlineEvidence | None = None
) -> None:
    rollout, before = turn.state.rollout, turn.state.stable
    if rollout is None:
        return
    older = turn.state.previous
    turn.whole(rollout.candidate)
    turn.change(
        stable=rollout.candidate,
        previous=before,
        rollout=None,
        standby=rollout.strategy.standby,
    )
    if older not in {before, rollout.candidate}:
        turn.retire(older)
    if rollout.strategy.standby == 0:
        turn.retire(before)
    turn.record(
        DecisionKind.PROMOTED,
        cause,
        sentence,
        digest=rollout.candidate,
        evidence=document,
    )


def _conclude(turn: Turn, document: OnlineEvidence) -> None:
    """A shadow that passed: the mirror ends, and nobody has had its answers."""
    rollout = document.rollout
    turn.whole(document.serving)
    turn.change(rollout=None)
    turn.retire(rollout.candidate)
    turn.record(
        DecisionKind.CONCLUDED,
        document.move.cause,
        document.move.sentence,
        digest=rollout.candidate,
        evidence=document,
    )
