"""What a controller says of itself: to ``assay status``, to the journal, and to a scraper."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from assay.evidence import Observed, Weight
from assay.rollout.controller.chain import Place, basis
from assay.rollout.controller.loop import Controller
from assay.rollout.records import State

_RECENT = 5


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What is beside the loop: the journal's branch, the intents, the last looks at both."""

    journal: str = "none"
    """ok, waiting, diverged, or none where no branch is kept."""
    pushed: int = 0
    look: Mapping[str, Any] | None = None
    """What the last look at production found; None where none is taken from here."""
    trouble: dict[str, str] | None = None
    """By worker: why it failed last."""


def observed_of(controller: Controller, place: Place, wall: str) -> Observed:
    """Return what is published as the last observation."""
    seen, store = controller.observed, controller.store
    return Observed(
        target=place.target,
        model=place.model,
        epoch=controller.epoch,
        seq=store.links[-1].seq if store.links else 0,
        applied_generation=0 if seen is None else seen.applied,
        acknowledged=seen is not None and seen.applied == store.state.generation,
        weights=()
        if seen is None
        else tuple(Weight(artifact_digest=d, share=w) for d, w in sorted(seen.weights.items())),
        health={}
        if seen is None
        else {digest: backend.ready for digest, backend in sorted(seen.backends.items())},
        wall_time=wall,
    )


def status_of(
    controller: Controller, place: Place, around: Surroundings, *, age: float | None
) -> dict[str, Any]:
    """Return all that a person asks for first; JSON."""
    state, seen, links = controller.store.state, controller.observed, controller.store.links
    return {
        "target": place.target,
        "model": place.model,
        "epoch": controller.epoch,
        "stable": state.stable,
        "previous": state.previous,
        "generation": state.generation,
        "acknowledged": seen is not None and seen.applied == state.generation,
        "applied": None if seen is None else seen.applied,
        "detail": "" if seen is None else seen.detail,
        "weights": {} if seen is None else seen.weights,
        "versions": {}
        if seen is None
        else {
            digest: {
                "ready": one.ready,
                "active": one.active,
                "restarts": one.restarts,
                "detail": one.detail,
            }
            for digest, one in seen.backends.items()
        },
        "rollout": _rollout(state),
        "returning": None if state.returning is None else state.returning.digest,
        "barred": list(state.barred),
        "settled": controller.settled(),
        "basis": basis(links),
        "decisions": len(links),
        "recent": [dict(link.facts) for link in links[-_RECENT:]],
        "journal": {"state": around.journal, "pushed": around.pushed},
        "trouble": {**(around.trouble or {}), **_own_trouble(controller)},
        "alerts": list(controller.alerts[-_RECENT:]),
        "look": around.look,
        "age": age,
    }


def _rollout(state: State) -> dict[str, Any] | None:
    rollout = state.rollout
    if rollout is None:
        return None
    return {
        "candidate": rollout.candidate,
        "strategy": rollout.strategy.kind,
        "step": rollout.at,
        "baked": rollout.baked,
        "elapsed": rollout.elapsed,
        "paused": rollout.paused,
        "held": rollout.held,
        "share": rollout.batches[-1].share if rollout.batches else 0.0,
    }


def _own_trouble(controller: Controller) -> dict[str, str]:
    return {"tick": "; ".join(controller.trouble)} if controller.trouble else {}
