"""What is vendored is byte for byte what npm has under that version."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from browser.conftest import ROOT

pytestmark = pytest.mark.browser

ASSETS = ROOT / "toolkit/assay/report/web/assets"
FILES = {
    "d3.min.js": "d3/dist/d3.min.js",
    "LICENSE.d3": "d3/LICENSE",
    "plot.umd.min.js": "@observablehq/plot/dist/plot.umd.min.js",
    "LICENSE.plot": "@observablehq/plot/LICENSE",
}


@pytest.mark.parametrize("name", FILES)
def test_a_vendored_file_is_the_packages(packages: Path, name: str) -> None:
    assert (ASSETS / name).read_bytes() == (packages / FILES[name]).read_bytes()


def test_the_lock_names_no_host() -> None:
    lock = json.loads((ROOT / "requirements/browser/package-lock.json").read_text())
    assert not [name for name, package in lock["packages"].items() if "resolved" in package]
