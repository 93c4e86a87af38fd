"""Committed files that are derived from the toolkit are what it derives today."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from assay.cli import COMMANDS
from contract import generate
from contract.pages import command_named


@pytest.mark.parametrize("path", generate.generated(), ids=str)
def test_the_committed_file_is_the_generated_one(path: Path) -> None:
    committed = (generate.ROOT / path).read_text(encoding="utf-8")
    assert committed == generate.generated()[path], "run `make generate` and commit the result"


@pytest.mark.parametrize("name", generate.ACTIONS)
def test_an_action_declares_only_what_its_command_reads_and_writes(name: str) -> None:
    action = yaml.safe_load((generate.ROOT / "actions" / name / "action.yml").read_text())
    declared = set(action["inputs"])
    command, operation = generate.RUNS.get(name, (name, ""))
    known = {item.name for item in generate.inputs_of(command)}
    assert declared == known - ({"operation"} if operation else set())
    assert set(action.get("outputs", {})) == set(generate.OUTPUTS.get(command, {}))


def test_an_input_of_one_name_travels_in_one_variable_in_every_action() -> None:
    variables: dict[str, set[str]] = {}
    for name in generate.ROOT_COMMANDS:
        for item in generate.inputs_of(name):
            variables.setdefault(item.name, set()).add(item.variable)
    assert {name: found for name, found in variables.items() if len(found) > 1} == {}


def test_every_input_has_a_description() -> None:
    for name in generate.ROOT_COMMANDS:
        for item in generate.inputs_of(name):
            assert item.description.endswith((".", "]")), (name, item.name)


def test_every_command_has_the_help_that_the_list_of_commands_promises() -> None:
    for name in COMMANDS:
        help_text = command_named(name).help
        assert help_text, name
