"""YAML with places: a parsed document that still knows the line and column of every key.

What is read is the part of YAML 1.2 that means the same to every reader: mappings with text
keys, lists, text, numbers, ``true``, ``false`` and ``null``. So ``off`` and ``no`` are text, and
so are dates, ``1:30`` and ``010``. Anchors, aliases and tags are refused.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from assay.errors import InputError, Location

Path = tuple[str | int, ...]
Places = dict[Path, tuple[int, int]]

MAX_BYTES = 1_000_000
_MAX_DEPTH = 40
_LARGEST_INTEGER = 2**63 - 1
_NULL, _TRUE, _FALSE = {"", "~", "null", "Null", "NULL"}, ("true", "True"), ("false", "False")
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)", re.ASCII)
NUMBER = re.compile(
    r"[-+]?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?", re.ASCII
)
_SURROGATE = re.compile("[\ud800-\udfff]")
_CHECK = "Check the indentation and the quotes at this place."


@dataclass(frozen=True, kw_only=True)
class YamlDocument:
    """Plain data of a YAML file and where each part of it stands (lines count from 1)."""

    file: str
    data: Any
    keys: Places = field(repr=False)
    values: Places = field(repr=False)

    def locate(self, path: Path, *, key: bool = False) -> Location:
        """Return the place of ``path``, or of its nearest parent that is in the file."""
        table = self.keys if key else self.values
        for end in range(len(path), -1, -1):
            mark = table.get(path[:end]) or self.values.get(path[:end])
            if mark:
                return Location(file=self.file, line=mark[0], column=mark[1])
        return Location(file=self.file, line=1, column=1)


def parse_yaml(text: str, *, file: str) -> YamlDocument:
    """Parse one YAML document.

    Raises InputError, with the place, for a syntax error, a duplicate key, a key that is not
    text, an anchor, an alias or a tag, a number out of range, nesting deeper than 40, or more
    than one megabyte of text.
    """
    if len(text) > MAX_BYTES:
        raise InputError(
            f"the file has over {MAX_BYTES:,} characters; at most that many are read.",
            where=Location(file=file),
            remedy="Keep the configuration in it and the data elsewhere.",
        )
    text = text.removeprefix("\ufeff")
    loader = None
    try:
        loader = _Loader(text, file)
        node = loader.get_single_node()
    except yaml.reader.ReaderError as error:
        raise _unreadable(error, text, file) from None
    except yaml.MarkedYAMLError as error:
        raise _syntax_error(error, text, file) from None
    except (ValueError, OverflowError):
        # PyYAML turns the digits of an escape such as "\U99999999" into a character unchecked.
        place = None if loader is None else loader.get_mark()
        raise InputError(
            "this is not valid YAML: an escape in double quotes names no character.",
            where=_place(file, place),
            remedy="Use single quotes where no escapes are meant.",
        ) from None
    reader = _Reader(file=file)
    data = None if node is None else reader.read(node, ())
    return YamlDocument(file=file, data=data, keys=reader.keys, values=reader.values)


class _Loader(yaml.SafeLoader):
    """Composes nodes without resolving scalars; refuses what can grow without bound."""

    def __init__(self, text: str, file: str) -> None:
        super().__init__(text)
        self.file = file
        self.depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Compose one node; raises InputError for an anchor, an alias, a tag, or depth."""
        event: yaml.NodeEvent = self.peek_event()  # type: ignore[no-untyped-call]
        where = _place(self.file, event.start_mark)
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            raise InputError(
                "anchors and aliases are not read here.",
                where=where,
                remedy="Write the value out; put text that starts with & or * in quotes.",
            )
        if isinstance(event, (yaml.ScalarEvent, yaml.CollectionStartEvent)) and event.tag:
            raise InputError(
                "tags are not read here.",
                where=where,
                remedy="Leave the tag out; put text that starts with ! in quotes.",
            )
        if self.depth == _MAX_DEPTH:
            raise InputError(
                f"this is nested deeper than {_MAX_DEPTH}.", where=where, remedy="Flatten it."
            )
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


