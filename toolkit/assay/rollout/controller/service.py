"""A controller as a process: the lock, the loop, and the workers beside it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assay.evidence import Intent, Labelled, write_atomically
from assay.rollout.controller.after import Hooks, Projection, Telling
from assay.rollout.controller.answers import Answers
from assay.rollout.controller.clock import Clock
from assay.rollout.controller.heartbeat import Heart
from assay.rollout.controller.inbox import Fetch, Inbox
from assay.rollout.controller.intake import Rules
from assay.rollout.controller.log_retention import tidy_log
from assay.rollout.controller.logs import Log
from assay.rollout.controller.loop import Controller, Limits, Parts, Step
from assay.rollout.controller.outbox import Mail, Outbox
from assay.rollout.controller.recovery import adopt
from assay.rollout.controller.retention import House, kept_releases
from assay.rollout.controller.store import Points, Store
from assay.rollout.controller.talk import Listener
from assay.rollout.controller.view import Surroundings, observed_of, status_of
from assay.rollout.controller.watching import Looking, Looks
from assay.rollout.controller.worker import Worker
from assay.rollout.records import State
from assay.rollout.target import Target
from assay.state import Signed, StateBranch, read_intents, take

HURRY = 0.05
"""Seconds between rounds while a route is asked for and not acknowledged."""
_LAST_PUSH = 20.0
INTENTS = "intents"


@dataclass(frozen=True, kw_only=True)
class Branches:
    """The two branches of records."""

    desired: StateBranch
    journal: StateBranch


@dataclass(frozen=True, kw_only=True)
class Setup:
    """All that makes a controller; ``target`` is made once the lock is held."""

    folder: Path
    rules: Rules
    target: Callable[[], Target]
    step: Step
    fetch: Fetch
    branches: Branches | None = None
    labels: Callable[[State], tuple[Labelled, ...]] = lambda _: ()
    trouble: Callable[[], Mapping[str, str]] = dict
    """What else does not work, by name, for the status."""
    limits: Limits = field(default_factory=Limits)
    house: House | None = None
    """What is removed here of versions that are over; None: nothing is."""
    hooks: Hooks = field(default_factory=Hooks)
    interval: float = 1.0
    poll: float = 10.0
    heartbeat: float = 300.0
    tidying: float = 600.0
    """Seconds between two removals of what is over."""
    clock: Clock = field(default_factory=Clock)
    log: Log = field(default_factory=Log)
    looking: Looking | None = None
    """How production is looked at from here; None: it is not."""
    points: Points = lambda _: None


class Service:
    """One life of a controller, or of a watchdog that took its place. Raises Held at once."""

    def __init__(self, setup: Setup, *, role: str = "controller") -> None:
        self.setup = setup
        clock, place = setup.clock, setup.rules.place
        self._lock = take(setup.folder, role=role, since=clock.moment())
        try:
            # First: a target that cannot be made leaves the records as they were.
            target = setup.target()
            store = Store(setup.folder, place, points=setup.points)
            adopted = adopt(store, setup.branches, place)
            least = store.links[-1].facts["epoch"] if store.links else 0
            if self._lock.epoch <= least:
                self._lock.raise_above(least)
            self._outbox = None
            if setup.branches is not None:
                self._outbox = Outbox(setup.branches.journal, place, setup.folder)
            self._inbox = Inbox(
                self._read, setup.fetch, setup.rules,
                handled=store.handled, clock=clock, log=setup.log, keep=self._keep,
            )  # fmt: skip
            self.controller = Controller(self._parts(store, target), by=role)
            for digest in _needed(store.state):
                self._inbox.want(digest)
        except BaseException:
            self._lock.release()
            raise
        self._heart = Heart(setup.folder, self._lock.epoch)
        self._wake = threading.Event()
        self._beat, self._beaten, self._posted = 0, clock.running(), -1
        self.workers = self._workers(store, adopted=adopted)
        self._tidier = Worker("retention", self._tidy, seconds=setup.tidying, log=setup.log)
        self._tidied: float | None = None
        self._looks: tuple[Looks, ...] = ()
        if setup.looking is not None:
            self._looks = (Looks(setup.looking, self._serving, clock.running, setup.log),)

    def status(self) -> dict[str, Any]:
        """What `assay status` gets."""
        ticked = self.controller.ticked
        age = None if ticked is None else round(self.setup.clock.running() - ticked, 3)
        return status_of(self.controller, self.setup.rules.place, self._around(), age=age)

    def run(self, stop: threading.Event) -> None:
        """Tick until ``stop``; then push what is left and let the lock go."""
        answers = Answers(self.controller, status=self.status, wake=self._wake.set)
        listener = Listener(self.setup.folder, answers)
        self.setup.log.info("the controller began", epoch=self.controller.epoch)
        try:
            self.controller.started()
            listener.start()
            for worker in self._threads:
                worker.start()
            while not stop.is_set():
                self._wake.clear()
                self.round()
                self._wake.wait(self._pause())
        finally:
            listener.stop()
            self.close()

    def wake(self) -> None:
        """Have the loop tick, or see that it should stop, now."""
        self._wake.set()

    def round(self) -> None:
        """Do one tick, give a sign of life, and hand the workers what there is."""
        self.controller.tick()
        self._heart.beat()
        self._post()

    def push(self) -> None:
        """Do all workers' work here and now, once."""
        self._post()
        for worker in self.workers:
            worker.once()

    def close(self) -> None:
        """End the workers and let the lock go."""
        for worker in self._threads:
            worker.end()
        ends = time.monotonic() + _LAST_PUSH
        for worker in self._threads:
            worker.join(max(0.0, ends - time.monotonic()))
        self.controller.store.close()
        self._lock.release()

    def _parts(self, store: Store, target: Target) -> Parts:
        setup = self.setup
        return Parts(
            target=target,
            store=store,
            lock=self._lock,
            step=setup.step,
            folders=self._inbox.want,
            arrived=self._inbox.take,
            labels=setup.labels,
            limits=setup.limits,
            held=self._held,
            clock=setup.clock,
            log=setup.log,
            points=setup.points,
        )

    def _serving(self) -> str | None:
        return self.controller.store.state.stable

    @property
    def _threads(self) -> tuple[Worker, ...]:
        """What runs beside the loop; a look is no part of what :meth:`push` waits for."""
        return (*self.workers, *self._looks)

    def _held(self) -> str | None:
        if self._outbox is not None and self._outbox.diverged is not None:
            return f"the journal's branch diverged: {self._outbox.diverged}"
        return None

    def _read(self, after: int) -> tuple[Signed, ...]:
        branches, place = self.setup.branches, self.setup.rules.place
        if branches is None:
            return ()
        return read_intents(branches.desired, place.target, place.model, after=after)

    def _keep(self, intent: Intent) -> None:
        """Keep what was asked beside the chain: callbacks tell the pull request."""
        write_atomically(self.setup.folder / INTENTS / f"{intent.id}.json", intent.to_json())

    def _workers(self, store: Store, *, adopted: bool) -> tuple[Worker, ...]:
        setup = self.setup
        made = [Worker("intents", self._poll, seconds=setup.poll, log=setup.log)]
        if self._outbox is not None:
            made.append(Worker("journal", self._outbox.push, seconds=setup.poll, log=setup.log))
        if setup.hooks.project is not None:
            projection = Projection(store, setup.hooks.project, setup.clock.running, setup.log)
            made.append(Worker("aliases", projection.work, seconds=setup.poll, log=setup.log))
        if setup.hooks.tell is not None:
            telling = Telling(store, setup.folder, setup.hooks.tell)
            if adopted:
                telling.skip()
            made.append(Worker("callbacks", telling.work, seconds=setup.poll, log=setup.log))
        return tuple(made)

    def _poll(self) -> None:
        try:
            self._inbox.poll()
        finally:
            if self._inbox.has_mail():
                self._wake.set()
            now, looked = self.setup.clock.running(), self.controller.observed is not None
            if looked and (self._tidied is None or now - self._tidied >= self.setup.tidying):
                # In this thread, which fetches bundles: none goes while it comes.
                self._tidied = now
                self._tidier.once()

    def _tidy(self) -> None:
        """Remove what is over; bundles only while nothing is on its way."""
        house, controller, log = self.setup.house, self.controller, self.setup.log
        if house is None:
            return
        if controller.settled() and not self._inbox.has_mail():
            for digest in house.tidy_releases(self._needed, self._inbox.forget):
                log.info("a bundle was removed", digest=digest)
        if house.target is not None:
            predictions, rollout = house.target / "predictions", controller.store.state.rollout
            now = self.setup.clock.wall()
            if freed := tidy_log(predictions, house.limits, rollout, now=now):
                log.info("old files of the prediction log were removed", bytes=freed)

    def _needed(self) -> frozenset[str]:
        store, seen, house = self.controller.store, self.controller.observed, self.setup.house
        running = () if seen is None else tuple(seen.backends)
        most = 1 if house is None else house.limits.releases
        return kept_releases(store.state, store.links, running, most=most) | self._inbox.wanted

    def _post(self) -> None:
        """Put the newest chain and observation where the journal's worker finds them."""
        now = self.setup.clock.running()
        if now - self._beaten >= self.setup.heartbeat:
            self._beat, self._beaten = self._beat + 1, now
        place, links = self.setup.rules.place, self.controller.store.links
        seen = observed_of(self.controller, place, self.setup.clock.moment())
        new = len(links) != self._posted
        self._posted = len(links)
        if self._outbox is not None:
            mail = Mail(links=links, observed=seen.to_json().encode(), beat=self._beat)
            self._outbox.put(mail)
        if new:
            for worker in self.workers:
                worker.wake()

    def _pause(self) -> float:
        seen, asked = self.controller.observed, self.controller.store.state.generation
        waiting = seen is not None and max(seen.applied, seen.accepted) < asked
        return min(HURRY, self.setup.interval) if waiting else self.setup.interval

    def _around(self) -> Surroundings:
        outbox = self._outbox
        links = len(self.controller.store.links)
        journal, pushed = "none", 0
        if outbox is not None:
            pushed = outbox.pushed
            journal = "diverged" if outbox.diverged else "ok" if pushed == links else "waiting"
        trouble = {
            worker.name: worker.trouble
            for worker in (*self._threads, self._tidier)
            if worker.trouble is not None
        }
        everything = {**trouble, **self.setup.trouble()}
        look = self._looks[0].watching.found if self._looks else None
        return Surroundings(journal=journal, pushed=pushed, look=look, trouble=everything)


def _needed(state: State) -> tuple[str, ...]:
    """Versions that a start, or a rollback, may need at once."""
    rollout, returning = state.rollout, state.returning
    found = (
        state.stable,
        state.previous,
        None if rollout is None else rollout.candidate,
        None if returning is None else returning.digest,
    )
    return tuple(digest for digest in found if digest is not None)
