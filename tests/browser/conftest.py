"""Debian's Chromium under Playwright, without a network, and the pages it opens."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Request, sync_playwright

from assay.act.tools import Toolbox

ROOT = Path(__file__).parents[2]
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


@dataclass
class Opened:
    """A page, and what it said and asked for."""

    page: Page
    said: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


Open = Callable[..., Opened]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("there is no Chromium on PATH (Debian's package is chromium)")
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield made
        made.close()


@pytest.fixture
def opened(browser: Browser) -> Iterator[Open]:
    """Open a file: ``opened(path, width=1280, scheme="light", script=True)``."""
    contexts = []

    def open_page(
        path: Path, *, width: int = 1280, scheme: str = "light", script: bool = True
    ) -> Opened:
        context = browser.new_context(
            viewport={"width": width, "height": 800},
            color_scheme=scheme,  # type: ignore[arg-type]
            java_script_enabled=script,
        )
        contexts.append(context)
        found = Opened(page=context.new_page())
        found.page.on("console", lambda message: found.said.append(message.text))
        found.page.on("pageerror", lambda error: found.said.append(str(error)))
        found.page.on("request", lambda request: _note(found, request, path))
        found.page.goto(path.as_uri())
        return found

    yield open_page
    for context in contexts:
        context.close()


def _note(found: Opened, request: Request, path: Path) -> None:
    if request.url != path.as_uri():
        found.requests.append(request.url)


@pytest.fixture(scope="session")
def packages() -> Path:
    """The locked npm packages of requirements/browser: axe, GitHub's CSS, and what is vendored."""
    return Toolbox.of(ROOT, os.environ, print).packages("browser", "the browser tests' packages")
