"""What a controller tells others once a decision is recorded: the pull request that shipped it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assay.cli.chosen import Chosen
    from assay.evidence import Intent
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

        posts = posts_of(chosen.state, link, chosen.target_name)
        if not posts:
            return
        client = Client(repository=repository, token=token, api_url=settings.api_url)
        try:
            for path, body in posts:
                client.post(path, body)
        finally:
            client.close()

    return tell


def posts_of(state: Path, link: Link, target: str) -> list[tuple[str, dict[str, str]]]:
    """Return what GitHub is told of a decision: where, and what.

    The pull request that shipped a version is told what became of it; an intent that broke the
    glass opens an issue, so that somebody looks at it when the haste is over.
    """
    from assay.rollout.controller.intake import glass

    known = _intents(state)
    facts = link.facts
    posts = []
    shipped = [
        one
        for one in known
        if one.kind == "deploy" and one.artifact_digest == facts["artifact_digest"]
    ]
    newest = max(shipped, key=lambda intent: intent.generation, default=None)
    if newest is not None and newest.pull_request is not None and facts["kind"] in _TOLD:
        path = f"issues/{newest.pull_request}/comments"
        posts.append((path, {"body": comment_of(link, target)}))
    asked = next((one for one in known if one.id == facts["intent"]), None)
    if asked is not None and glass(asked) and facts["kind"] == "accepted":
        posts.append(("issues", _review_of(asked, link, target)))
    return posts


def _intents(state: Path) -> list[Intent]:
    from assay.errors import AssayError
    from assay.evidence import Intent
    from assay.rollout.controller.service import INTENTS

    found = []
    for path in sorted((state / INTENTS).glob("*.json")):
        try:
            found.append(Intent.parse(path.read_text(encoding="utf-8"), file=path.name))
        except (AssayError, OSError, UnicodeDecodeError):
            continue
    return found


def _review_of(intent: Intent, link: Link, target: str) -> dict[str, str]:
    from assay.report.escape import code, text

    body = (
        f"{text(intent.author)} broke the glass to {intent.kind} {code(intent.model)} on "
        f"{code(target)}: {text(intent.reason or '')} (ticket {text(intent.ticket or '')}).\n\n"
        f"No freeze held it back and no approval was asked for. Decision {link.seq}, "
        f"{code(link.digest[:12])}, {link.facts['wall_time']}.\n"
    )
    return {"title": f"Review: the glass was broken on {target}", "body": body}


def comment_of(link: Link, target: str) -> str:
    """Return what the pull request is told, escaped: sentences carry what people wrote."""
    from assay.report.escape import code, text

    facts = link.facts
    digest = str(facts["artifact_digest"] or "")[:12]
    first = f"{code(digest)} {_WORDS[facts['kind']]} on {code(target)}."
    where = f"Decision {link.seq}, {code(link.digest[:12])}, {facts['wall_time']}."
    return f"{first} {text(str(facts['sentence']))}\n\n{where}\n"
