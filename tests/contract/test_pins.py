"""Every reference to an action is a full commit SHA with its version beside it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from assay import __version__
from contract.files import ACTIONS, CALLERS, OURS, ROOT, SLUG, uses

REFERENCE = re.compile(r"^\s*-?\s*uses: (?P<name>[^@\s]+)@(?P<ref>\S+)(?P<rest>.*)$", re.MULTILINE)
FILES = [*OURS, *CALLERS, *ACTIONS]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_reference_is_a_full_sha_with_its_version(path: Path) -> None:
    for match in REFERENCE.finditer(path.read_text(encoding="utf-8")):
        assert re.fullmatch(r"[0-9a-f]{40}", match["ref"]), match[0].strip()
        assert re.fullmatch(r" # v\d+\.\d+\.\d+", match["rest"]), match[0].strip()


def test_one_action_has_one_pin_everywhere() -> None:
    pins: dict[str, set[str]] = {}
    for path in FILES:
        for match in REFERENCE.finditer(path.read_text(encoding="utf-8")):
            name = match["name"]
            key = SLUG if name.startswith(SLUG) else "/".join(name.split("/")[:2])
            pins.setdefault(key, set()).add(match["ref"] + match["rest"])
    assert {name: refs for name, refs in pins.items() if len(refs) > 1} == {}


def test_self_references_carry_the_version_of_the_toolkit() -> None:
    for path in FILES:
        for match in REFERENCE.finditer(path.read_text(encoding="utf-8")):
            if match["name"].startswith(SLUG):
                assert match["rest"] == f" # v{__version__}"


def test_self_references_name_files_that_exist() -> None:
    for path in FILES:
        for reference in uses(path):
            if not reference.startswith(SLUG):
                continue
            inside = reference.split("@")[0].removeprefix(SLUG).lstrip("/")
            target = ROOT / inside
            assert target.is_file() or (target / "action.yml").is_file(), reference


@pytest.mark.parametrize("path", ACTIONS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_composite_action_uses_no_other_action(path: Path) -> None:
    assert uses(path) == []
