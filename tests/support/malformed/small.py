"""A small good ``assay.yaml``, and ways to spoil one place of it."""

from __future__ import annotations

SMALL = """version: 1
models:
  m:
    predictions: p.csv
    gates: {accuracy: {margin: 0.01}}
"""
GATE = "models.m.gates.accuracy"
ONE_OF_SIX = "give exactly one of requirements, uv, pyproject, conda, dockerfile and image."
A_PATH = "should be a relative path with forward slashes, without '..', not the text"
A_NAME = (
    "cannot be a model's name. Use lower-case letters, digits, '.', '_' and '-', at most 63, "
    "starting with a letter or digit."
)
TOP_KEYS = "Known here: check_run, comment, delivery, models, override, version."
A_MAPPING = "assay.yaml must be a mapping of keys to values; this one is"
TEN_LINES = "README.md shows the ten lines of a small one."
INDENT = "Check the indentation and the quotes at this place."


def gate(text: str) -> str:
    return SMALL.replace("margin: 0.01", text)


def predictions(text: str) -> str:
    return SMALL.replace("p.csv", text)


def named(text: str) -> str:
    return SMALL.replace("  m:", f"  {text}:")


def model(text: str) -> str:
    return f"{SMALL}    {text}\n"
