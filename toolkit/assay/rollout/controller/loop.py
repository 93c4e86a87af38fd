"""The controller: observe, step, write down, act, record; again every second.

One tick can be cut off at any line. Everything slow (git, the registry, the pull request) is done
by workers beside it, which only ever see what was recorded.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

from assay.errors import OutsideError
from assay.evidence import Cause, DecisionKind, Labelled
from assay.rollout.controller.act import Folders, act
from assay.rollout.controller.chain import AUTOMATIC, automatic_rollbacks, image_of
from assay.rollout.controller.clock import Clock
from assay.rollout.controller.hearing import Heard, aside, hear
from assay.rollout.controller.inbox import Arrived
from assay.rollout.controller.logs import Log
from assay.rollout.controller.store import Handled, Points, Store
from assay.rollout.records import Action, Alert, Desired, Order, Record, State
from assay.rollout.target import Observation, Target
from assay.state import Full, Link, Lock

LONGEST_TICK = 5.0
"""Seconds that one tick may add to a bake: time in which nobody watched is not counted."""
CHECKPOINT = 60.0
"""Seconds after which what was counted alone is written down too."""
_BACK = ("rollback", "abort", "lost")
"""Orders that are carried out without knowing how it is, and on a full disk."""


_ALERTS = 100
"""Alerts that are remembered for the status; all of them are in the log."""
_LATELY = 20
"""Decisions among which the one is looked for that asks for a route."""


class Step(Protocol):
    """See `assay.rollout.step.step`."""

    def __call__(
        self,
        state: State,
        desired: Desired,
        observed: Observation,
        evidence: tuple[Labelled, ...],
        elapsed: float,
    ) -> tuple[tuple[Action, ...], State]: ...


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What the configuration allows a controller."""

    rollbacks_per_day: int = 2
    start_seconds: float = 120
    freeze: Callable[[datetime], str | None] = lambda _: None
    """Why nothing may be promoted at a time; None: it may."""


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What a controller works with."""

    target: Target
    store: Store
    lock: Lock
    step: Step
    folders: Folders
    arrived: Callable[[], tuple[Arrived, ...]] = tuple
    labels: Callable[[State], tuple[Labelled, ...]] = lambda _: ()
    limits: Limits = field(default_factory=Limits)
    held: Callable[[], str | None] = lambda: None
    """Why nothing may be promoted, beside a freeze; None: it may."""
    clock: Clock = field(default_factory=Clock)
    log: Log = field(default_factory=Log)
    points: Points = lambda _: None
    recorded: Callable[[tuple[Link, ...]], object] = lambda _: None
    """Called with new decisions once they stand in the journal."""


class Fenced(OutsideError):
    """Another process raised the epoch: this one controls nothing any more."""


class Controller:
    """Runs one model on one target. One thread calls :meth:`tick`; any may :meth:`order`."""

    def __init__(self, parts: Parts, *, by: str = "controller") -> None:
        self._parts, self._by = parts, by
        self._orders: list[Order] = []
        self._guard = threading.Lock()
        self._waiting: tuple[Arrived, ...] = ()
        self._last: float | None = None
        self._written = parts.clock.running()
        self._acted: tuple[Action, ...] = ()
        self._links: tuple[Link, ...] = ()
        self._rolled_back: list[float] = []
        self.observed: Observation | None = None
        self.trouble: tuple[str, ...] = ()
        """What failed at the last tick."""
        self.alerts: tuple[str, ...] = ()
        """The newest ones; ``alerted`` counts all of this life."""
        self.alerted = 0
        self.ticked: float | None = None
        """When the last tick ended, in running time."""

    @property
    def store(self) -> Store:
        """The state and the chain."""
        return self._parts.store

    @property
    def epoch(self) -> int:
        """Of this life."""
        return self._parts.lock.epoch

    def order(self, order: Order) -> None:
        """Have a person at this host heard at the next tick."""
        with self._guard:
            self._orders.append(order)

    def heard(self, order: Order) -> bool:
        """Whether a tick has taken that order."""
        with self._guard:
            return order not in self._orders

    def unrecorded(self) -> bool:
        """Whether a decision is being carried out that the journal does not have yet."""
        return self.store.pending > 0

    def settled(self) -> bool:
        """Whether nothing is on its way: no rollout, and the last route is acknowledged."""
        state, seen = self.store.state, self.observed
        return (
            state.rollout is None
            and state.returning is None
            and not self._orders
            and not self._waiting
            and (
                state.generation == 0
                or (seen is not None and max(seen.applied, seen.accepted) == state.generation)
            )
        )

    def started(self) -> None:
        """Record that this life began."""
        sentence = f"The {self._by} began, in epoch {self.epoch}."
        state = self.store.state
        record = aside(state, DecisionKind.STARTED, Cause.RECOVERY, sentence)
        try:
            self._commit(state, self.store.handled, [record], urgent=False)
        except Full as error:
            self._complain((str(error),))
        self._record()

    def tick(self) -> None:
        """Do one round. Raises Fenced where another process took over."""
        parts = self._parts
        if not parts.lock.still_ours():
            raise Fenced(
                "another process took this target over and raised its epoch.",
                remedy="Nothing is lost: this process ends, and that one goes on.",
            )
        now = parts.clock.running()
        elapsed = 0.0 if self._last is None else min(now - self._last, LONGEST_TICK)
        self._last = now
        heard = self._hear()
        try:
            self.observed = parts.target.observe()
        except OutsideError as error:
            self._complain((f"observe: {str(error)[:300]}",))
            # Nothing is known, so nothing is decided, unless a person says to go back.
            if self.observed is None or not any(one.kind in _BACK for one in heard.orders):
                return
            self.observed, elapsed = replace(self.observed, router=False), 0.0
        self._round(self.observed, heard, elapsed)
        self.ticked = parts.clock.running()

    def preview(self, order: Order) -> tuple[Action, ...]:
        """What an order would lead to now, without doing any of it."""
        seen = self.observed or self._parts.target.observe()
        state = self.store.state
        wanted = self._desired((order,))
        return self._parts.step(state, wanted, seen, self._parts.labels(state), 0.0)[0]

    def _hear(self) -> Heard:
        """Take what persons at this host said, and what arrived; nothing is forgotten by it."""
        store = self.store
        self._waiting = (*self._waiting, *self._parts.arrived())
        links = store.links if self._waiting else ()
        heard = hear(self._waiting, links, store.handled, store.state)
        with self._guard:
            return replace(heard, orders=(*self._orders, *heard.orders))

    def _round(self, seen: Observation, heard: Heard, elapsed: float) -> None:
        parts, before = self._parts, self.store.state
        wanted = self._desired(heard.orders)
        actions, state = parts.step(before, wanted, seen, parts.labels(before), elapsed)
        records = [*heard.rejections, *(one for one in actions if isinstance(one, Record))]
        doing = tuple(one for one in actions if not isinstance(one, Record | Alert))
        if records or heard.orders or doing != self._acted or self._checkpoint():
            urgent = any(one.kind in _BACK for one in heard.orders) or any(
                one.kind is DecisionKind.ROLLED_BACK for one in records
            )
            try:
                self._commit(state, heard.handled, records, urgent=urgent)
            except Full as error:
                # What could not be written down is not done; orders stay to be heard again.
                self._complain((str(error),))
                return
            self._consume(heard)
        else:
            self.store.remember(state)
        self._acted = doing
        self._alert(heard, actions)
        failures = act(
            doing,
            parts.target,
            parts.folders,
            links=(*self.store.links[-_LATELY:], *self._links),
            points=parts.points,
            images=lambda digest: image_of((*self.store.links, *self._links), digest),
        )
        self._record()
        self._complain(failures)

    def _desired(self, orders: tuple[Order, ...]) -> Desired:
        limits, clock = self._parts.limits, self._parts.clock
        # By both clocks: one that jumps a day ahead must not allow more of them.
        day = clock.running() - 86_400
        self._rolled_back = [at for at in self._rolled_back if at > day]
        used = max(automatic_rollbacks(self.store.links, clock.wall()), len(self._rolled_back))
        return Desired(
            orders=orders,
            held=self._parts.held() or limits.freeze(clock.wall()),
            rollbacks_left=max(0, limits.rollbacks_per_day - used),
            start_seconds=limits.start_seconds,
        )

    def _checkpoint(self) -> bool:
        return self._parts.clock.running() - self._written > CHECKPOINT

    def _commit(
        self, state: State, handled: Handled, records: list[Record], *, urgent: bool
    ) -> None:
        clock = self._parts.clock
        signed = [replace(one, by=self._by) if one.by == "controller" else one for one in records]
        links = self.store.commit(
            state, handled, signed, epoch=self.epoch, wall=clock.moment(), urgent=urgent
        )
        self._written = clock.running()
        self._links = links or self._links
        self._rolled_back += [
            self._written
            for one in records
            if one.kind is DecisionKind.ROLLED_BACK and one.cause in AUTOMATIC
        ]

    def _consume(self, heard: Heard) -> None:
        self._waiting = heard.left
        with self._guard:
            self._orders = [one for one in self._orders if one not in heard.orders]

    def _record(self) -> None:
        added = self.store.record()
        if added:
            for link in added:
                self._parts.log.info(
                    "decision",
                    kind=link.facts["kind"],
                    seq=link.seq,
                    sentence=link.facts["sentence"],
                )
            self._parts.recorded(added)

    def _alert(self, heard: Heard, actions: tuple[Action, ...]) -> None:
        broken = [
            f"{one.by} broke the glass to {one.kind}: {one.reason}"
            for one in heard.orders
            if one.glass
        ]
        for sentence in (*broken, *(one.sentence for one in actions if isinstance(one, Alert))):
            self.alerts = (*self.alerts, sentence)[-_ALERTS:]
            self.alerted += 1
            self._parts.log.alert(sentence)

    def _complain(self, failures: tuple[str, ...]) -> None:
        if failures and failures != self.trouble:
            self._parts.log.warning("the tick was not whole", failures=failures)
        self.trouble = failures
