"""Envoy's routes: which version a request goes to, and what is tried where it fails."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from assay.rollout.target import Route
from assay.rollout.targets.local.bootstrap import (
    ASSIGNED_HEADER,
    GENERATION_HEADER,
    ROUTES,
)
from assay.rollout.targets.local.clusters import cluster_name, fallback_name, mirror_name
from assay.rollout.targets.local.names import TYPE

SCORING = "scoring"
"""The name of the route whose requests are counted for the guards."""
UNASSIGNED = "unassigned"
"""Scoring requests without a unit while units stick: the stable version's, not the experiment's."""
ANONYMOUS = "anonymous"
"""The same where they take part: each is drawn anew, and counts as a unit of its own."""
OTHER = "other"
_PATHS: tuple[dict[str, Any], ...] = (
    {"path": "/invocations"},
    {"safe_regex": {"regex": r"/v2/models/[^/]+(/versions/[^/]+)?/infer"}},
)
_BROKEN = "reset,connect-failure,refused-stream"
_PAUSE = {"base_interval": "0.005s", "max_interval": "0.05s"}
"""Another version is asked at once; Envoy's own pause of 25 ms is for one that is overloaded."""
_METADATA = "assay"
_NOT_KEPT = {"decision", "reason"}
"""The journal has them; a route that was prepared before it was decided has neither."""


def routes(route: Route | None, *, unit_header: str, seconds: float) -> dict[str, Any]:
    """Render the routes of ``route``; without one every request is refused with a reason.

    ``seconds`` is a request's longest time. Where another version may answer for the one that was
    chosen, that one has half of it.
    """
    generation = route.generation if route else 0
    resource: dict[str, Any] = {
        "@type": TYPE + "envoy.config.route.v3.RouteConfiguration",
        "name": ROUTES,
        "virtual_hosts": [
            {
                "name": "models",
                "domains": ["*"],
                "routes": [
                    _refuse({"prefix": "/assay/"}, 404, "This is not for callers."),
                    *(
                        _routes(route, unit_header, seconds)
                        if route
                        else [_refuse({"prefix": "/"}, 503, "No model is routed yet.")]
                    ),
                ],
            }
        ],
        "request_headers_to_add": [_header(GENERATION_HEADER, str(generation))],
    }
    if route:
        kept = {key: value for key, value in asdict(route).items() if key not in _NOT_KEPT}
        resource["metadata"] = {"filter_metadata": {_METADATA: kept}}
    return {"version_info": str(generation), "resources": [resource]}


def read_route(rendered: dict[str, Any]) -> Route | None:
    """Return the route that ``rendered`` was made from."""
    metadata = rendered["resources"][0].get("metadata")
    if metadata is None:
        return None
    found = metadata["filter_metadata"][_METADATA]
    mirror = found["mirror"]
    return Route(**{**found, "mirror": (mirror[0], int(mirror[1])) if mirror else None})


def _routes(route: Route, unit_header: str, seconds: float) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    stick = [{"name": unit_header, "present_match": True}] if route.sticky else []
    for path in _PATHS:
        action = {
            **_weighted(route, stick=route.sticky),
            **_tries(route, seconds),
            **_mirror(route),
        }
        if route.sticky:
            action["hash_policy"] = [{"header": _salted(route, unit_header)}]
        found.append({"name": SCORING, "match": {**path, "headers": stick}, "route": action})
    if route.sticky:
        found += [_without_unit(route, path, seconds) for path in _PATHS]
    found.append(
        {
            "name": OTHER,
            "match": {"prefix": "/"},
            "route": {"cluster": cluster_name(route.stable), "timeout": f"{seconds}s"},
        }
    )
    return found


def _without_unit(route: Route, path: dict[str, Any], seconds: float) -> dict[str, Any]:
    if route.anonymous:
        action = {**_weighted(route, stick=False), **_tries(route, seconds), **_mirror(route)}
        return {"name": ANONYMOUS, "match": path, "route": action}
    action = {"cluster": cluster_name(route.stable), **_once_more(seconds), **_mirror(route)}
    return {
        "name": UNASSIGNED,
        "match": path,
        "route": action,
        "request_headers_to_add": [_header(ASSIGNED_HEADER, route.stable)],
    }


def _weighted(route: Route, *, stick: bool) -> dict[str, Any]:
    """The stable version comes last, so that a unit that a new one has stays with it as it grows.

    A hash picks by the running sum of the weights.
    """
    order = sorted(route.weights, key=lambda digest: (digest == route.stable, digest))
    parts = []
    for digest in order:
        if not route.weights[digest]:
            continue
        fallback = fallback_name(digest, route.stable)
        parts.append(
            {
                "name": cluster_name(digest) if digest == route.stable else fallback,
                "weight": route.weights[digest],
                "request_headers_to_add": [_header(ASSIGNED_HEADER, digest)],
            }
        )
    return {
        "weighted_clusters": {
            "clusters": parts,
            **({"use_hash_policy": True} if stick else {}),
        }
    }


def _salted(route: Route, unit_header: str) -> dict[str, Any]:
    """Salt the unit with the versions, so that not the same units are first in each experiment."""
    salt = "-".join(sorted(digest[:16] for digest in route.weights))
    return {
        "header_name": unit_header,
        "regex_rewrite": {"pattern": {"regex": "^(.*)$"}, "substitution": rf"\1-{salt}"},
    }


def _tries(route: Route, seconds: float) -> dict[str, Any]:
    if set(route.weights) == {route.stable}:
        return _once_more(seconds)
    return {
        "timeout": f"{seconds}s",
        "retry_policy": {
            "retry_on": f"5xx,{_BROKEN}",
            "num_retries": 1,
            "retry_back_off": _PAUSE,
            "per_try_timeout": f"{seconds / 2}s",
        },
    }


def _once_more(seconds: float) -> dict[str, Any]:
    """A connection that breaks is tried once more; an answer of the stable version stands."""
    return {
        "timeout": f"{seconds}s",
        "retry_policy": {"retry_on": _BROKEN, "num_retries": 1, "retry_back_off": _PAUSE},
    }


def _mirror(route: Route) -> dict[str, Any]:
    if route.mirror is None:
        return {}
    digest, share = route.mirror
    return {
        "request_mirror_policies": [
            {
                "cluster": mirror_name(digest),
                "runtime_fraction": {
                    "default_value": {"numerator": share, "denominator": "TEN_THOUSAND"}
                },
            }
        ]
    }


def _refuse(match: dict[str, Any], status: int, words: str) -> dict[str, Any]:
    return {
        "name": "refused",
        "match": match,
        "direct_response": {"status": status, "body": {"inline_string": words + "\n"}},
    }


def _header(name: str, value: str) -> dict[str, Any]:
    return {
        "header": {"key": name, "value": value},
        "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
    }
