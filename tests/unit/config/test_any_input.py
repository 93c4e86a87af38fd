"""Whatever bytes a configuration holds, the answer is a Config or an error with a place."""

from __future__ import annotations

import json

from hypothesis import example, given, settings
from hypothesis import strategies as st

from assay.config import Config, parse_config
from assay.config.document import parse_yaml
from assay.errors import AssayError

SMALL = """version: 1
models:
  m:
    predictions: p.csv
    gates: {accuracy: {margin: 0.01}}
    environment: {uv: true}
    slices: [plan, {column: age, bins: [18, 40]}]
    data: {deepchecks: true, rules: [{name: a, expression: "b > 1"}]}
"""
YAML_WORDS = (
    *("\n", "\n  ", "\n    ", "- ", "? ", ": ", "{", "}", "[", "]", ",", '"', "'", "\t", "\r", "#"),
    *("&a ", "*a", "!!int ", "! ", "|\n", ">-\n", "%YAML 1.1\n", "---\n", "...\n", "\\x", "\\U"),
    *("<<", "=", ".nan", "0x1f", "0o7", "1_000", "1:30", "~", "\u2028", "\x85", "\x00"),
)
WORDS = st.sampled_from([*SMALL.split(), *YAML_WORDS])


def outcome(content: str | bytes) -> Config | AssayError:
    try:
        return parse_config(content)
    except AssayError as error:
        causes = getattr(error, "causes", (error,))
        for cause in causes:
            assert cause.exit_code == 2
            assert cause.where is not None
            assert cause.where.file == "assay.yaml"
            text = str(cause)
            assert "Error" not in text.replace("::error", ""), text
            assert "pydantic" not in text
            assert "function-" not in text
            assert "\n" not in text, text
        return error


@settings(max_examples=100, deadline=None)
@given(st.binary() | st.text())
@example(b"\xff\xfe")
@example("\x85: \x85")
def test_arbitrary_content(content: str | bytes) -> None:
    outcome(content)


@settings(max_examples=100, deadline=None)
@given(st.lists(WORDS, max_size=30).map("".join))
def test_arbitrary_yaml(content: str) -> None:
    outcome(content)


@settings(max_examples=100, deadline=None)
@given(place=st.integers(0, len(SMALL)), cut=st.integers(0, 12), word=WORDS)
def test_a_good_configuration_with_one_edit(place: int, cut: int, word: str) -> None:
    outcome(SMALL[:place] + word + SMALL[place + cut :])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@settings(max_examples=100, deadline=None)
@given(
    key=st.sampled_from(["environment", "slices", "data", "gates", "columns", "tests", "report"]),
    value=JSON,
)
def test_any_value_at_any_key(key: str, value: object) -> None:
    small = SMALL.splitlines(keepends=True)
    lines = [line for line in small if not line.startswith(f"    {key}:")]
    outcome("".join(lines) + f"    {key}: {json.dumps(value)}\n")


@settings(max_examples=100, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**62), 2**62) | st.text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
        max_leaves=12,
    )
)
def test_json_is_read_as_json(value: object) -> None:
    assert parse_yaml(json.dumps({"a": value}), file="a.json").data == {"a": value}
