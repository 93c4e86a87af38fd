"""The preview shows the comment, runs nothing and loads nothing."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from assay.cli.preview import preview
from assay.errors import InputError
from assay.report.markdown import render
from assay.report.page import comment_html, comment_page
from assay.report.sanitize import ALLOWED, sanitize
from support.reviewed import SITUATIONS, failing

NASTY = [
    "<script>alert(1)</script>",
    "<img src=https://evil.example/x.png onerror=alert(1)>",
    "<a href='javascript:alert(1)'>x</a>",
    "<a href=' jAvascript:alert(1)'>x</a>",
    "<details open ontoggle=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<style>*{display:none}</style>",
    "<iframe src=https://evil.example>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "<td style='background:url(https://evil.example)'>",
    "<form action=https://evil.example><input type=submit>",
    "</main></body>",
    "<!--><img src=x onerror=alert(1)>-->",
    "[x](javascript:alert(1))",
    "![x](https://evil.example/x.png)",
    "<b",
    "<<b>",
    "</",
    "<a/href=x>",
]


class Seen(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in ALLOWED
        for name, value in attrs:
            assert name in ALLOWED[tag]
            assert name not in {"src"}
            if name == "href":
                assert (value or "").strip().lower().startswith(("http", "mailto:", "#"))
            if name == "style":
                assert "url" not in (value or "")
        if tag not in {"br", "hr", "img", "input"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_comment(self, _: str) -> None:
        raise AssertionError("a comment was left")


@given(st.lists(st.sampled_from(NASTY) | st.text(max_size=10), max_size=6).map("\n".join))
def test_only_allowed_elements_are_left_and_all_are_closed(markup: str) -> None:
    for cleaned in (sanitize(markup), comment_html(markup)):
        seen = Seen()
        seen.feed(cleaned)
        seen.close()
        assert seen.open == []


@pytest.mark.parametrize("name", SITUATIONS)
def test_a_comment_renders_whole(name: str) -> None:
    page = comment_html(render(SITUATIONS[name]()))
    assert page.count("<details>") == page.count("</details>") >= 2
    assert "<h3>Assay: " in page
    assert "| ---" not in page
    assert "assay-history" not in page


def test_the_page_forbids_loading_and_scripts() -> None:
    page = comment_page("# x", title="<b>", theme="dark")
    assert "default-src 'none'" in page
    assert "<script" not in page
    assert "<title>&lt;b&gt;</title>" in page
    assert 'data-theme="dark"' in page


def test_task_lists_have_boxes() -> None:
    assert comment_html("- [x] done\n- [ ] open").count('type="checkbox"') == 2


def test_the_command_writes_the_page_beside_the_report(tmp_path: Path) -> None:
    report = tmp_path / "report.md"
    report.write_text(render(failing()), encoding="utf-8")
    result = CliRunner().invoke(preview, [str(report), "--no-open"], catch_exceptions=False)
    assert result.exit_code == 0
    assert result.output.strip() == str(tmp_path / "report-preview.html")
    assert "Assay: fail" in (tmp_path / "report-preview.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_an_unreadable_report_is_an_input_error(tmp_path: Path, content: bytes | None) -> None:
    report = tmp_path / "report.md"
    if content is not None:
        report.write_bytes(content)
    with pytest.raises(InputError):
        CliRunner().invoke(preview, [str(report), "--no-open"], catch_exceptions=False)
