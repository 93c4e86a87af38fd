"""Accepting a failing verdict by a label: who set it, when, and whether they may."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from assay.config import Override as Rule
from assay.errors import OutsideError
from assay.evidence import Override
from assay.github.client import Client, NotFound, Refused

_RANKS = {"none": 0, "read": 1, "triage": 2, "write": 3, "maintain": 4, "admin": 5}


@dataclass(frozen=True, kw_only=True)
class LabelEvent:
    """One event of a pull request's timeline that bears on acceptance."""

    kind: str
    at: datetime
    by: str = ""
    label: str = ""


@dataclass(frozen=True, kw_only=True)
class Decision:
    """The acceptance, or the reason why there is none."""

    override: Override | None
    reason: str


def decide(
    events: Sequence[LabelEvent],
    *,
    rule: Rule,
    head_moved_at: datetime | None,
    permission_of: Callable[[str], str],
) -> Decision:
    """Say whether the label that is set accepts this head.

    It must have been set last by somebody with the permission that ``rule`` asks for, and after
    the head's last push, as GitHub's clock has it: dates in commits are the author's to choose.
    """
    ordered = sorted(events, key=lambda event: event.at)
    of_label = [event for event in ordered if event.label == rule.label]
    if not of_label or of_label[-1].kind != "labeled":
        return Decision(override=None, reason=f"the label {rule.label} is not set")
    accepted = of_label[-1]
    if head_moved_at is None:
        return Decision(override=None, reason="nothing tells when the head was pushed")
    forced = [event.at for event in ordered if event.kind == "head_ref_force_pushed"]
    moved = max([head_moved_at, *forced])
    if accepted.at <= moved:
        return Decision(
            override=None,
            reason=f"{accepted.by} set the label {rule.label} before the head's last push",
        )
    held = permission_of(accepted.by)
    if _RANKS.get(held, 0) < _RANKS[rule.permission]:
        return Decision(
            override=None,
            reason=f"{accepted.by} set the label {rule.label} and has the permission "
            f"{held}, which is less than {rule.permission}",
        )
    at = accepted.at.isoformat().replace("+00:00", "Z")
    override = Override(label=rule.label, by=accepted.by, at=at)
    return Decision(override=override, reason=f"{accepted.by} set the label {rule.label}")


def find_override(
    client: Client, *, number: int, head_sha: str, rule: Rule, event_time: str | None
) -> Decision:
    """Ask GitHub's timeline whether somebody accepted this head.

    ``event_time`` is the push's time by the run's event. The first run of a head tells it too,
    but not where the branch comes back to a commit that had run before.
    """
    events = [
        event
        for facts in client.pages(f"issues/{number}/timeline")
        if (event := event_of(facts)) is not None
    ]
    if not any(event.label == rule.label for event in events):
        return Decision(override=None, reason=f"the label {rule.label} was never set")
    times = (_first_run(client, head_sha), parse_time(event_time))
    moved = max((time for time in times if time is not None), default=None)
    return decide(
        events,
        rule=rule,
        head_moved_at=moved,
        permission_of=lambda login: permission(client, login),
    )


def event_of(facts: dict[str, Any]) -> LabelEvent | None:
    """Read one timeline event; None for the many that say nothing about acceptance."""
    kind = facts.get("event")
    at = parse_time(facts.get("created_at"))
    if at is None or kind not in ("labeled", "unlabeled", "head_ref_force_pushed"):
        return None
    actor, label = facts.get("actor"), facts.get("label")
    login = actor.get("login") if isinstance(actor, dict) else None
    name = label.get("name") if isinstance(label, dict) else None
    return LabelEvent(kind=kind, at=at, by=str(login or ""), label=str(name or ""))


def parse_time(value: object) -> datetime | None:
    """Read GitHub's time, which is ISO 8601 in UTC; None for anything else."""
    if not isinstance(value, str):
        return None
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        return None
    return parsed if parsed.tzinfo is not None else None


def permission(client: Client, login: str) -> str:
    """Return somebody's role in the repository: none, read, triage, write, maintain or admin."""
    if not login:
        return "none"
    try:
        facts = client.get(f"collaborators/{login}/permission")
    except NotFound:
        return "none"
    if not isinstance(facts, dict):
        raise OutsideError("GitHub's answer about a permission is no object.")
    role, simple = facts.get("role_name"), facts.get("permission")
    return str(role if role in _RANKS else simple or "none")


def _first_run(client: Client, head_sha: str) -> datetime | None:
    """When the first run of this head was created, which is right after its push."""
    try:
        runs = client.get("actions/runs", head_sha=head_sha, event="pull_request", per_page=100)
    except (Refused, NotFound):
        return None
    found = runs.get("workflow_runs") if isinstance(runs, dict) else None
    times = [
        time
        for run in found or ()
        if isinstance(run, dict) and (time := parse_time(run.get("created_at"))) is not None
    ]
    return min(times, default=None)
