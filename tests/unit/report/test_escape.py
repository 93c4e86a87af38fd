"""No outside string makes markup: rendered as GitHub would, it is text and nothing else."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it.token import Token

from assay.report.escape import block, cell_code, clean, code, html_text, text
from assay.report.table import bullets, details, table
from support.comments import MARKDOWN

NASTY = [
    "a|b",
    "a\\|b",
    "\\",
    "`",
    "``x`",
    "``` ```",
    "[x](https://evil.example)",
    "![x](https://evil.example/x.png)",
    '![](https://cml.dev/watermark.png#ab "CML watermark assay")',
    "<script>alert(1)</script>",
    "<!-- assay-history:1 [] -->",
    "<img src=x onerror=alert(1)>",
    "&lt;b&gt; &#64;octo &#35;12",
    "@octo/team and @octo",
    "fixes #123, octo/churn#1, GH-1",
    "deadbeef1234567",
    "https://evil.example www.evil.example mailto:a@b.example",
    ":tada:",
    "${{ secrets.TOKEN }}",
    "$x^2$ $$y$$",
    "a\n\n# b\n- c\n\n```\nd\n```",
    "1. x",
    "1) x",
    "- x",
    "+ x",
    "# x",
    "> x",
    "===",
    "| a |\n|---|",
    "/merge",
    "\x1b[31mred\x1b[0m",
    "\x1b]8;;https://evil.example\x07x\x1b]8;;\x07",
    "\u202etxt.exe\u2066",
    "a\u0301\u0301\u0301\u0301\u0301\u0301",
    "\x00\x07\ud800",
    "</summary></details><h1>x",
    "*a* _b_ ~~c~~ **d**",
    "[ ] x",
    "[^1]: x",
    "    indented",
    "http://a.example/b?c=d&e=f",
]
PIECES = [*NASTY, "|", "`", "\\", "@", "#", "<", ">", "&", "[", "]", "(", ")", "!", "*", "_", "~"]
STRINGS = (
    st.sampled_from(NASTY)
    | st.text(max_size=60)
    | st.lists(st.sampled_from(PIECES) | st.text(max_size=5), max_size=8).map("".join)
)
LINKED = re.compile(
    r"(?<![\w/])@[a-z0-9]|#\w|\bGH-\d|\w://|\bwww\.|(?:mailto|xmpp):\w|:[a-z0-9_+-]+:"
    r"|(?<![0-9a-f])[0-9a-f]{7,40}(?![0-9a-f])",
    re.IGNORECASE,
)


def inline(tokens: list[Token]) -> list[Token]:
    return [child for token in tokens for child in token.children or ()]


@given(STRINGS)
def test_text_is_one_paragraph_of_nothing_but_text(value: str) -> None:
    tokens = MARKDOWN.parse(f"{text(value)}\n\nafter")
    kinds = [token.type for token in tokens]
    assert kinds[-3:] == ["paragraph_open", "inline", "paragraph_close"]
    assert set(kinds) <= {"paragraph_open", "inline", "paragraph_close"}
    assert {token.type for token in inline(tokens)} <= {"text", "text_special"}
    shown = "".join(token.content for token in inline(tokens[:3]))
    assert not LINKED.search(shown)
    assert "$" not in text(value)


@given(STRINGS)
def test_text_keeps_what_can_be_read(value: str) -> None:
    tokens = inline(MARKDOWN.parse(f"x{text(value)}x"))
    shown = "".join(token.content for token in tokens).replace("\u200b", "")
    assert shown == f"x{clean(value) or '(empty)'}x"


@given(STRINGS)
def test_code_is_one_code_span(value: str) -> None:
    tokens = inline(MARKDOWN.parse(f"a {code(value)} b"))
    if not clean(value):
        assert [token.type for token in tokens] == ["text"]
        return
    assert [token.type for token in tokens] == ["text", "code_inline", "text"]
    assert tokens[1].content.strip() == clean(value)


@pytest.mark.parametrize("escape", [text, cell_code])
@given(value=STRINGS)
def test_a_cell_stays_a_cell(escape: Callable[[str], str], value: str) -> None:
    cell = escape(value)
    tokens = MARKDOWN.parse(table(("a", "b", "c"), [(cell, cell, cell), ("x", cell, "y")]))
    kinds = [token.type for token in tokens]
    assert kinds.count("td_open") == 6
    assert kinds.count("tr_open") == 3
    assert kinds[0] == "table_open"
    assert kinds[-1] == "table_close"
    assert {token.type for token in inline(tokens)} <= {"text", "text_special", "code_inline"}


@given(STRINGS)
def test_a_cell_of_code_shows_the_value(value: str) -> None:
    tokens = MARKDOWN.parse(table(("a",), [(cell_code(value),)]))
    found = [token.content for token in inline(tokens) if token.type == "code_inline"]
    if clean(value):
        assert [content.strip() for content in found] == [clean(value)]


@given(STRINGS, STRINGS)
def test_a_list_item_stays_an_item(first: str, second: str) -> None:
    tokens = MARKDOWN.parse(bullets([text(first), text(second)]))
    kinds = [token.type for token in tokens]
    assert kinds.count("list_item_open") == 2
    assert kinds.count("bullet_list_open") == 1
    assert "heading_open" not in kinds
    assert "ordered_list_open" not in kinds


@given(st.lists(STRINGS, max_size=4).map("\n".join))
def test_a_block_is_one_block(value: str) -> None:
    tokens = MARKDOWN.parse(f"{block(value)}\n\nafter")
    assert [token.type for token in tokens][:2] == ["fence", "paragraph_open"]
    assert tokens[0].info == "text"


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, _: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_comment(self, _: str) -> None:
        self.tags.append("!--")


@given(STRINGS)
def test_html_contexts_hold_no_tags(value: str) -> None:
    parser = Tags()
    parser.feed(details(html_text(value), "body"))
    parser.close()
    assert parser.tags == ["details", "summary"]
    assert not LINKED.search(html.unescape(html_text(value)))


@given(STRINGS)
def test_what_marks_our_comments_appears_nowhere(value: str) -> None:
    for escape in (text, code, cell_code, html_text, block):
        escaped = escape(value)
        assert "<!--" not in escaped
        assert "${{" not in escaped
        assert "![](" not in escaped
        assert "\x1b" not in escaped
        escaped.encode()


@pytest.mark.parametrize("escape", [text, code, cell_code, html_text, block])
def test_a_megabyte_is_cut_with_a_count(escape: Callable[[str], str]) -> None:
    escaped = escape("x" * 1_000_000)
    assert len(escaped) < 1000
    assert "more characters" in escaped


def test_a_long_block_keeps_its_ends() -> None:
    shown = block("\n".join(str(line) for line in range(1000)))
    assert shown.startswith("```text\n0\n")
    assert shown.endswith("\n999\n```")
    assert "(970 more lines)" in shown


def test_bidirectional_and_stacked_marks_go() -> None:
    assert clean("\u202eabc\u2066") == "abc"
    assert clean("a" + "\u0301" * 40) == "a" + "\u0301" * 3
    assert clean("می\u200cخواهم") == "می\u200cخواهم"
