"""Markdown's few structures, from parts that are already escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(
    header: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[int] = ()
) -> str:
    """Return a table; ``right`` names the columns of numbers. No rows: an empty string.

    Raises ValueError where a row has another width than the header (a defect of ours).
    """
    lines = ["| " + " | ".join(row) + " |" for row in _checked(header, rows)]
    if not lines:
        return ""
    rule = "|".join(" ---: " if index in right else " :--- " for index in range(len(header)))
    return "\n".join(["| " + " | ".join(header) + " |", f"|{rule}|", *lines])


def _checked(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterable[Sequence[str]]:
    for row in rows:
        if len(row) != len(header):
            raise ValueError(f"a row of {len(row)} cells under {len(header)} headers")
        yield row


def bullets(items: Iterable[str]) -> str:
    """Return a list, one item a line."""
    return "\n".join(f"- {item}" for item in items)


def details(summary: str, body: str) -> str:
    """Return ``body`` folded under ``summary``, which is escaped HTML."""
    return f"<details>\n<summary>{summary}</summary>\n\n{body}\n\n</details>"


def paragraphs(*parts: str) -> str:
    """Join the parts that say something by blank lines."""
    return "\n\n".join(part for part in parts if part)


def and_more(shown: int, total: int, where: str) -> str:
    """Return a line that counts what a shortened list leaves out, or nothing."""
    return f"And {total - shown:,} more in {where}." if total > shown else ""
