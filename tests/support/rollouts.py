"""A target in memory for tests of rollouts: it acknowledges at once, and serves by given rates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from assay.config import Guards, OnlineMetric, Step, Strategy
from assay.evidence import Labelled, ValueSums
from assay.rollout.records import (
    Action,
    Alert,
    Apply,
    Desired,
    Order,
    OrderKind,
    Record,
    Start,
    State,
    Stop,
)
from assay.rollout.step import step
from assay.rollout.target import WHOLE, Backend, Counts, Observation, Route

OLD, NEW, NEWER = "a" * 64, "b" * 64, "c" * 64


@dataclass(frozen=True)
class Behaviour:
    """How one version answers."""

    errors: float = 0.001
    slow: float = 0.01
    right: float = 0.85


@dataclass
class World:
    """A target, its users, and labels that come at once; `rng` makes it repeatable."""

    versions: Mapping[str, Behaviour]
    requests: int = 200
    """In each call of `turn`."""
    labelled: float = 1.0
    skew: float = 0.0
    """How much more than asked the new version gets."""
    seed: int = 1
    route: Route | None = None
    backends: dict[str, Backend] = field(default_factory=dict)
    counts: dict[str, Counts] = field(default_factory=dict)
    mirrored: Counts = field(default_factory=Counts)
    labels: dict[int, Labelled] = field(default_factory=dict)
    records: list[Record] = field(default_factory=list)
    alerts: list[str] = field(default_factory=list)
    state: State = field(default_factory=State)

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)

    def observe(self) -> Observation:
        """What is so."""
        return Observation(
            applied=self.route.generation if self.route else 0,
            weights=dict(self.route.weights) if self.route else {},
            backends=dict(self.backends),
            counts=dict(self.counts),
            mirror_counts=self.mirrored if self.route and self.route.mirror else None,
        )

    def turn(
        self, *orders: Order, elapsed: float = 10.0, held: str | None = None, left: int = 2
    ) -> tuple[Action, ...]:
        """One step of the controller, and the time and traffic up to the next."""
        desired = Desired(orders=orders, held=held, rollbacks_left=left)
        labels = tuple(self.labels.values())
        actions, self.state = step(self.state, desired, self.observe(), labels, elapsed)
        for action in actions:
            self._do(action)
        self._serve()
        return actions

    def run(self, turns: int, **options: object) -> list[Record]:
        """Many turns, up to the end of the rollout; the records of them."""
        before = len(self.records)
        for _ in range(turns):
            self.turn(**options)  # type: ignore[arg-type]
            if self.state.rollout is None and self.state.returning is None:
                break
        return self.records[before:]

    def _do(self, action: Action) -> None:
        match action:
            case Start(digest=digest):
                self.backends[digest] = Backend(ready=True)
            case Stop(digest=digest):
                assert self.route is None or not self.route.weights.get(digest)
                self.backends.pop(digest, None)
            case Apply(route=route):
                if self.route is None or route.generation > self.route.generation:
                    self.route, self.counts, self.mirrored = route, {}, Counts()
            case Record():
                self.records.append(action)
            case Alert(sentence=sentence):
                self.alerts.append(sentence)

    def _serve(self) -> None:
        if self.route is None:
            return
        labels = self.labels.get(self.route.generation, Labelled(generation=self.route.generation))
        mirror = self.route.mirror[0] if self.route.mirror else None
        left = self.requests
        stable_last = sorted(
            self.route.weights.items(), key=lambda each: each[0] == self.route.stable
        )
        for digest, weight in stable_last:
            last = digest == stable_last[-1][0]
            share = min(1.0, weight / WHOLE + self.skew)
            n = left if last else int(self.rng.binomial(self.requests, share))
            left -= n
            self.counts[digest] = self._counted(self.counts.get(digest), self.versions[digest], n)
            labels = self._labelled(labels, digest, n)
        if mirror is not None and self.route.mirror is not None:
            n = int(self.rng.binomial(self.requests, self.route.mirror[1] / WHOLE))
            self.mirrored = self._counted(self.mirrored, self.versions[mirror], n)
            labels = self._paired(labels, self.route.stable, mirror, n)
        self.labels[self.route.generation] = labels

    def _counted(self, before: Counts | None, how: Behaviour, n: int) -> Counts:
        before = before or Counts()
        return Counts(
            requests=before.requests + n,
            errors=before.errors + int(self.rng.binomial(n, how.errors)),
            slow=before.slow + int(self.rng.binomial(n, how.slow)),
            units=before.units + n,
        )

    def _labelled(self, labels: Labelled, digest: str, n: int) -> Labelled:
        seen = int(self.rng.binomial(n, self.labelled))
        right = int(self.rng.binomial(seen, self.versions[digest].right))
        arms = dict(labels.arms)
        arms[digest] = added(arms.get(digest, ValueSums()), right, seen)
        return labels.model_copy(update={"arms": arms})

    def _paired(self, labels: Labelled, old: str, new: str, n: int) -> Labelled:
        seen = int(self.rng.binomial(n, self.labelled))
        apart = self.versions[new].right - self.versions[old].right
        both = [max(0.0, apart) + 0.03, max(0.0, -apart) + 0.03]
        better, worse, _ = self.rng.multinomial(seen, [*both, 1 - sum(both)])
        before = labels.paired or ValueSums()
        total, n_all = before.mean * before.n + better - worse, before.n + seen
        events = before.events + int(better + worse)
        mean = total / n_all if n_all else 0.0
        return labels.model_copy(
            update={
                "paired": ValueSums(
                    n=n_all, mean=mean, squares=max(0.0, events - n_all * mean**2), events=events
                )
            }
        )


def added(before: ValueSums, right: int, seen: int) -> ValueSums:
    """Sums of 0/1 values, `right` more ones among `seen` more units; most are 1."""
    n = before.n + seen
    if n == 0:
        return before
    mean = (before.mean * before.n + right) / n
    return ValueSums(
        n=n,
        mean=mean,
        squares=n * mean * (1 - mean),
        events=before.events + seen - right,
    )


def strategy(kind: str = "canary", **values: object) -> Strategy:
    """A strategy with short steps, and a metric where it needs one."""
    steps: dict[str, tuple[Step, ...]] = {
        "canary": (
            Step(weight=0.1, bake=20, requests=100),
            Step(weight=0.5, bake=20, requests=100),
        ),
        "blue-green": (Step(weight=1.0, bake=60, requests=100),),
        "shadow": (Step(weight=0.5, bake=60, requests=100),),
        "ab": (Step(weight=0.5, bake=60, requests=100),),
        "bandit": (Step(weight=0.5, bake=20, requests=100),),
    }
    given: dict[str, object] = {
        "kind": kind,
        "steps": steps[kind],
        "deadline": 20_000.0,
        "guards": Guards(error_rate=0.02),
        **values,
    }
    if kind in {"ab", "bandit"}:
        given.setdefault("quality", OnlineMetric(margin=0.03))
    return Strategy.model_validate(given)


def order(kind: OrderKind, **values: object) -> Order:
    """A person's order."""
    return Order.model_validate({"kind": kind, "by": "octo", "intent": "0" * 32, **values})


def serving(world: World, digest: str = OLD) -> World:
    """The world after its first version was deployed, and has served a little."""
    world.turn(order("deploy", digest=digest, strategy=strategy()))
    for _ in range(3):
        world.turn()
    assert world.state.stable == digest
    assert world.state.rollout is None
    for _ in range(5):
        world.turn()
    return world
