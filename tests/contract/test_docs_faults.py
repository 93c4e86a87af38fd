"""docs/faults.md: each promise names test files that are there and hold tests."""

from __future__ import annotations

import ast
import re

import pytest

from contract.files import ROOT

PAGE = (ROOT / "docs" / "faults.md").read_text(encoding="utf-8")
HEADER = ["fault", "promise", "test"]
FILE = re.compile(r"`([\w./-]+\.py)`")


def rows() -> list[list[str]]:
    """Return the cells of every row of every table, without headers and rules."""
    lines = [line for line in PAGE.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if row != HEADER and set("".join(row)) - set("-: ")]


def named() -> list[str]:
    """Return the paths of all named test files, relative to tests/."""
    found = {file for row in rows() for file in FILE.findall(row[-1])}
    return sorted(file if "/" in file else f"faults/{file}" for file in found)


def test_every_row_has_a_fault_a_promise_and_a_test_file() -> None:
    assert len(rows()) > 50
    for row in rows():
        assert len(row) == len(HEADER), row
        assert FILE.search(row[-1]), row


@pytest.mark.parametrize("file", named())
def test_the_named_file_holds_tests(file: str) -> None:
    tree = ast.parse((ROOT / "tests" / file).read_text(encoding="utf-8"))
    names = [each.name for each in ast.walk(tree) if isinstance(each, ast.FunctionDef)]
    assert any(name.startswith("test_") for name in names), f"no test in tests/{file}"
