"""What a commit says: the change in one line, whose decision it was, and why."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence

from assay.rollout.target import WHOLE, Route
from assay.rollout.targets.gitops.record import Record
from assay.rollout.targets.manifests import Site

_LONGEST = 500


def goes_back(before: Route | None, route: Route) -> bool:
    """Whether a route gives all of the traffic back to the version that had it."""
    under_way = before is not None and (before.mirror is not None or not is_whole(before))
    return under_way and is_whole(route) and before is not None and route.stable == before.stable


def is_whole(route: Route) -> bool:
    """Whether one version gets all of the traffic, and no copy goes to another."""
    return route.weights.get(route.stable) == WHOLE and route.mirror is None


def started(site: Site, digest: str) -> str:
    """Return the message for a version that starts beside the others."""
    return f"Start {digest[:12]} of {site.model} at {site.target}\n"


def stopped(site: Site, digest: str) -> str:
    """Return the message for a version that is removed."""
    return f"Remove {digest[:12]} of {site.model} from {site.target}\n"


def routed(
    site: Site, record: Record, route: Route, *, parent: str, overwritten: Sequence[str]
) -> str:
    """Return the message for a route; one that goes back names the commits that it undoes."""
    back = goes_back(record.route, route)
    facts = [f"Assay-Generation: {route.generation}"]
    if route.decision:
        facts.append(f"Assay-Decision: {route.decision}")
    if back and record.since:
        facts.append(f"Assay-Reverts: {record.since}..{parent}")
    words = [_one_line(route.reason)] if route.reason else []
    if overwritten:
        words.append(_one_line(f"Takes back what others changed in {', '.join(overwritten)}."))
    body = [*(textwrap.fill(each, 72) for each in words), "\n".join(facts)]
    return "\n\n".join([_subject(site, route, back=back), *body]) + "\n"


def _subject(site: Site, route: Route, *, back: bool) -> str:
    where = f"{site.model} at {site.target}"
    if back:
        return f"Take {where} back to {route.stable[:12]}"
    if route.mirror:
        digest, share = route.mirror
        return f"Mirror {_percent(share)} of {where} to {digest[:12]}"
    newer = {digest: share for digest, share in route.weights.items() if digest != route.stable}
    shown = {digest: share for digest, share in newer.items() if share}
    if not shown:
        return f"Route all of {where} to {route.stable[:12]}"
    parts = [f"{_percent(share)} to {digest[:12]}" for digest, share in sorted(shown.items())]
    return f"Route {', '.join(parts)} of {where}"


def _percent(share: int) -> str:
    return f"{share / WHOLE:.2%}".replace(".00%", "%")


def _one_line(text: str) -> str:
    """A reason may hold a person's words: they stay one paragraph, and no trailer."""
    return re.sub(r"[\s\x00-\x1f\x7f]+", " ", text).strip()[:_LONGEST]
