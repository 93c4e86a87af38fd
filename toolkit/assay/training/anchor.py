"""The anchor of a plan: which commit the base's rules mean by it, and how it was made then."""

from __future__ import annotations

import re

from assay.config import Anchor, Model, parse_config
from assay.config.anchor import LATEST_RELEASE, USUAL_TAG
from assay.errors import AssayError
from assay.evidence import ModelPlan, Plan, PlannedAnchor
from assay.evidence import Revision as PlannedRevision
from assay.git import Repository, Revision, leads_to, newest_tag

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_SHOWN = 12


class _NoAnchorError(Exception):
    """There is no such version; the text says why."""


def with_anchors(plan: Plan, repository: Repository) -> Plan:
    """Resolve the anchor of each touched model to a commit of the base's history.

    A tag that anybody may set must not bring code of theirs before the head's own: what does not
    lead to the base is no anchor. One that cannot be had is said in the plan, not raised.
    """
    models = tuple(_with_anchor(plan, planned, repository) for planned in plan.models)
    return plan.model_copy(update={"models": models})


def _with_anchor(plan: Plan, planned: ModelPlan, repository: Repository) -> ModelPlan:
    wanted = planned.rules.anchor
    if planned.anchor is None or wanted is None or plan.base is None:
        return planned
    try:
        found = _resolved(wanted, plan.base.commit, plan.config_file, planned.name, repository)
    except _NoAnchorError as why:
        found = planned.anchor.model_copy(update={"missing": str(why)})
    except AssayError as error:
        found = planned.anchor.model_copy(update={"missing": str(error).rstrip(".")})
    return planned.model_copy(update={"anchor": found})


def _resolved(
    wanted: Anchor, base: str, config_file: str, model: str, repository: Repository
) -> PlannedAnchor:
    name = wanted.ref
    if name == LATEST_RELEASE:
        pattern = wanted.tag or USUAL_TAG
        newest = newest_tag(repository, pattern, base)
        if newest is None:
            raise _NoAnchorError(f"no tag of the base's history matches {pattern}")
        name = newest
        found = repository.try_resolve(f"refs/tags/{name}")
    else:
        found = _named(name, repository)
    if found is None:
        raise _NoAnchorError(f"git knows no {name} here")
    if not leads_to(repository, found.commit, base):
        raise _NoAnchorError(f"{name} is not in the base's history")
    rules = _rules(repository.show_file(found.commit, config_file), config_file, model, name)
    shown = name[:_SHOWN] if _COMMIT.fullmatch(name) else name
    revision = PlannedRevision(commit=found.commit, tree=found.tree)
    return PlannedAnchor(name=shown, revision=revision, rules=rules)


def _named(name: str, repository: Repository) -> Revision | None:
    """A tag before a branch of the same name, and the remote's branch before one made here."""
    places = (f"refs/tags/{name}", f"refs/remotes/origin/{name}", name)
    return next((found for ref in places if (found := repository.try_resolve(ref))), None)


def _rules(content: bytes | None, file: str, model: str, name: str) -> Model:
    if content is None:
        raise _NoAnchorError(f"{name} has no {file}")
    try:
        config = parse_config(content.decode(errors="replace"), file=file)
    except AssayError as error:
        first = str(error).splitlines()[0][:200]
        raise _NoAnchorError(f"{file} at {name} is invalid ({first})") from None
    if model not in config.models:
        raise _NoAnchorError(f"{file} at {name} has no model {model}")
    return config.models[model]
