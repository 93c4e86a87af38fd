"""docs/errors.md names every exit code there is, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from assay import errors
from assay.cli.edge import BROKEN_PIPE, INTERRUPTED
from assay.errors import AssayError, SeveralErrors

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
LAUNCHER = (ROOT / "toolkit" / "bin" / "assay").read_text(encoding="utf-8")
KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, AssayError) and kind is not SeveralErrors
]


def table() -> dict[int, str]:
    """Return what the page says of each code."""
    rows = re.findall(r"^\| (\d+) \| (.+?) \|", PAGE, re.MULTILINE)
    return {int(code): text for code, text in rows}


def test_every_code_is_explained_and_no_other() -> None:
    assert set(table()) == {0, INTERRUPTED, BROKEN_PIPE, *(kind.exit_code for kind in KINDS)}


def test_every_class_has_a_code_of_its_own() -> None:
    codes = [kind.exit_code for kind in KINDS]
    assert len(codes) == len(set(codes))


def test_each_explanation_has_the_words_of_its_title() -> None:
    for kind in KINDS:
        if kind is not AssayError:
            words = kind.title.removesuffix(" failed")
            assert words in table()[kind.exit_code] + ".", kind
    assert "defect" in table()[AssayError.exit_code]


def test_the_variables_of_the_launcher_are_named() -> None:
    for name in set(re.findall(r"ASSAY_[A-Z]+", LAUNCHER)):
        assert f"`{name}`" in PAGE, name
