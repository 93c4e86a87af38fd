"""Which of the intents that arrived are orders, by the chain; what is recorded of the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assay.evidence import Cause, DecisionKind
from assay.rollout.controller.chain import basis, seen_intents
from assay.rollout.controller.inbox import Arrived
from assay.rollout.controller.intake import FORWARD, Rejected, check_chain, order_of
from assay.rollout.controller.store import Handled
from assay.rollout.records import Order, Record, State
from assay.state import Link


@dataclass(frozen=True, kw_only=True)
class Heard:
    """What came of the intents that arrived."""

    orders: tuple[Order, ...]
    rejections: tuple[Record, ...]
    handled: Handled
    left: tuple[Arrived, ...]
    """Those that wait for what the first order leads to."""


def hear(
    arrived: Sequence[Arrived], links: Sequence[Link], handled: Handled, state: State
) -> Heard:
    """Judge intents, oldest first, up to and with the first that brings more of a version.

    The ones behind it are judged at the next round: it may have made them stale.
    """
    seen, newest = seen_intents(links), basis(links)
    orders: list[Order] = []
    rejections: list[Record] = []
    for place, one in enumerate(arrived):
        handled = handled.also(one.generation)
        try:
            order = _ordered(one, seen, newest)
        except Rejected as error:
            rejections.append(_rejection(one, str(error), state))
            continue
        orders.append(order)
        seen |= {str(order.intent)}
        if order.kind in FORWARD:
            left = tuple(arrived[place + 1 :])
            break
    else:
        left = ()
    return Heard(orders=tuple(orders), rejections=tuple(rejections), handled=handled, left=left)


def _ordered(arrived: Arrived, seen: frozenset[str], newest: str | None) -> Order:
    if arrived.intent is None or arrived.refusal is not None:
        raise Rejected(arrived.refusal or "it could not be read")
    check_chain(arrived.intent, seen=seen, basis=newest)
    return order_of(arrived.intent)


def _rejection(arrived: Arrived, why: str, state: State) -> Record:
    intent = arrived.intent
    return aside(
        state,
        DecisionKind.REJECTED,
        Cause.INTENT,
        f"Intent {arrived.generation} is rejected: {why}.",
        intent=None if intent is None else intent.id,
        digest=None if intent is None else intent.artifact_digest,
    )


def aside(
    state: State,
    kind: DecisionKind,
    cause: Cause,
    sentence: str,
    *,
    intent: str | None = None,
    digest: str | None = None,
) -> Record:
    """Return a decision of the controller itself, which leaves everything as it is."""
    return Record(
        kind=kind,
        cause=cause,
        sentence=sentence,
        artifact_digest=digest,
        generation=state.generation,
        weights={} if state.route is None else dict(state.route.weights),
        barred=state.barred,
        elapsed=0.0 if state.rollout is None else state.rollout.elapsed,
        intent=intent,
    )
