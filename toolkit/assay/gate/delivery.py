"""Plan a delivery: what the gate's evidence of a commit lets through, and where its bytes are.

It runs where the repository is checked out, without the consumer's code and without a privilege.
What the later jobs need of the repository (the configuration and the public keys) goes into a
folder of its own, so that they check nothing out.
"""

from __future__ import annotations

import posixpath
import shutil
from dataclasses import dataclass
from pathlib import Path

from assay.config import Config
from assay.errors import InputError, IntegrityError, Location, OutsideError, VerdictFailed
from assay.evidence import (
    DeliveredModel,
    DeliveryPlan,
    Outcome,
    Plan,
    Training,
    Verdict,
)
from assay.gate.delivered import delivered, kept_models
from assay.gate.verify import verify
from assay.github.fork import merged_by
from assay.github.publish import client_of
from assay.github.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Checkout:
    """The repository at the commit that is delivered: its root and tree, and the configuration."""

    root: Path
    commit: str
    tree: str
    config_file: str
    config: Config


def plan_delivery(evidence: Path, settings: Settings, checkout: Checkout) -> DeliveryPlan:
    """Return which models of the evidence are delivered.

    Raises InputError where this run may not deliver, IntegrityError where the evidence is of
    another tree or altered, VerdictFailed where it does not pass, and OutsideError where a
    model's files cannot be had.
    """
    branch = _base_branch(settings)
    verify(evidence)
    plan, verdict = Plan.read(evidence), Verdict.read(evidence)
    where = Location(file=(evidence / Plan.FILE).as_posix())
    if plan.head.tree != checkout.tree:
        raise IntegrityError(
            f"the evidence is of tree {plan.head.tree[:12]}, and this commit has "
            f"{checkout.tree[:12]}.",
            where=where,
            remedy="Deliver the evidence of the gate that ran for this very commit.",
        )
    if verdict.state is Outcome.FAIL:
        raise VerdictFailed(f"the verdict is fail: {verdict.sentence}")
    for name in delivered(plan):
        _judged_bytes(evidence, name)
    event = settings.event
    client = client_of(settings)
    try:
        kept = kept_models(client, plan, base_branch=branch, own_run=event.run_id)
        brought = merged_by(client, checkout.commit)
    finally:
        client.close()
    return DeliveryPlan(
        repository=client.repository,
        commit=checkout.commit,
        tree=checkout.tree,
        author=(brought.author if brought else event.author) or "unknown",
        pull_request=brought.number if brought else None,
        models=tuple(
            DeliveredModel(
                name=found.model,
                run=found.run,
                artifact=found.artifact,
                targets=_targets(checkout.config, found.model),
            )
            for found in kept
        ),
    )


def _base_branch(settings: Settings) -> str:
    """The default branch: nothing is delivered from another one."""
    branch, event = settings.default_branch, settings.event
    on_it = {
        "push": event.head_branch == branch,
        "workflow_dispatch": settings.revisions is not None
        and settings.revisions.merge_base_with is None,
    }
    if branch is None or not on_it.get(event.name, False):
        raise InputError(
            f"a delivery runs for a push to the default branch ({branch}) or by hand on it, and "
            f"this run is for {event.name} on {event.head_branch or 'another branch'}.",
            remedy="Call deliver.yml from a workflow with `on: push: branches: [<default>]` and "
            "`workflow_dispatch`.",
        )
    return branch


def _judged_bytes(evidence: Path, model: str) -> None:
    training = Training.read(evidence / model)
    if training.model_digest is None:
        raise InputError(
            f"the training of {model} left no files under `artifact`.",
            where=Location(file=(evidence / model / Training.FILE).as_posix()),
            remedy="Name the MLflow model directory that the pipeline writes as `artifact`.",
        )


def _targets(config: Config, model: str) -> tuple[str, ...]:
    section = config.models.get(model)
    if section is None or section.delivery is None:
        raise OutsideError(
            f"the configuration of this commit does not deliver {model}, and the evidence does.",
            remedy="Run the gate again for this commit.",
        )
    return section.delivery.targets


def write_folder(plan: DeliveryPlan, checkout: Checkout, folder: Path) -> None:
    """Write the plan, the configuration, and the files it names, into ``folder`` by their paths.

    Those are the trust's, and the locks of images. Raises InputError where one is not there.
    """
    shutil.rmtree(folder, ignore_errors=True)
    delivery = checkout.config.delivery
    place = posixpath.dirname(checkout.config_file)
    trusted = delivery.trust.files if delivery else ()
    locks = [
        model.delivery.image.lock
        for model in checkout.config.models.values()
        if model.delivery and model.delivery.image
    ]
    files = dict.fromkeys(posixpath.join(place, file) for file in (*trusted, *locks))
    for name in (checkout.config_file, *files):
        source, target = checkout.root / name, folder / name
        if not source.is_file() or source.is_symlink():
            raise InputError(
                "delivery.trust or delivery.image names this file, and it is none of this commit.",
                where=Location(file=name),
                remedy="Commit the public key (PEM, ECDSA P-256), the root of trust or the image's "
                "lock there.",
            )
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    plan.write(folder)
