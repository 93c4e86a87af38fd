"""Read ``assay.yaml``: text in, a frozen ``Config`` or errors with places out."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from assay.config.document import YamlDocument, parse_yaml
from assay.config.metrics import METRICS
from assay.config.model import MODEL_NAME_RULE, Config, Model
from assay.errors import AssayError, InputError, Location, SeveralErrors

T = TypeVar("T", bound=BaseModel)
CONFIG_NAME = "assay.yaml"
_MOST_ERRORS = 20


def load_config(path: Path, *, shown_as: str | None = None) -> Config:
    """Read and validate the configuration file at ``path``.

    Raises InputError, or SeveralErrors of them, each with file, line and column.
    """
    file = shown_as or path.as_posix()
    if path.is_dir():
        raise InputError("this is a folder, not a file.", where=Location(file=file))
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(
            "there is no such file.",
            where=Location(file=file),
            remedy=f"Write one (README.md shows the ten lines of a small {CONFIG_NAME}), "
            "or name it with --config.",
        ) from None
    except UnicodeDecodeError as error:
        raise InputError(
            f"the file is not UTF-8 (byte {error.start}).",
            where=Location(file=file),
            remedy="Save it as UTF-8.",
        ) from None
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}.", where=Location(file=file)) from None
    return parse_config(text, file=file)


def parse_config(text: str, *, file: str = CONFIG_NAME) -> Config:
    """Validate the text of a configuration; ``file`` is the name shown in messages."""
    document = parse_yaml(text, file=file)
    return validate(Config, document, what=CONFIG_NAME)


def validate(kind: type[T], document: YamlDocument, *, what: str) -> T:
    """Return ``document`` as ``kind``, or raise every problem at its place."""
    if not isinstance(document.data, dict):
        raise InputError(
            f"{what} must be a mapping of keys to values, not {_kind(document.data)}.",
            where=Location(file=document.file, line=1, column=1),
        )
    try:
        return kind.model_validate(document.data)
    except ValidationError as error:
        causes = tuple(
            _explain(kind, document, details)
            for details in error.errors()[:_MOST_ERRORS]
            if not _other_branch(details)
        )
        unique = tuple({str(cause): cause for cause in causes}.values())
        if len(unique) == 1:
            raise unique[0] from None
        raise SeveralErrors(unique) from None


def _other_branch(details: ErrorDetails) -> bool:
    """A mapping refused by the words-only branch of a union: its own branch says why."""
    return details["type"] == "literal_error" and isinstance(details["input"], dict)


def _explain(kind: type[BaseModel], document: YamlDocument, details: ErrorDetails) -> AssayError:
    path = _clean(details["loc"], document)
    name = ".".join(str(part) for part in path)
    problem = details["type"]
    if problem == "extra_forbidden":
        return InputError(
            f"unknown key {name!r}.",
            where=document.locate(path, key=True),
            remedy=_did_you_mean(str(path[-1]), _keys_at(kind, path[:-1])),
        )
    if problem == "missing":
        parent = ".".join(str(part) for part in path[:-1]) or "the file"
        return InputError(
            f"the key {str(path[-1])!r} is missing in {parent}.",
            where=document.locate(path[:-1], key=True),
            remedy=_describe(kind, path),
        )
    if problem == "string_pattern_mismatch" and len(path) >= 2 and path[-2] == "models":
        return InputError(
            f"{str(path[-1])!r} cannot be a model's name.",
            where=document.locate(path, key=True),
            remedy=f"Use {MODEL_NAME_RULE}.",
        )
    message = details["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    if message.startswith("unknown metric"):
        return InputError(
            f"{message}.",
            where=document.locate(path, key=True),
            remedy=_did_you_mean(str(path[-1]), list(METRICS))
            + " A per-row score column is mean:COLUMN.",
        )
    if problem == "value_error":
        return InputError(f"{name or 'the file'}: {message}.", where=document.locate(path))
    return InputError(
        f"{name} should be {message[:1].lower()}{message[1:]}, not {_kind(details['input'])}.",
        where=document.locate(path),
    )


def _clean(loc: tuple[int | str, ...], document: YamlDocument) -> tuple[int | str, ...]:
    """Drop what pydantic adds to a path: ``[key]`` and the names of a union's branches."""
    path: tuple[int | str, ...] = ()
    data: Any = document.data
    for index, part in enumerate(loc):
        last = index == len(loc) - 1
        if part == "[key]":
            continue
        if isinstance(data, dict) and isinstance(part, str) and (part in data or last):
            path, data = (*path, part), data.get(part)
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            path, data = (*path, part), data[part]
    return path


def _keys_at(kind: type[BaseModel], path: tuple[int | str, ...]) -> list[str]:
    schema = kind.model_json_schema()
    node: dict[str, Any] = schema
    for part in path:
        node = _child(schema, node, part)
    options = _resolved(schema, node)
    return sorted({key for option in options for key in option.get("properties", {})})


def _child(schema: dict[str, Any], node: dict[str, Any], part: int | str) -> dict[str, Any]:
    for option in _resolved(schema, node):
        if isinstance(part, int) and "items" in option:
            items: dict[str, Any] = option["items"]
            return items
        found = option.get("properties", {}).get(part) or option.get("additionalProperties")
        if not isinstance(found, dict):
            found = next(iter(option.get("patternProperties", {}).values()), None)
        if isinstance(found, dict):
            return found
    return {}


def _resolved(schema: dict[str, Any], node: dict[str, Any]) -> list[dict[str, Any]]:
    if "$ref" in node:
        name = node["$ref"].rsplit("/", 1)[-1]
        return _resolved(schema, schema["$defs"][name])
    if "anyOf" in node:
        return [found for option in node["anyOf"] for found in _resolved(schema, option)]
    return [node]


def _describe(kind: type[BaseModel], path: tuple[int | str, ...]) -> str | None:
    schema = kind.model_json_schema()
    node: dict[str, Any] = schema
    for part in path:
        node = _child(schema, node, part)
    description = node.get("description")
    return str(description) if description else None


def _did_you_mean(word: str, known: list[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    if close:
        return f"Did you mean {close[0]!r}?"
    return f"Known here: {', '.join(known)}." if known else "Remove it."


def _kind(value: object) -> str:
    match value:
        case None:
            return "nothing"
        case dict():
            return "a mapping"
        case list() | tuple():
            return "a list"
        case str():
            return f"the text {value[:60]!r}"
        case _:
            return str(value)[:60]


def model_named(config: Config, name: str) -> Model:
    """Return the model ``name`` of ``config``; raises InputError where it has none."""
    try:
        return config.models[name]
    except KeyError:
        raise InputError(
            f"{CONFIG_NAME} has no model {name[:80]!r}.",
            remedy=_did_you_mean(name, sorted(config.models)),
        ) from None
