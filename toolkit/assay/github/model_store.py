"""The files of judged models, kept by the run that judged them as artifacts of its own."""

from __future__ import annotations

import re
from dataclasses import dataclass

from assay.errors import OutsideError
from assay.github.client import Client


@dataclass(frozen=True, kw_only=True)
class Kept:
    """An artifact with a model's files."""

    model: str
    run: int
    artifact: int


def find_model(client: Client, run: int, model: str) -> Kept:
    """Return the newest attempt's files of ``model``; raises OutsideError where there are none."""
    named = re.compile(rf"assay-model-{re.escape(model)}-(\d{{1,5}})")
    attempts: dict[int, int] = {}
    for facts in client.pages(f"actions/runs/{run}/artifacts", key="artifacts"):
        match = named.fullmatch(str(facts.get("name")))
        if match and not facts.get("expired") and isinstance(facts.get("id"), int):
            attempts[int(match[1])] = int(facts["id"])
    if not attempts:
        raise OutsideError(
            f"run {run} keeps no files of the model {model}, or they have expired.",
            remedy="Run the delivery again by hand (workflow_dispatch): the gate then runs anew.",
        )
    return Kept(model=model, run=run, artifact=attempts[max(attempts)])
