"""A command of the tests' own, found by the real lazy loading."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType

import click
import pytest

from assay.cli import COMMANDS

Probe = Callable[[click.Command], None]


@pytest.fixture(autouse=True)
def _outside_github(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    monkeypatch.delenv("ASSAY_DEBUG", raising=False)


@pytest.fixture
def probe(monkeypatch: pytest.MonkeyPatch) -> Probe:
    """Register a command as ``assay probe``."""

    def register(command: click.Command) -> None:
        module = ModuleType("assay.cli.probe")
        module.probe = command  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "assay.cli.probe", module)
        monkeypatch.setitem(COMMANDS, "probe", "A command of the tests.")

    return register
