"""Whatever a string holds, it reaches the runner as text and never as a command."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from assay.errors import InputError, Location, SeveralErrors
from assay.github.commands import (
    Annotation,
    annotation_line,
    annotation_lines,
    annotations_of,
    log_line,
    mask_lines,
)

HOSTILE = st.text() | st.sampled_from(
    [
        "a\n::set-output name=x::y",
        "::error::x",
        "  ::add-mask::x",
        "##[error]x",
        "%0A::stop-commands::x",
        "\x1b[31mred\x1b[0m",
        "\x1b]8;;https://example.org\x07link\x1b]8;;\x07",
        "a\r::debug::b",
        "a\u2028::debug::b",
        "\u202eabc",
        "\ud800",
        "x" * 1_000_000,
    ]
)


def unescape(value: str) -> str:
    for code, character in (("%2C", ","), ("%3A", ":"), ("%0A", "\n"), ("%0D", "\r"), ("%25", "%")):
        value = value.replace(code, character)
    return value


@given(message=HOSTILE, title=HOSTILE, file=HOSTILE)
def test_an_annotation_is_one_line_with_its_own_fields(message: str, title: str, file: str) -> None:
    line = annotation_line(
        Annotation(level="error", message=message, title=title, file=file, line=3)
    )
    assert len(line.splitlines()) == 1
    assert "\x1b" not in line
    head, _, _ = line.removeprefix("::").partition("::")
    names = [part.partition("=")[0] for part in head.removeprefix("error ").split(",")]
    assert set(names) <= {"file", "line", "col", "title"}
    assert len(names) == len(set(names))
    line.encode()


def test_an_annotation_keeps_its_words() -> None:
    line = annotation_line(
        Annotation(level="warning", message="a: 50%, b\nc", title="t:u", file="d,e.csv", column=2)
    )
    assert line == "::warning file=d%2Ce.csv,col=2,title=t%3Au::a: 50%25, b%0Ac"
    assert unescape(line).endswith("a: 50%, b\nc")


@given(HOSTILE)
def test_a_log_line_is_no_command(text: str) -> None:
    line = log_line(text)
    assert len(line.split("\n")) == 1
    assert not line.lstrip().startswith("::")
    assert "##[" not in line


def test_more_than_ten_annotations_become_nine_and_a_count() -> None:
    found = [Annotation(level="error", message=str(i)) for i in range(25)]
    found += [Annotation(level="warning", message=str(i)) for i in range(10)]
    lines = annotation_lines(found)
    assert len([line for line in lines if line.startswith("::error")]) == 10
    assert "and 16 more" in lines[9]
    assert len([line for line in lines if line.startswith("::warning")]) == 10
    assert "more" not in lines[-1]


def test_each_cause_of_an_error_is_one_annotation() -> None:
    where = Location(file="assay.yaml", line=3, column=5)
    error = SeveralErrors(
        (InputError("a is wrong.", where=where, remedy="Write b."), InputError("c is wrong."))
    )
    first, second = annotations_of(error)
    assert (first.file, first.line, first.column) == ("assay.yaml", 3, 5)
    assert first.message == "a is wrong. Write b."
    assert second.file is None


def test_every_line_of_a_secret_is_masked() -> None:
    assert mask_lines("first%line\n\n{\n  second line\n") == [
        "::add-mask::first%25line",
        "::add-mask::second line",
    ]
