"""Carries out what the step said: the target's methods, in the step's order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from assay.errors import AssayError, OutsideError
from assay.evidence import DecisionKind
from assay.rollout.controller.store import Points
from assay.rollout.records import Action, Apply, Start, Stop
from assay.rollout.target import Release, Route, Target
from assay.state import Link

Folders = Callable[[str], Path | None]
"""The folder of a verified bundle; None where it is not here yet."""
Images = Callable[[str], str | None]
"""The container image of a version, by digest; None where none was named."""


def act(
    actions: Sequence[Action],
    target: Target,
    folders: Folders,
    *,
    links: Sequence[Link],
    points: Points,
    images: Images = lambda _: None,
) -> tuple[str, ...]:
    """Do each action; return what failed. Nothing needs undoing: the step says it all again."""
    failures = []
    for action in actions:
        points(f"before {type(action).__name__.lower()}")
        try:
            if isinstance(action, Start):
                _start(action, target, folders, images)
            else:
                _do(action, target, links)
        except AssayError as error:
            failures.append(f"{type(action).__name__.lower()}: {str(error)[:300]}")
        points(f"after {type(action).__name__.lower()}")
    return tuple(failures)


def _start(action: Start, target: Target, folders: Folders, images: Images) -> None:
    folder = folders(action.digest)
    if folder is None:
        raise OutsideError(f"the bundle {action.digest[:12]} is not on this host yet.")
    target.start(Release(digest=action.digest, folder=folder, image=images(action.digest)))


def _do(action: Action, target: Target, links: Sequence[Link]) -> None:
    if isinstance(action, Stop):
        target.stop(action.digest)
    elif isinstance(action, Apply):
        _apply(action, target, links)


def _apply(action: Apply, target: Target, links: Sequence[Link]) -> None:
    """Ask for a route, the way back first; a way back itself does not wait for one."""
    asked = _asking(action.route, links)
    told = action.route
    if asked is not None:
        told = replace(told, decision=asked.digest, reason=str(asked.facts["sentence"]))
    backward = asked is not None and asked.facts["kind"] == DecisionKind.ROLLED_BACK
    if action.back is not None and not backward:
        # Where the disk has no room for the way back, nothing goes forward.
        target.prepare(action.back)
    target.route(told)
    if action.back is not None and backward:
        target.prepare(action.back)


def _asking(route: Route, links: Sequence[Link]) -> Link | None:
    """The decision that asks for a route: the first of its generation."""
    return next((one for one in links if one.facts["generation"] == route.generation), None)
