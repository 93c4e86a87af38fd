"""The comment with GitHub's own CSS: it fits, and nothing in it is broken Markdown."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.report.page import comment_html
from browser.conftest import Open
from support.situations import SITUATIONS, judged

pytestmark = pytest.mark.browser

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Comment</title>
<style>{css}</style><article class="markdown-body">{body}</article></html>"""


@pytest.mark.parametrize("width", [400, 1012])
@pytest.mark.parametrize("name", SITUATIONS)
def test_the_comment_under_githubs_css(
    opened: Open, tmp_path: Path, packages: Path, name: str, width: int
) -> None:
    evidence = judged(name, tmp_path / name)
    body = comment_html((evidence / "report.md").read_text(encoding="utf-8"))
    css = (packages / "github-markdown-css" / "github-markdown.css").read_text(encoding="utf-8")
    path = tmp_path / "comment.html"
    path.write_text(PAGE.format(css=css, body=body), encoding="utf-8")
    page = opened(path, width=width).page
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    text = page.locator("article").inner_text()
    assert not [mark for mark in ("**", "| :---", "```", "<details>") if mark in text]
    assert page.locator("table").count() >= 1
    first = page.locator("table").first.bounding_box()
    assert first is not None
    assert first["y"] < 450
