"""A comment's Markdown as a self-contained HTML page that looks as GitHub would show it."""

from __future__ import annotations

import html
import re
from importlib.resources import files
from typing import Literal

from markdown_it import MarkdownIt

from assay.report.sanitize import sanitize

Theme = Literal["auto", "light", "dark"]
_TASK = re.compile(r"<li>\s*(<p>)?\[([ xX])\] ")
_PAGE = """<!doctype html>
<html lang="en" data-theme="{theme}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
{style}
</style>
</head>
<body>
<main class="comment">
<header><strong>{author}</strong> commented</header>
<article class="markdown-body">
{body}
</article>
</main>
</body>
</html>
"""


def comment_html(markdown: str) -> str:
    """Return the HTML of a comment's Markdown, sanitized as GitHub would."""
    renderer = MarkdownIt("commonmark", {"html": True, "breaks": False})
    rendered = renderer.enable(["table", "strikethrough"]).render(markdown)
    return sanitize(_TASK.sub(_checkbox, rendered))


def _checkbox(match: re.Match[str]) -> str:
    checked = "" if match[2] == " " else " checked"
    opened = match[1] or ""
    return f'<li class="task-list-item">{opened}<input type="checkbox" disabled{checked}> '


def comment_page(
    markdown: str,
    *,
    title: str = "Preview",
    author: str = "github-actions[bot]",
    theme: Theme = "auto",
) -> str:
    """Return a whole page; it loads nothing and runs no script."""
    style = files("assay.report").joinpath("page.css").read_text(encoding="utf-8")
    return _PAGE.format(
        theme=theme,
        title=html.escape(title),
        author=html.escape(author),
        style=style,
        body=comment_html(markdown),
    )
