"""Evidence of earlier trusted runs, fetched by the job that runs no consumer code.

``_earlier/<tree>/`` in the evidence folder holds what the base may be read from, ``_carried/`` the
whole evidence of a run that judged the very tree that was pushed.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

from assay.errors import AssayError, OutsideError
from assay.evidence import Plan, Verdict
from assay.gate.assemble import CARRIED
from assay.gate.delivered import kept_models
from assay.gate.judge import replay
from assay.gate.verify import verify
from assay.github.client import Client
from assay.github.evidence_store import Earlier, fetch_earlier, find_earlier, tree_of_commit
from assay.github.publish import client_of
from assay.github.settings import Settings
from assay.report.bundle import ModelEvidence

EARLIER = "_earlier"

Say = Callable[[str], object]


def bring_earlier(plan: Plan, settings: Settings, folder: Path, *, say: Say) -> Plan:
    """Fetch earlier evidence of the base's and the anchors' trees and, after a merge, the head's.

    Returns the plan, with ``carried`` set and no model touched where this tree was judged
    already. A GitHub that cannot be asked costs time, not the run: it is said and left at that.
    """
    branch = settings.event.base_branch or settings.default_branch
    if not settings.in_actions or settings.token is None or branch is None:
        return plan
    client = client_of(settings)
    try:
        if plan.event.name in ("push", "workflow_dispatch"):
            carried = fetch_tree(
                client, plan.head.tree, branch, folder / CARRIED, proposals=True, say=say
            )
            if (
                carried is not None
                and _answers(plan, folder / CARRIED, say=say)
                and _keeps_models(client, folder / CARRIED, branch, settings, say=say)
            ):
                return _carried(plan, carried)
            shutil.rmtree(folder / CARRIED, ignore_errors=True)
        if plan.base is not None and any(model.touched for model in plan.models):
            for tree in _trees(plan):
                fetch_tree(client, tree, branch, folder / EARLIER / tree, proposals=False, say=say)
    finally:
        client.close()
    return plan


def _trees(plan: Plan) -> tuple[str, ...]:
    """The trees whose evidence may answer for a side: the base's, and those of the anchors."""
    anchors = (model.anchor.revision for model in plan.models if model.touched and model.anchor)
    return tuple(dict.fromkeys(found.tree for found in (plan.base, *anchors) if found))


def fetch_tree(
    client: Client, tree: str, branch: str, target: Path, *, proposals: bool, say: Say
) -> Earlier | None:
    """Fetch the newest trusted evidence of a tree into ``target``; say where none can be had."""
    try:
        found = find_earlier(
            client,
            tree,
            base_branch=branch,
            proposals=proposals,
            tree_of=partial(tree_of_commit, client),
        )
        if found.earlier is None:
            say(f"Earlier evidence of tree {tree[:12]}: {found.reason}.")
            return None
        fetch_earlier(client, found.earlier, target)
    except AssayError as error:
        say(f"Earlier evidence of tree {tree[:12]} could not be had: {error}")
        return None
    say(f"Earlier evidence of tree {tree[:12]}: {found.earlier.url}")
    return found.earlier


def _answers(plan: Plan, folder: Path, *, say: Say) -> bool:
    """Whether the evidence in ``folder`` is of the same question: base, rules, touched models.

    A pull request onto another branch has another base, and may have other rules.
    """
    try:
        Verdict.read(folder)
        theirs = Plan.read(folder)
    except AssayError as error:
        say(f"The earlier evidence of this tree is not carried over: {error}")
        return False
    known = {model.name: model for model in theirs.models}
    same = plan.base is not None and theirs.base is not None and plan.base.tree == theirs.base.tree
    for model in plan.models:
        other = known.get(model.name)
        if model.touched and (
            other is None
            or not other.touched
            or (other.rules, other.rules_from) != (model.rules, model.rules_from)
            or other.anchor != model.anchor
        ):
            same = False
    if not same:
        say("The earlier evidence of this tree has another base or other rules: it is judged anew.")
    return same


def _keeps_models(
    client: Client, folder: Path, branch: str, settings: Settings, *, say: Say
) -> bool:
    """Whether the bytes of each delivered model are still had: a verdict alone cannot serve."""
    own = settings.event.run_id
    try:
        kept_models(client, Plan.read(folder), base_branch=branch, own_run=own)
    except AssayError as error:
        say(f"The earlier evidence of this tree is not carried over: {error}")
        return False
    return True


def _carried(plan: Plan, earlier: Earlier) -> Plan:
    models = tuple(
        model.model_copy(
            update={"touched": False, "reason": "judged already: another run had this very tree"}
        )
        for model in plan.models
    )
    return plan.model_copy(update={"carried": earlier.url, "models": models})


def judge_carried(folder: Path) -> tuple[Plan, tuple[ModelEvidence, ...], Verdict]:
    """Judge the carried evidence again, from its own plan; an acceptance it had still holds.

    Raises IntegrityError where a file is not what the evidence says, and OutsideError where the
    verdict does not come out as it was.
    """
    source = folder / CARRIED
    verify(source)
    plan, stored = Plan.read(source), Verdict.read(source)
    models, verdict = replay(plan, source, stored)
    if verdict.state is not stored.state:
        raise OutsideError(
            f"the evidence of {plan.event.run_url} says {stored.state.value} and now comes out "
            f"as {verdict.state.value}.",
            remedy="Run the workflow by hand on this branch to gate it again.",
        )
    return plan, models, verdict
