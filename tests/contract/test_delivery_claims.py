"""Nothing is claimed in docs/delivery.md without a test or a bench that exists."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from assay.config import parse_config
from contract.claims import blocks, names_of_tests
from contract.files import ROOT
from contract.test_docs import blocks as code_of

HELD_BY: dict[str, list[str]] = yaml.safe_load(
    Path(__file__).with_name("delivery_claims.yml").read_text(encoding="utf-8")
)
PAGE = ROOT / "docs/delivery.md"
CLAIMED = [
    each for each in blocks(PAGE.read_text(encoding="utf-8")) if not each.startswith("Tests:")
]
LEAST: dict[str, Any] = {
    "version": 1,
    "models": {
        "churn": {
            "predictions": "p.csv",
            "artifact": "model",
            "gates": {"accuracy": {"margin": 0.01}},
            "delivery": {"targets": ["production"]},
        }
    },
    "delivery": {"targets": {"production": {"kind": "local"}}},
}
"""What a fragment of a configuration is laid over."""


def test_every_block_of_the_page_is_held_by_something() -> None:
    found = {block: [key for key in HELD_BY if block.startswith(key)] for block in CLAIMED}
    bare = [block for block, keys in found.items() if len(keys) != 1]
    assert bare == [], "name in delivery_claims.yml the tests that hold it"
    used = {keys[0] for keys in found.values()}
    assert set(HELD_BY) - used == set(), "blocks that are not there any more"


@pytest.mark.parametrize("key", HELD_BY)
def test_what_holds_a_block_is_there(key: str) -> None:
    for reference in HELD_BY[key]:
        if reference == "advice":
            continue
        file, _, name = reference.partition("::")
        path = ROOT / file
        assert path.is_file(), reference
        assert file.startswith("bench/") or names_of_tests(path), reference
        assert not name or name in names_of_tests(path), reference


def test_every_configuration_shown_is_one() -> None:
    shown = [yaml.safe_load(body) for body in code_of(PAGE, "yaml")]
    assert shown
    for fragment in shown:
        whole = yaml.safe_dump(laid_over(LEAST, _complete(fragment)))
        parse_config(whole, file="assay.yaml")


def _complete(fragment: dict[str, Any]) -> dict[str, Any]:
    """A fragment may show a model's `delivery` alone."""
    targets = fragment.get("delivery", {}).get("targets")
    if isinstance(targets, list):
        places = {name: {"kind": "local", "port": 0} for name in targets}
        return {"models": {"churn": fragment}, "delivery": {"targets": places}}
    return fragment


def laid_over(below: Any, above: Any) -> Any:
    if not (isinstance(below, dict) and isinstance(above, dict)):
        return above
    return {
        key: laid_over(below.get(key), above[key]) if key in above else below[key]
        for key in {**below, **above}
    }
