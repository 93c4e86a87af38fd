"""What the local target writes for Envoy: golden files, and what must hold of every route."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.rollout.target import WHOLE, Route
from assay.rollout.targets.local.bootstrap import Place, bootstrap
from assay.rollout.targets.local.clusters import Endpoints, clusters, endpoints
from assay.rollout.targets.local.routes import ANONYMOUS, SCORING, read_route, routes

GOLDEN = Path(__file__).with_name("golden")
PLACE = Place(folder=Path("/srv/assay"))
OLD, NEW = "a" * 64, "b" * 64
UNIT = "x-assay-unit"
RENDERED = {
    "bootstrap": bootstrap(PLACE, host="127.0.0.1", port=8080, unit_header=UNIT),
    "clusters": clusters(PLACE, [NEW, OLD], version="7"),
    "endpoints": endpoints(Endpoints(digest=OLD, addresses=[("127.0.0.1", 9001)])),
    "no-route": routes(None, unit_header=UNIT, seconds=15),
    "canary": routes(
        Route(
            generation=3, weights={NEW: 1_000, OLD: 9_000}, stable=OLD, sticky=True, anonymous=True
        ),
        unit_header=UNIT,
        seconds=15,
    ),
    "ab": routes(
        Route(generation=3, weights={NEW: 5_000, OLD: 5_000}, stable=OLD, sticky=True),
        unit_header=UNIT,
        seconds=15,
    ),
    "shadow": routes(
        Route(generation=4, weights={OLD: WHOLE}, stable=OLD, mirror=(NEW, 2_500)),
        unit_header=UNIT,
        seconds=15,
    ),
}


@pytest.mark.parametrize("name", sorted(RENDERED))
def test_rendering_is_what_was_looked_at(name: str) -> None:
    """After a change that is meant, run this file as a program, and look again."""
    rendered = json.loads(json.dumps(RENDERED[name]))
    assert rendered == json.loads((GOLDEN / f"{name}.json").read_text())


digests = st.text(alphabet="0123456789abcdef", min_size=64, max_size=64)


@st.composite
def any_route(draw: st.DrawFn) -> Route:
    known = draw(st.lists(digests, min_size=1, max_size=4, unique=True))
    cuts = sorted(draw(st.lists(st.integers(0, WHOLE), min_size=len(known) - 1,
                                max_size=len(known) - 1)))  # fmt: skip
    shares = [b - a for a, b in zip([0, *cuts], [*cuts, WHOLE], strict=True)]
    mirror = draw(st.none() | st.tuples(st.sampled_from(known), st.integers(0, WHOLE)))
    return Route(
        generation=draw(st.integers(1, 2**31)),
        weights=dict(zip(known, shares, strict=True)),
        stable=draw(st.sampled_from(known)),
        mirror=mirror,
        sticky=draw(st.booleans()),
        anonymous=draw(st.booleans()),
        decision=draw(digests),
    )


@given(any_route())
def test_a_route_is_read_back_from_what_was_rendered(route: Route) -> None:
    rendered = json.loads(json.dumps(routes(route, unit_header=UNIT, seconds=15)))
    assert read_route(rendered) == route
    assert rendered["version_info"] == str(route.generation)


@given(any_route())
def test_every_cluster_that_a_route_names_is_there(route: Route) -> None:
    known = {c["name"] for c in clusters(PLACE, route.weights, version="1")["resources"]}
    assert set(_named(routes(route, unit_header=UNIT, seconds=15))) <= known


@given(any_route())
def test_shares_are_the_weights_and_the_stable_version_comes_last(route: Route) -> None:
    for rule in _rules(route):
        parts = rule["route"]["weighted_clusters"]["clusters"]
        shares = {
            part["request_headers_to_add"][0]["header"]["value"]: part["weight"] for part in parts
        }
        assert shares == {digest: share for digest, share in route.weights.items() if share}
        assert sum(shares.values()) == WHOLE
        if route.stable in shares:
            assert list(shares)[-1] == route.stable
        for part in parts:
            assigned = part["request_headers_to_add"][0]["header"]["value"]
            assert part["name"].endswith(assigned) or part["name"].endswith(
                f"{assigned}-{route.stable}"
            )


@given(any_route())
def test_units_stick_only_where_it_was_asked_for(route: Route) -> None:
    for rule in _rules(route):
        sticks = route.sticky and rule["name"] == SCORING
        assert bool(rule["route"].get("hash_policy")) == sticks
        assert bool(rule["match"].get("headers")) == sticks
        assert bool(rule["route"]["weighted_clusters"].get("use_hash_policy")) == sticks


def test_weights_that_do_not_add_up_are_no_route() -> None:
    with pytest.raises(ValueError, match="add up to 10,000"):
        Route(generation=1, weights={OLD: 9_999}, stable=OLD)
    with pytest.raises(ValueError, match="0 or more"):
        Route(generation=1, weights={OLD: 10_001, NEW: -1}, stable=OLD)


def _rules(route: Route) -> list[dict[str, Any]]:
    found = routes(route, unit_header=UNIT, seconds=15)["resources"][0]["virtual_hosts"][0]
    return [rule for rule in found["routes"] if rule["name"] in (SCORING, ANONYMOUS)]


def _named(part: object) -> list[str]:
    """Every name of a cluster in a rendered document."""
    if isinstance(part, list):
        return [name for inner in part for name in _named(inner)]
    if not isinstance(part, dict):
        return []
    found = [part["cluster"]] if isinstance(part.get("cluster"), str) else []
    if "weighted_clusters" in part:
        found += [cluster["name"] for cluster in part["weighted_clusters"]["clusters"]]
    return found + [name for inner in part.values() for name in _named(inner)]


if __name__ == "__main__":
    for golden, content in RENDERED.items():
        (GOLDEN / f"{golden}.json").write_text(json.dumps(content, indent=2) + "\n")
