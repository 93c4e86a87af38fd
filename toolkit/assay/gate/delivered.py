"""The models of a run that are delivered: which they are, and where the run kept their bytes.

A model's job uploads the very files that its training named the digest of. They are no evidence:
only their digest is, so whoever fetches them checks it (``assay package`` does).
"""

from __future__ import annotations

import posixpath
from functools import partial

from assay.errors import OutsideError
from assay.evidence import ModelPlan, Plan
from assay.github.client import Client
from assay.github.evidence_store import run_that_counts, tree_of_commit
from assay.github.model_store import Kept, find_model


def artifact_of(model: ModelPlan) -> str | None:
    """Return where the model's files are, from the repository's root; None: not delivered.

    That is the head's word, not the rules': once merged, the head's configuration delivers.
    """
    section = model.proposed or model.rules
    if model.removed or section.delivery is None or section.artifact is None:
        return None
    return posixpath.normpath(posixpath.join(model.path, section.artifact))


def delivered(plan: Plan) -> tuple[str, ...]:
    """Return the names of the models that the run judged and that are delivered."""
    return tuple(
        model.name for model in plan.models if model.touched and artifact_of(model) is not None
    )


def kept_models(client: Client, plan: Plan, *, base_branch: str, own_run: int | None) -> list[Kept]:
    """Return where the bytes of each delivered model are: in the run that judged the tree.

    Another run than ``own_run`` must be one of this repository's own code, for this very tree.
    Raises OutsideError where a model's files are gone, or where that run does not count.
    """
    names = delivered(plan)
    run = plan.event.run_id
    if not names:
        return []
    if run is None:
        raise OutsideError("the evidence does not say which run made it, so its models are lost.")
    if run != own_run:
        run_that_counts(
            client,
            run,
            plan.head.tree,
            base_branch=base_branch,
            tree_of=partial(tree_of_commit, client),
        )
    return [find_model(client, run, name) for name in names]
