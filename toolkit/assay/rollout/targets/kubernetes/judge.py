"""The verdict on a step whose traffic another program moves: Argo Rollouts, Flagger, KServe.

It counts what the pods answered since it began to look, both versions at the same time, and asks
the same strategy that the controller asks. It sees no labels, and not how units were split.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from assay.config import Strategy
from assay.errors import InputError
from assay.evidence import Batch, OnlineEvidence, Rollout, Served
from assay.rollout.looks import evidence_of
from assay.rollout.target import Counts
from assay.rollout.targets.kubernetes.api import POD, Api
from assay.rollout.targets.kubernetes.counting import Counter
from assay.rollout.targets.kubernetes.observing import digest_of
from assay.rollout.targets.manifests import GENERATION, Site

Read = Callable[[], Mapping[str, Counts]]
"""The counts of every version's pods so far, by artifact digest."""
_STATES: dict[str, Literal["pass", "fail", "inconclusive"]] = {
    "step": "pass",
    "promote": "pass",
    "conclude": "pass",
    "back": "fail",
}


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What one look came to. ``evidence`` is None while there is nothing to compare."""

    state: Literal["pass", "fail", "inconclusive"]
    sentence: str
    evidence: OnlineEvidence | None = None


class Judge:
    """Judges one step of a canary. ``clock`` is monotonic, in seconds."""

    def __init__(
        self,
        strategy: Strategy,
        candidate: str,
        step: int,
        read: Read,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not 0 <= step < len(strategy.steps):
            raise InputError(
                f"there is no step {step}; the strategy has {len(strategy.steps)}, from 0."
            )
        guards = strategy.guards.model_copy(update={"sample_ratio": False})
        self._strategy = strategy.model_copy(update={"guards": guards, "quality": None})
        self._candidate = candidate
        self._step = step
        self._read = read
        self._clock = clock
        self._begun = clock()
        self._base = dict(read())

    def look(self) -> Judgement:
        """Look once. A pass may turn into a fail at a later look, and a fail should be kept."""
        counts = {digest: self._since(digest, now) for digest, now in self._read().items()}
        others = {digest: each for digest, each in counts.items() if digest != self._candidate}
        if not others:
            return Judgement(state="inconclusive", sentence="Waits: no other version has answered.")
        serving = max(others, key=lambda digest: (others[digest].requests, digest))
        elapsed = self._clock() - self._begun
        batch = Batch(
            generation=GENERATION,
            share=self._strategy.steps[self._step].weight,
            serving=others[serving],
            new=counts.get(self._candidate, Served()),
        )
        rollout = Rollout(
            candidate=self._candidate,
            strategy=self._strategy,
            by="judge",
            at=self._step,
            baked=elapsed,
            elapsed=elapsed,
            batches=(batch,),
        )
        made = evidence_of(serving, rollout, (), held=None)
        state = _STATES.get(made.move.kind, "inconclusive")
        return Judgement(state=state, sentence=made.move.sentence, evidence=made)

    def _since(self, digest: str, now: Counts) -> Served:
        before = self._base.get(digest, Counts())
        return Served(
            requests=now.requests - before.requests,
            errors=now.errors - before.errors,
            slow=now.slow - before.slow,
            units=now.units - before.units,
        )


def reader(site: Site, api: Api, counter: Counter) -> Read:
    """Return what reads the counts of a site's pods, whoever started them."""

    def read() -> Mapping[str, Counts]:
        pods = api.list(POD, {"app.kubernetes.io/name": site.base})
        digests = sorted({digest for pod in pods if (digest := digest_of(pod))})
        return counter.read(pods, GENERATION, digests)

    return read
