"""The table of rooms in docs/architecture.md is the rule that import-linter enforces."""

from __future__ import annotations

import re
import tomllib

from contract.files import ROOT


def _documented() -> dict[str, set[str]]:
    rooms = {}
    for line in (ROOT / "docs/architecture.md").read_text().splitlines():
        match = re.fullmatch(r"\| `([a-z]+)` \| .* \| (.*) \|", line)
        if match and match[1] != "cli":
            listed = match[2].split(", ")
            rooms[match[1]] = set() if listed == ["no other room"] else set(listed)
    return rooms


def _enforced() -> dict[str, set[str]]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    contracts = [
        contract
        for contract in settings["tool"]["importlinter"]["contracts"]
        if " imports " in contract["name"] and "never" not in contract["name"]
    ]
    rooms = {contract["source_modules"][0].split(".")[1] for contract in contracts}
    return {
        contract["source_modules"][0].split(".")[1]: rooms
        - {module.split(".")[1] for module in contract["forbidden_modules"]}
        - {contract["source_modules"][0].split(".")[1]}
        for contract in contracts
    }


def test_every_room_is_documented_as_it_is_enforced() -> None:
    assert _documented() == _enforced()


def test_every_room_is_a_folder_or_a_module() -> None:
    found = {
        path.stem
        for path in (ROOT / "toolkit/assay").iterdir()
        if not path.name.startswith(("_", "py."))
    }
    assert found - {"cli"} == set(_enforced())
