"""Outside strings in Markdown: one function for each place a string can stand in.

Titles, branch, model, metric, column, category and class names, row ids, test names and
messages come from strangers. GitHub renders Markdown first and then looks for mentions, issue
numbers, commit ids, emoji and addresses in the text, so a backslash does not stop those; a
zero-width space inside the pattern does. Code spans are never searched.
"""

from __future__ import annotations

import html
import re
import unicodedata

LONGEST = 200
_BREAK = "\u200b"
_LINKS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"@",
        r"#",
        r"\bGH-(?=\d)",
        r"\bGHSA-",
        r":(?=//)",
        r"(?:mailto|xmpp):",
        r"www(?=\.)",
        r":(?=[a-z0-9_+-]+:)",
        r"[0-9a-f]{6}(?=[0-9a-f])",
    )
)
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_KEPT_FORMATS = "\u200c\u200d"
"""Joiners that Persian, Indic scripts and emoji need; other format characters are taken out."""
_MARKS = re.compile(
    r"((?:[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]){3})"
    r"[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]+"
)
_DEFUSED = (("${{", "$ {{"), ("<!--", "<! --"), ("![](", "! []("))
"""Expressions, and what marks our own comments and their history, stand nowhere verbatim."""


def clean(value: str, *, most: int = LONGEST) -> str:
    """Return ``value`` on one line, without control characters, cut with a count.

    ANSI sequences, bidirectional and other invisible format characters go; stacked combining
    marks are limited to three; longer text ends in the number of characters left out.
    """
    return _clean(value, most=most, one_space=True)


def _clean(value: str, *, most: int, one_space: bool) -> str:
    left = len(value) - most
    kept = _ANSI.sub("", value[: most * 4])
    kept = "".join(character for character in kept if _visible(character))
    words = kept.split() if one_space else kept.replace("\t", "    ").split(" ")
    kept = _MARKS.sub(r"\1", " ".join(words))
    for pattern, harmless in _DEFUSED:
        kept = kept.replace(pattern, harmless)
    if len(kept) <= most and left <= most * 3:
        return kept
    shown = kept[:most].rstrip()
    return f"{shown}… ({len(value) - len(shown):,} more characters)"


def _visible(character: str) -> bool:
    if character in _KEPT_FORMATS or character.isspace():
        return True
    return unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Cn", "Co"}


def text(value: str, *, most: int = LONGEST) -> str:
    """Escape for running text, a list item or a table cell; also good at a line's start."""
    return _escape(clean(value, most=most)) or "(empty)"


def _escape(plain: str) -> str:
    escaped = re.sub(r"[\\`*_\[\]<>|~#!]", r"\\\g<0>", _broken(plain).replace("&", "&amp;"))
    escaped = re.sub(r"^(\d+)([.)])", r"\1\\\2", escaped)
    escaped = re.sub(r"^[-+=:/]", r"\\\g<0>", escaped)
    return escaped.replace("$", "&#36;").replace(_BREAK, "&#8203;")


def _broken(plain: str) -> str:
    """Put a zero-width space into what GitHub would turn into a link, a mention or an emoji."""
    for pattern in _LINKS:
        plain = pattern.sub(rf"\g<0>{_BREAK}", plain)
    return plain


def code(value: str, *, most: int = LONGEST) -> str:
    """Return a code span for running text; ``cell_code`` is the one for table cells."""
    plain = clean(value, most=most)
    if not plain:
        return "(empty)"
    longest = max((len(run) for run in re.findall(r"`+", plain)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if plain.startswith("`") or plain.endswith("`") else ""
    return f"{fence}{pad}{plain}{pad}{fence}"


def cell_code(value: str, *, most: int = LONGEST) -> str:
    """Return a code span for a table cell, where a pipe would end the cell even inside code."""
    return code(value, most=most).replace("|", "\\|")


def block(value: str, *, language: str = "text", most_lines: int = 30, most: int = 300) -> str:
    """Return a fenced code block of foreign lines, each cut, the middle left out with a count."""
    lines = value[: most_lines * most * 20].splitlines() or [""]
    if len(lines) > most_lines:
        first, last = most_lines * 2 // 3, most_lines // 3
        gap = f"… ({len(lines) - first - last:,} more lines)"
        lines = [*lines[:first], gap, *lines[-last:]]
    body = "\n".join(_clean(line, most=most, one_space=False).rstrip() for line in lines)
    longest = max((len(run) for run in re.findall(r"`+", body)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{body}\n{fence}"


def html_text(value: str, *, most: int = LONGEST) -> str:
    """Escape for text inside an HTML element such as ``<summary>``, where no Markdown is read."""
    escaped = html.escape(_broken(clean(value, most=most)))
    return escaped.replace("$", "&#36;").replace(_BREAK, "&#8203;")
