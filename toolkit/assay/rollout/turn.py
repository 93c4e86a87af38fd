"""One step's work in progress: the state so far, and what is to be recorded.

Every change of the route and every end of a rollout goes through here, so that generations only
ascend and a version that was taken back is always barred.
"""

from __future__ import annotations

from typing import Any

from assay.evidence import Batch, Cause, DecisionKind, OnlineEvidence, Rollout
from assay.rollout.guards import STICKY
from assay.rollout.records import Alert, Order, Record, Return, RoutePart, State
from assay.rollout.target import WHOLE, Route


def named(digest: str) -> str:
    """A version in a sentence."""
    return digest[:12]


class Turn:
    """Collects what one step changes and says; `state` is frozen and replaced."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.said: list[Record | Alert] = []
        self._elapsed = 0.0
        self._intent: str | None = None
        self._remember()

    def change(self, **values: Any) -> None:
        """Replace fields of the state."""
        self.state = self.state.model_copy(update=values)
        self._remember()

    def _remember(self) -> None:
        """The rollout's time and intent also stand in the record of its end."""
        rollout = self.state.rollout
        if rollout is not None:
            self._elapsed, self._intent = rollout.elapsed, rollout.intent

    def change_rollout(self, **values: Any) -> None:
        """Replace fields of the rollout in flight."""
        if self.state.rollout is not None:
            self.change(rollout=self.state.rollout.model_copy(update=values))

    def route(
        self,
        weights: dict[str, int],
        stable: str,
        *,
        mirror: tuple[str, int] | None = None,
        sticky: bool = False,
        anonymous: bool = False,
    ) -> None:
        """Ask for a route of the next generation."""
        generation = self.state.generation + 1
        part = RoutePart(
            generation=generation,
            weights=weights,
            stable=stable,
            mirror=mirror,
            sticky=sticky,
            anonymous=anonymous,
        )
        self.change(generation=generation, route=part)

    def whole(self, digest: str) -> None:
        """Ask for all the traffic to one version."""
        self.route({digest: WHOLE}, digest)

    def split(self, rollout: Rollout, stable: str, share: float) -> None:
        """Ask for the route in which the new version has this share, and begin a batch."""
        parts = max(1, round(share * WHOLE))
        kind = rollout.strategy.kind
        if kind == "shadow":
            self.route({stable: WHOLE}, stable, mirror=(rollout.candidate, parts))
        elif parts == WHOLE:
            self.route({rollout.candidate: WHOLE}, stable)
        else:
            weights = {stable: WHOLE - parts, rollout.candidate: parts}
            sticks, anybody = kind in STICKY, kind == "canary"
            self.route(weights, stable, sticky=sticks, anonymous=anybody)
        batch = Batch(generation=self.state.generation, share=parts / WHOLE)
        self.change_rollout(batches=(*rollout.batches, batch), baked=0.0, advanced=False)

    def record(
        self,
        kind: DecisionKind,
        cause: Cause,
        sentence: str,
        *,
        digest: str | None = None,
        order: Order | Return | None = None,
        evidence: OnlineEvidence | None = None,
    ) -> None:
        """Say what was decided, after the state has changed; `order`: on whose word."""
        self.said.append(
            Record(
                kind=kind,
                cause=cause,
                sentence=sentence,
                artifact_digest=digest,
                generation=self.state.generation,
                weights=dict(self.state.route.weights) if self.state.route else {},
                barred=self.state.barred,
                elapsed=self._elapsed,
                by=order.by if order is not None else "controller",
                intent=order.intent if order is not None else self._intent,
                image=order.image if isinstance(order, Order) else None,
                evidence=evidence,
            )
        )

    def alert(self, sentence: str) -> None:
        """Somebody should look."""
        self.said.append(Alert(sentence=sentence))

    def retire(self, *digests: str | None) -> None:
        """End these once they have no traffic."""
        more = tuple(
            digest for digest in digests if digest is not None and digest not in self.state.retiring
        )
        self.change(retiring=self.state.retiring + more)

    def keep(self, digest: str) -> None:
        """A version that is needed again."""
        kept = tuple(each for each in self.state.retiring if each != digest)
        self.change(retiring=kept)

    def bar(self, digest: str) -> None:
        """Bar a version until a person clears it."""
        if digest not in self.state.barred:
            self.change(barred=(*self.state.barred, digest))

    def back(
        self,
        cause: Cause,
        sentence: str,
        *,
        order: Order | None = None,
        evidence: OnlineEvidence | None = None,
    ) -> None:
        """Take the version in flight back: traffic to the serving one, and the latch."""
        rollout, stable = self.state.rollout, self.state.stable
        if rollout is None:
            return
        if rollout.batches and stable is not None:
            self.whole(stable)
        self.change(rollout=None)
        self.retire(rollout.candidate)
        self.bar(rollout.candidate)
        self.record(
            DecisionKind.ROLLED_BACK,
            cause,
            sentence,
            digest=rollout.candidate,
            order=order,
            evidence=evidence,
        )
        if cause is not Cause.INTENT:
            self.alert(sentence)


def way_back(state: State) -> Route | None:
    """The route that a rollback from here would ask for; rendered before the way forward."""
    rollout, stable = state.rollout, state.stable
    target = stable if rollout is not None else state.previous
    if target is None or (rollout is not None and not rollout.batches):
        return None
    return Route(generation=state.generation + 1, weights={target: WHOLE}, stable=target)
