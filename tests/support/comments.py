"""A comment as GitHub reads it: its Markdown, its tables, its numbers."""

from __future__ import annotations

from collections.abc import Iterator

from markdown_it import MarkdownIt

MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def tables(markdown: str) -> Iterator[tuple[list[str], list[list[str]]]]:
    """Each table's header and rows, as shown."""
    rows: list[list[str]] = []
    in_table = False
    for token in MARKDOWN.parse(markdown):
        match token.type:
            case "table_open":
                rows, in_table = [], True
            case "table_close":
                in_table = False
                yield rows[0], rows[1:]
            case "tr_open":
                rows.append([])
            case "inline" if in_table:
                rows[-1].append("".join(child.content for child in token.children or ()))


def shows(printed: str, wanted: float) -> bool:
    """Whether a printed number is ``wanted``, rounded to the places it is printed with."""
    places = len(printed.partition(".")[2])
    return abs(float(printed.replace("−", "-").replace(",", "")) - wanted) <= 0.51 * 10**-places
