"""Cuts a page of documentation into the blocks that claim something: paragraphs, items, rows."""

from __future__ import annotations

import ast
import re
from pathlib import Path

_FENCE = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
_STARTS = re.compile(r"^\s*(?:[-*] |\d+\. |\| )")
_RULE = re.compile(r"^\s*\|[\s:|-]+\|\s*$")


def blocks(text: str) -> list[str]:
    """Return a page's paragraphs, list items and table rows, each on one line; no code, no heads.

    The first row of a table says what its columns are, and claims nothing.
    """
    found: list[list[str]] = []
    fresh = True
    for line in _FENCE.sub("", text).splitlines():
        if not line.strip() or line.startswith("#"):
            fresh = True
        elif _RULE.match(line):
            found.pop()
        elif fresh or _STARTS.match(line):
            found.append([line.strip()])
            fresh = False
        else:
            found[-1].append(line.strip())
    return [" ".join(each) for each in found]


def names_of_tests(path: Path) -> set[str]:
    """Return the names of the test functions of a file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }
