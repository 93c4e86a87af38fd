"""Everything that a strategy decides from, and what strategies ask of it."""

from __future__ import annotations

from dataclasses import dataclass

from assay.config import Severity, Step
from assay.evidence import Labelled, OnlineLook, Rollout, Served, State
from assay.evidence.online import LookName

GOOD = frozenset({State.BETTER, State.NO_WORSE})
GUARDS: tuple[LookName, ...] = ("errors", "latency")


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A rollout at one look."""

    serving: str
    rollout: Rollout
    looks: dict[LookName, OnlineLook]
    labels: tuple[Labelled, ...]
    held: str | None

    @property
    def step(self) -> Step:
        """The running step; the first one before it begins."""
        return self.rollout.strategy.steps[max(0, self.rollout.at)]

    @property
    def new(self) -> Served:
        """What the new version did under the running route."""
        batches = self.rollout.batches
        return batches[-1].new if batches else Served()

    @property
    def mismatch(self) -> OnlineLook | None:
        """The sample ratio's look, where it found that units are not split as asked."""
        look = self.looks.get("sample-ratio")
        return look if look is not None and look.state is State.WORSE else None

    def waiting(self) -> str | None:
        """What this step still waits for, whatever the looks show; None: it has waited.

        A person may waive its bake and its requests, never the requests that a guard needs.
        """
        step, rollout = self.step, self.rollout
        least = rollout.strategy.guards.requests
        if not rollout.advanced:
            if rollout.baked < step.bake:
                return f"{rollout.baked:,.0f} of {step.bake:,.0f} s baked"
            least = max(least, step.requests)
        if self.new.requests < least:
            return f"{self.new.requests:,} of {least:,} requests answered"
        return None

    def unproven(self) -> OnlineLook | None:
        """The first claim that a promotion needs and has not; None: all are shown."""
        strategy = self.rollout.strategy
        needed: list[LookName] = [*GUARDS] if strategy.guards.requests else []
        if strategy.agreement:
            needed.append("agreement")
        if strategy.quality is not None and strategy.quality.severity is Severity.BLOCK:
            needed.append("quality")
        return next(
            (self.looks[name] for name in needed if self.looks[name].state not in GOOD), None
        )