class _Reader:
    """Turns nodes into plain data and writes down where each part stands."""

    def __init__(self, *, file: str) -> None:
        self.file = file
        self.keys: Places = {}
        self.values: Places = {}

    def read(self, node: yaml.Node, path: Path) -> Any:
        self.values[path] = _at(node)
        if isinstance(node, yaml.SequenceNode):
            return [self.read(item, (*path, index)) for index, item in enumerate(node.value)]
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        return self._scalar(node) if isinstance(node, yaml.ScalarNode) else None

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            where = _place(self.file, key_node.start_mark)
            key = self._scalar(key_node) if isinstance(key_node, yaml.ScalarNode) else None
            if not isinstance(key, str):
                shown = f"the key {key_node.value[:60]!r}" if key is not None else "this key"
                raise InputError(f"{shown} is not text.", where=where, remedy="Put it in quotes.")
            if key == "<<" and key_node.style is None:
                raise InputError(
                    "merge keys are not read here.", where=where, remedy="Write the keys out."
                )
            if key in result:
                line = self.keys[(*path, key)][0]
                raise InputError(
                    f"the key {key[:60]!r} stands here twice, first in line {line}.",
                    where=where,
                    remedy="Keep one of the two.",
                )
            self.keys[(*path, key)] = _at(key_node)
            result[key] = self.read(value_node, (*path, key))
        return result

    def _scalar(self, node: yaml.ScalarNode) -> str | int | float | bool | None:
        text: str = node.value
        if _SURROGATE.search(text):
            text = self._joined(text, node)
        if node.style is not None:
            return text
        if text in _NULL:
            return None
        if text in _TRUE or text in _FALSE:
            return text in _TRUE
        if NUMBER.fullmatch(text):
            return self._number(text, node)
        return text

    def _joined(self, text: str, node: yaml.ScalarNode) -> str:
        """Join pairs of surrogates, as JSON escapes write them."""
        try:
            return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
        except UnicodeDecodeError:
            raise InputError(
                "this text holds half of a character (a lone surrogate).",
                where=_place(self.file, node.start_mark),
                remedy="Write the character itself.",
            ) from None

    def _number(self, text: str, node: yaml.Node) -> int | float:
        number = float(text)
        if math.isfinite(number):
            if not _INTEGER.fullmatch(text):
                return number
            if abs(number) < _LARGEST_INTEGER:
                return int(text)
        raise InputError(
            f"the number {text[:40]} is out of range.",
            where=_place(self.file, node.start_mark),
            remedy="Numbers have at most 18 digits before the point.",
        )


def _at(node: yaml.Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _place(file: str, mark: Any) -> Location:
    if mark is None:
        return Location(file=file)
    return Location(file=file, line=mark.line + 1, column=mark.column + 1)


def _unreadable(error: yaml.reader.ReaderError, text: str, file: str) -> InputError:
    before = text[: error.position]
    return InputError(
        f"the character U+{ord(text[error.position]):04X} may not stand in YAML.",
        where=Location(
            file=file,
            line=before.count("\n") + 1,
            column=error.position - before.rfind("\n"),
        ),
        remedy='Remove it; in double quotes an escape such as "\\x1b" means the same.',
    )


def _syntax_error(error: yaml.MarkedYAMLError, text: str, file: str) -> InputError:
    """Say it at the opening bracket or quote where what is wrong is that nothing closes it."""
    problem, mark = error.problem or "it cannot be read", error.problem_mark
    remedy = _CHECK
    if mark is not None and error.context_mark is not None and mark.index >= len(text.rstrip()):
        problem, mark = f"{error.context}, the end of the file came first", error.context_mark
        remedy = "Close the bracket or the quote that opens here."
    elif "found another document" in problem:
        problem, remedy = "a second document starts here (---)", "Keep one document in a file."
    elif "'\\t'" in problem:
        problem, remedy = "a tab cannot indent", "Indent with spaces."
    return InputError(
        f"this is not valid YAML: {problem}.",
        where=_place(file, mark),
        remedy=remedy,
    )
