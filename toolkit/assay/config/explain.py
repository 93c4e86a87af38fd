"""Say what is wrong with a document in its own terms: the place, the key, what belongs there."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import islice
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from assay.config.document import Path, YamlDocument
from assay.config.families import FAMILIES
from assay.config.metrics import METRICS
from assay.config.types import MODEL_NAME_RULE
from assay.errors import InputError

_PLAIN_PART = re.compile(r"[A-Za-z0-9_.:-]{1,64}", re.ASCII)
_MOST_SHOWN = 60
_MOST_LOOKED_AT = 1000


def explain(
    kind: type[BaseModel], document: YamlDocument, problems: Iterable[ErrorDetails]
) -> list[InputError]:
    """Return one error for each mistake, in the order in which they stand in the file.

    ``problems`` are pydantic's. Several of them can come from one mistake: each branch of a
    union complains, and a misspelt key is both unknown and missing.
    """
    schema = _schema(kind)
    found: dict[tuple[Path, str], ErrorDetails] = {}
    for details in islice(problems, _MOST_LOOKED_AT):
        path = _clean(details["loc"], document)
        sort = details["type"] if details["type"] in ("extra_forbidden", "missing") else "wrong"
        found.setdefault((path, sort), details)
    misspelt = {
        (*path[:-1], meant)
        for path, sort in found
        if sort == "extra_forbidden" and (meant := _close(path[-1], schema.keys(path[:-1])))
    }
    deeper = {path[:end] for path, _ in found for end in range(len(path))}
    causes = [
        _explain(schema, document, path, details)
        for (path, sort), details in found.items()
        if not (sort == "missing" and path in misspelt)
        and not (sort == "wrong" and path in deeper and details["type"] != "value_error")
    ]
    return sorted(causes, key=_order)


def _order(error: InputError) -> tuple[int, int]:
    where = error.where
    return (where.line or 0, where.column or 0) if where else (0, 0)


def _explain(
    schema: _Schema, document: YamlDocument, path: Path, details: ErrorDetails
) -> InputError:
    name = dotted(path)
    match details["type"]:
        case "extra_forbidden":
            return InputError(
                f"unknown key {name if chr(39) in name else repr(name)}.",
                where=document.locate(path, key=True),
                remedy=did_you_mean(str(path[-1]), schema.keys(path[:-1])),
            )
        case "missing":
            return InputError(
                f"the key {str(path[-1])!r} is missing in {dotted(path[:-1]) or 'the file'}.",
                where=document.locate(path[:-1], key=True),
                remedy=schema.description(path),
            )
        case "string_pattern_mismatch" if path[-2:-1] == ("models",):
            return InputError(
                f"{_shown(path[-1])} cannot be a model's name.",
                where=document.locate(path, key=True),
                remedy=f"Use {MODEL_NAME_RULE}.",
            )
        case "value_error":
            return _refused(document, path, details)
        case _:
            return InputError(
                f"{name} should be {schema.expected(path)}, not {_kind(details['input'])}.",
                where=document.locate(path),
                remedy=schema.description(path),
            )


def _refused(document: YamlDocument, path: Path, details: ErrorDetails) -> InputError:
    """A rule of the classes themselves: of one value, of a metric's name, or across keys."""
    message = details["msg"].removeprefix("Value error, ")
    name = dotted(path) or "the file"
    if message.startswith("unknown metric"):
        return InputError(
            f"{message}.",
            where=document.locate(path, key=True),
            remedy=f"{did_you_mean(str(details['input']), METRICS)} "
            f"With a parameter: {', '.join(each.written for each in FAMILIES)}.",
        )
    if isinstance(details["input"], (dict, BaseModel)):
        return InputError(f"{name}: {message}.", where=document.locate(path))
    return InputError(
        f"{name} should be {message}, not {_kind(details['input'])}.", where=document.locate(path)
    )


def _clean(loc: tuple[int | str, ...], document: YamlDocument) -> Path:
    """Drop what pydantic adds to a path: ``[key]`` and the names of a union's branches."""
    path: Path = ()
    data: Any = document.data
    for index, part in enumerate(loc):
        last = index == len(loc) - 1
        if isinstance(data, dict) and isinstance(part, str):
            if part in data or (last and part != "[key]" and "[" not in part):
                path, data = (*path, part), data.get(part)
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            path, data = (*path, part), data[part]
    return path


