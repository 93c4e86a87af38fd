"""The published JSON Schema says the same as the loader, also of the short forms."""

from __future__ import annotations

import jsonschema
import pytest

from assay.cli.schema import config_schema
from assay.config import parse_config
from assay.config.document import parse_yaml
from assay.errors import AssayError
from support.malformed import CASES, NO_MARGIN, SMALL, YAML, gate

VALIDATOR = jsonschema.Draft202012Validator(config_schema())

BEYOND_JSON_SCHEMA = {
    "bins that descend",
    "direction of a known metric",
    "a margin that nothing exceeds",
    "name with a line end",  # a regular expression's $ stops before a last line end in Python
    "line end",
}

GOOD = [
    *("confidence: 0.9", "min_slice_rows: 1", "tests: null", "task: binary", "artifact: m/"),
    *("slices: [plan]", "slices: [{column: a, bins: [1, 2.5]}]", "slices: [a, {column: b}]"),
    *("data: null", "data: {}", "data: {schema: s.yaml, checks: {drift: off}, keys: [a]}"),
    *("data: {deepchecks: true}", "data: {deepchecks: false}", "data: {deepchecks: null}"),
    "data: {deepchecks: {suites: [data_integrity], checks: {DataDuplicates: off}}}",
    *("environment: auto", "environment: none", "environment: {uv: true, python: '3.12'}"),
    *("environment: {image: 'a/b:c@sha256:0'}", "environment: {uv: false, conda: e.yml}"),
    *("slices: [a, {column: b, bins: 4}, {cross: [a, b]}]", "slices: [{column: b, bins: [1]}]"),
    *("report: [f1, 'mean:loss']", "report: null", "paths: ['src/**', a..b]"),
    *("columns: {positive: true}", "columns: {positive: 1}", "columns: {scores: {a: b}}"),
    "scalars: {size: {file: m.json, key: a.b, tolerance: 0}}",
    "scalars: {size: {file: m.json, key: a, tolerance: null, relative_tolerance: 0.1}}",
    *("train: {seed: 0, timeout: 0.5, command: make}", "tracking: {enabled: false}"),
]
GATES = [
    *("margin: 1e-3", "relative_margin: 0.5", "must_improve: true"),
    *("margin: 0, must_improve: true", "margin: null, relative_margin: 0.1", "margin: 0.5"),
    *("relative_margin: 0.1, must_improve: false, inconclusive: block, slices: off",),
]


def accepted_by_schema(text: str) -> bool:
    return bool(VALIDATOR.is_valid(parse_yaml(text, file="assay.yaml").data))


@pytest.mark.parametrize(
    "text",
    [SMALL, *(f"{SMALL}    {line}\n" for line in GOOD), *map(gate, GATES)]
    + [SMALL.replace("accuracy", name) for name in ("'mean:x'", "r2", "f1_macro")]
    + [SMALL + "comment: {publisher: file, history: 0}\noverride: {label: ok}\ncheck_run: true\n"],
)
def test_both_accept(text: str) -> None:
    parse_config(text)
    assert accepted_by_schema(text)


@pytest.mark.parametrize("case", sorted(CASES.keys() - YAML.keys() - BEYOND_JSON_SCHEMA))
def test_both_refuse(case: str) -> None:
    assert not accepted_by_schema(CASES[case][0])


@pytest.mark.parametrize("value", NO_MARGIN)
def test_both_refuse_as_a_margin(value: str) -> None:
    assert not accepted_by_schema(gate(f"margin: {value}"))


@pytest.mark.parametrize("case", sorted(BEYOND_JSON_SCHEMA))
def test_the_loader_refuses_what_a_schema_cannot_say(case: str) -> None:
    with pytest.raises(AssayError):
        parse_config(CASES[case][0])


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(config_schema())
