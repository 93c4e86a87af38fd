"""Carries out what the step said: the target's methods, in the step's order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from assay.errors import AssayError, OutsideError
from assay.rollout.controller.store import Points
from assay.rollout.records import Action, Apply, Start, Stop
from assay.rollout.target import Release, Route, Target
from assay.state import Link

Folders = Callable[[str], Path | None]
"""The folder of a verified bundle; None where it is not here yet."""


def act(
    actions: Sequence[Action],
    target: Target,
    folders: Folders,
    *,
    links: Sequence[Link],
    points: Points,
) -> tuple[str, ...]:
    """Do each action; return what failed. Nothing needs undoing: the step says it all again."""
    failures = []
    for action in actions:
        points(f"before {type(action).__name__.lower()}")
        try:
            _do(action, target, folders, links)
        except AssayError as error:
            failures.append(f"{type(action).__name__.lower()}: {str(error)[:300]}")
        points(f"after {type(action).__name__.lower()}")
    return tuple(failures)


def _do(action: Action, target: Target, folders: Folders, links: Sequence[Link]) -> None:
    if isinstance(action, Start):
        folder = folders(action.digest)
        if folder is None:
            raise OutsideError(f"the bundle {action.digest[:12]} is not on this host yet.")
        target.start(Release(digest=action.digest, folder=folder))
    elif isinstance(action, Stop):
        target.stop(action.digest)
    elif isinstance(action, Apply):
        # The way back first, and where the disk has no room for it, nothing goes forward.
        if action.back is not None:
            target.prepare(action.back)
        target.route(_told(action.route, links))


def _told(route: Route, links: Sequence[Link]) -> Route:
    """The route with the decision that asks for it, for targets that keep a history."""
    link = next((one for one in links if one.facts["generation"] == route.generation), None)
    if link is None:
        return route
    return replace(route, decision=link.digest, reason=str(link.facts["sentence"]))
