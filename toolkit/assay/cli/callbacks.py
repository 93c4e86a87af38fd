"""What a controller tells others once a decision is recorded: the pull request that shipped it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assay.cli.chosen import Chosen
    from assay.rollout.controller.after import Hooks, Versions
    from assay.state import Link

_TOLD = ("promoted", "rolled-back", "concluded", "held")
_WORDS = {
    "promoted": "serves all traffic",
    "rolled-back": "was taken back",
    "concluded": "ended its shadow run",
    "held": "is held",
}


def hooks_of(chosen: Chosen, repository: str) -> Hooks:
    """Wire what the environment allows: MLflow's aliases where it names a server, comments on pull
    requests where it has a token."""
    from assay.rollout.controller.after import Hooks

    return Hooks(project=_projection(chosen), tell=_teller(chosen, repository))


def _projection(chosen: Chosen) -> Callable[[Versions], tuple[str, ...]] | None:
    """Set the target's aliases, and return what was not right."""
    if not (os.environ.get("MLFLOW_REGISTRY_URI") or os.environ.get("MLFLOW_TRACKING_URI")):
        return None
    from assay.cli.register import open_registry

    registry = open_registry()
    name = chosen.way.registered_name or chosen.model_name

    def project(versions: Versions) -> tuple[str, ...]:
        return tuple(map(str, registry.project(name, aliases_of(chosen, versions))))

    return project


def aliases_of(chosen: Chosen, versions: Versions) -> dict[str, str | None]:
    """Return which alias names which version: the target's name, and `previous` at the last."""
    wanted = {chosen.target_name: versions.stable}
    if chosen.target_name == chosen.way.targets[-1]:
        wanted["previous"] = versions.previous
    return wanted


def _teller(chosen: Chosen, repository: str) -> Callable[[Link], object] | None:
    from assay.github.settings import read_settings

    settings = read_settings(os.environ)
    token = settings.token
    if token is None:
        return None

    def tell(link: Link) -> None:
        from assay.github.client import Client

        number = pull_request_of(chosen.state, link)
        if number is None or link.facts["kind"] not in _TOLD:
            return
        client = Client(repository=repository, token=token, api_url=settings.api_url)
        try:
            body = comment_of(link, chosen.target_name)
            client.post(f"issues/{number}/comments", {"body": body})
        finally:
            client.close()

    return tell


def pull_request_of(state: Path, link: Link) -> int | None:
    """Return the pull request that shipped the version a decision is about, if known here."""
    from assay.errors import AssayError
    from assay.evidence import Intent
    from assay.rollout.controller.service import INTENTS

    digest = link.facts["artifact_digest"]
    found: list[Intent] = []
    for path in (state / INTENTS).glob("*.json"):
        try:
            intent = Intent.parse(path.read_text(encoding="utf-8"), file=path.name)
        except (AssayError, OSError, UnicodeDecodeError):
            continue
        if intent.kind == "deploy" and intent.artifact_digest == digest:
            found.append(intent)
    newest = max(found, key=lambda intent: intent.generation, default=None)
    return None if newest is None else newest.pull_request


def comment_of(link: Link, target: str) -> str:
    """Return what the pull request is told, escaped: sentences carry what people wrote."""
    from assay.report.escape import code, text

    facts = link.facts
    digest = str(facts["artifact_digest"] or "")[:12]
    first = f"{code(digest)} {_WORDS[facts['kind']]} on {code(target)}."
    where = f"Decision {link.seq}, {code(link.digest[:12])}, {facts['wall_time']}."
    return f"{first} {text(str(facts['sentence']))}\n\n{where}\n"
