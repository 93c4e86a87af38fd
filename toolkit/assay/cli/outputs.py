"""What a step hands on: the outputs of each command, written once.

The action.yml files are generated from this table and held to it by a test.
"""

from __future__ import annotations

import os
from pathlib import Path

OUTPUTS: dict[str, dict[str, str]] = {
    "plan": {
        "any": "true where at least one model is touched.",
        "models": "JSON list of {name, path} of the touched models, for a matrix.",
        "tree": "Git tree of the head: what evidence is matched by.",
        "publisher": "Who writes the comment: cml, github or file.",
        "environment": "What the gate compares in, for ASSAY_ENVIRONMENT: toolkit or spark.",
    },
    "test": {"state": "passed, failed or not-measured."},
    "check-data": {"state": "passed, failed or not-measured."},
    "train": {"state": "passed, failed or not-measured."},
    "compare": {"verdict": "pass, warn or fail."},
    "gate": {"verdict": "pass, warn or fail.", "comment": "Address of the comment, if any."},
    "report": {"report": "Path of report.md."},
    "publish-report": {"comment": "Address of the comment."},
    "ledger": {"added": "How many new decisions were written."},
    "retrain": {
        "any": "decide: true where at least one model is to be trained.",
        "models": "decide: JSON list of the names of those models, for a matrix.",
        "base": "decide: the commit to train, which is proposed upon.",
        "state": "propose: proposed, unchanged or failed; settle: closed, open or none.",
        "pull-request": "propose: the pull request's number.",
    },
    "package": {
        "bundle": "Path of the bundle's folder.",
        "digest": "The bundle's artifact digest: SHA-256 of its bundle.json.",
    },
    "register": {
        "version": "The model version in MLflow's registry.",
        "digest": "The artifact digest of that version.",
    },
    "image": {"image": "The pushed image by digest: registry/name@sha256:…."},
    "delivery-plan": {
        "any": "true where at least one model is delivered.",
        "models": "JSON list of {name, run, artifact} of the delivered models, for a matrix.",
        "stages": "JSON list of {model, target} before each model's last target; empty for none.",
        "last": "JSON list of {model, target} of each model's last target.",
    },
    "trial": {"state": "pass, warn or fail."},
    "deploy": {
        "state": "awaiting-approval, unanswered, rejected, under-way, promoted, concluded or "
        "rolled-back.",
        "intent": "The intent's id.",
        "onward": "JSON list of the targets after this one that wait for its promotion; empty for "
        "none.",
    },
    "stage": {"state": "pass, warn or fail."},
    "ask": {
        "state": "done, unanswered or rejected.",
        "intent": "The intent's id.",
    },
    "monitor": {
        "state": "pass, warn or fail.",
        "problems": "How many problems are open.",
    },
    "notify": {"problems": "How many problems the looks found."},
    "setup": {"version": "The version of Assay."},
}


def write_outputs(command: str, **values: str) -> None:
    """Write step outputs where GitHub Actions asks for them; elsewhere do nothing.

    Raises KeyError for a name that is not in the table.
    """
    for name in values:
        OUTPUTS[command][name]
    target = os.environ.get("GITHUB_OUTPUT")
    if target:
        from assay.github import outputs

        outputs.append_outputs(Path(target), values)