class _Schema:
    """Looks up in a JSON Schema what belongs at a path."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self._schema = schema

    def keys(self, path: Path) -> list[str]:
        """Return the keys that the mapping at ``path`` may have."""
        options = self._options(self._node(path))
        return sorted({key for option in options for key in option.get("properties", {})})

    def description(self, path: Path) -> str | None:
        """Return what the value at ``path`` is for."""
        text = self._node(path).get("description")
        return " ".join(str(text).split()) if text else None

    def expected(self, path: Path) -> str:
        """Return in words what belongs at ``path``."""
        return self._any_of(self._node(path))

    def _node(self, path: Path) -> dict[str, Any]:
        node = self._schema
        for part in path:
            node = self._child(node, part)
        return node

    def _child(self, node: dict[str, Any], part: int | str) -> dict[str, Any]:
        for option in self._options(node):
            places = [
                option.get("items") if isinstance(part, int) else None,
                option.get("properties", {}).get(part),
                *option.get("patternProperties", {}).values(),
                option.get("additionalProperties"),
            ]
            found = next((place for place in places if isinstance(place, dict)), None)
            if found is not None:
                return found
        return {}

    def _options(self, node: dict[str, Any]) -> list[dict[str, Any]]:
        if "$ref" in node:
            return self._options(self._schema["$defs"][node["$ref"].rsplit("/", 1)[-1]])
        if "anyOf" in node and node.get("type") is None:
            return [found for option in node["anyOf"] for found in self._options(option)]
        return [node]

    def _any_of(self, node: dict[str, Any]) -> str:
        """All that may stand at ``node``; null, which means left out, only where it is alone."""
        if node.get("examples"):
            return f"text such as {node['examples'][0]!r}"
        options = sorted(self._options(node), key=lambda option: option.get("type") == "object")
        words = list(dict.fromkeys(map(self._words, options)))
        return _or([word for word in words if word != "null"] or words)

    def _words(self, node: dict[str, Any]) -> str:
        if "const" in node:
            return str(node["const"])
        if "enum" in node:
            return _or([repr(value) for value in node["enum"]])
        match node.get("type"):
            case "integer" | "number" as kind:
                noun = "a whole number" if kind == "integer" else "a number"
                return " ".join([noun, *_bounds(node)])
            case "string":
                return _text(node)
            case "array" if node.get("prefixItems"):
                each = node["prefixItems"]
                return f"a list of {len(each)}: {self._any_of(each[0])}"
            case "array":
                return (
                    f"a list of: {self._any_of(node['items'])}" if node.get("items") else "a list"
                )
            case "object":
                keys = ", ".join(node.get("properties", {}))
                least = " with at least one key" if node.get("minProperties") else ""
                return f"a mapping (keys: {keys})" if keys else f"a mapping{least}"
            case "boolean":
                return "true or false"
            case _:
                return "null"


def _text(node: dict[str, Any]) -> str:
    if "maxLength" in node:
        return f"text of {node.get('minLength', 0)} to {node['maxLength']} characters"
    return "text that is not empty" if node.get("minLength") else "text"


def _bounds(node: dict[str, Any]) -> list[str]:
    words = {
        "minimum": "of at least",
        "exclusiveMinimum": "above",
        "maximum": "up to",
        "exclusiveMaximum": "below",
    }
    found = [f"{text} {node[key]:,}" for key, text in words.items() if key in node]
    return [" and ".join(found)] if found else []


@lru_cache(maxsize=4)
def _schema(kind: type[BaseModel]) -> _Schema:
    return _Schema(kind.model_json_schema())


def dotted(path: Path) -> str:
    """Return ``path`` as people write it: a.b.0.c; a part that is no plain word in quotes."""
    return ".".join(
        str(part) if isinstance(part, int) or _PLAIN_PART.fullmatch(part) else _shown(part)
        for part in path
    )


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a hint at the nearest of the ``known`` words, or all of them."""
    words = list(known)
    if close := _close(word, words):
        return f"Did you mean {close!r}?"
    return f"Known here: {', '.join(words)}." if words else "Remove it."


def _close(word: str | int, known: Iterable[str]) -> str | None:
    return next(iter(difflib.get_close_matches(str(word)[:100], list(known), n=1)), None)


def _or(words: list[str]) -> str:
    return " or ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def _shown(text: str | int) -> str:
    return repr(str(text)[:_MOST_SHOWN])


def _kind(value: object) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case dict():
            return "a mapping" if value else "an empty mapping"
        case list() | tuple():
            return "a list" if value else "an empty list"
        case str():
            return f"the text {_shown(value)}"
        case _:
            return str(value)[:_MOST_SHOWN]
