"""Many rollouts at once, decided by the code that decides real ones.

All are at the same look at the same time, so that their looks are taken by one call on arrays; each
is then decided and carried out as by the step. There is no controller and no target: a route is
acknowledged at once, and both versions are always ready.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from assay.config import Strategy
from assay.evidence import Batch, Labelled, Rollout
from assay.rollout.looks import made_of, read_all
from assay.rollout.moves import carry_out
from assay.rollout.records import Record, RoutePart, State
from assay.rollout.tally import tallied
from assay.rollout.target import WHOLE, Backend, Counts, Observation
from assay.rollout.turn import Turn

SERVING, NEW = "0" * 64, "1" * 64
"""The digests that the two versions have in a simulation."""


@dataclass
class Course:
    """One simulated rollout: its state, what was counted under the running route, and labels."""

    state: State
    serving: Counts = field(default_factory=Counts)
    new: Counts = field(default_factory=Counts)
    labels: dict[int, Labelled] = field(default_factory=dict)
    records: list[Record] = field(default_factory=list)
    looks: int = 0
    last: Rollout | None = None
    """The rollout at its last look, also after its end."""

    @classmethod
    def of(cls, strategy: Strategy) -> Course:
        """The serving version has all the traffic, the new one is ready."""
        rollout = Rollout(candidate=NEW, strategy=strategy, by="simulation")
        route = RoutePart(generation=1, weights={SERVING: WHOLE}, stable=SERVING)
        return cls(state=State(generation=1, stable=SERVING, route=route, rollout=rollout))

    @property
    def batch(self) -> Batch | None:
        """The running batch; None before the first and after the end."""
        rollout = self.state.rollout
        return rollout.batches[-1] if rollout is not None and rollout.batches else None

    @property
    def outcome(self) -> Record | None:
        """The record of its end; None while it runs."""
        return self.records[-1] if self.state.rollout is None and self.records else None

    def observed(self) -> Observation:
        """What a target would say."""
        state = self.state
        return Observation(
            applied=state.generation,
            weights=dict(state.route.weights) if state.route else {},
            backends={SERVING: Backend(ready=True), NEW: Backend(ready=True)},
            counts={SERVING: self.serving, NEW: self.new},
            mirror_counts=self.new,
        )


def advance(courses: Sequence[Course], elapsed: float) -> None:
    """One look at each course, `elapsed` seconds after the last; all have one strategy.

    Courses that ended are left alone.
    """
    running = [
        (course, course.observed(), course.state.rollout)
        for course in courses
        if course.state.rollout is not None
    ]
    if not running:
        return
    rollouts = [
        tallied(rollout, SERVING, observed, elapsed, held=False) for _, observed, rollout in running
    ]
    labels = [tuple(course.labels.values()) for course, _, _ in running]
    looks = read_all(SERVING, rollouts, labels)
    for (course, observed, _), rollout, found, seen in zip(
        running, rollouts, looks, labels, strict=True
    ):
        document = made_of(SERVING, rollout, seen, held=None, looks=found)
        turn = Turn(course.state.model_copy(update={"rollout": rollout}))
        carry_out(turn, document, observed)
        if turn.state.generation != course.state.generation:
            course.serving, course.new = Counts(), Counts()
        course.state, course.last = turn.state, rollout
        course.looks += 1
        course.records += [each for each in turn.said if isinstance(each, Record)]
