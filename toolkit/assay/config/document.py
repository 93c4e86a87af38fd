"""YAML with places: a parsed document that still knows the line and column of every key."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from assay.errors import InputError, Location

Path = tuple[str | int, ...]


@dataclass(frozen=True, kw_only=True)
class YamlDocument:
    """Plain data of a YAML file and where each part of it stands (lines count from 1)."""

    file: str
    data: Any
    keys: dict[Path, tuple[int, int]] = field(repr=False)
    values: dict[Path, tuple[int, int]] = field(repr=False)

    def locate(self, path: Path, *, key: bool = False) -> Location:
        """Return the place of ``path``, or of its nearest parent that is in the file."""
        table = self.keys if key else self.values
        for end in range(len(path), -1, -1):
            mark = table.get(path[:end]) or self.values.get(path[:end])
            if mark:
                return Location(file=self.file, line=mark[0], column=mark[1])
        return Location(file=self.file, line=1, column=1)


class _Loader(yaml.SafeLoader):
    """SafeLoader whose scalars ``on``, ``off``, ``yes`` and ``no`` stay strings (YAML 1.2)."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool",
    re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"),
    list("tTfF"),
)

MAX_BYTES = 1_000_000
_MAX_DEPTH = 40


def parse_yaml(text: str, *, file: str) -> YamlDocument:
    """Parse one YAML document.

    Raises InputError, with the place, for a syntax error, a duplicate key, a key that is not
    a string, an anchor or an alias (which can grow without bound), nesting deeper than 40,
    or more than one megabyte of text.
    """
    if len(text) > MAX_BYTES:
        raise InputError(
            f"the file has {len(text):,} characters; at most {MAX_BYTES:,} are read.",
            where=Location(file=file),
            remedy="Keep the configuration in it and the data elsewhere.",
        )
    loader = _Loader(text)
    try:
        for token in yaml.scan(text, Loader=_Loader):
            if isinstance(token, (yaml.AnchorToken, yaml.AliasToken)):
                raise InputError(
                    "anchors and aliases are not read here.",
                    where=_place(file, token.start_mark),
                    remedy="Write the value out.",
                )
        node = loader.get_single_node()
        keys: dict[Path, tuple[int, int]] = {}
        values: dict[Path, tuple[int, int]] = {}
        data = None if node is None else _build(loader, node, (), file, keys, values)
    except (yaml.YAMLError, ValueError) as error:
        raise _syntax_error(error, file) from error
    finally:
        loader.dispose()
    return YamlDocument(file=file, data=data, keys=keys, values=values)


def _place(file: str, mark: yaml.Mark) -> Location:
    return Location(file=file, line=mark.line + 1, column=mark.column + 1)


def _syntax_error(error: Exception, file: str) -> InputError:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    where = _place(file, mark) if mark else Location(file=file)
    return InputError(
        f"this is not valid YAML: {problem}.",
        where=where,
        remedy="Check the indentation and the quotes at this place.",
    )


def _build(
    loader: _Loader,
    node: yaml.Node,
    path: Path,
    file: str,
    keys: dict[Path, tuple[int, int]],
    values: dict[Path, tuple[int, int]],
) -> Any:
    if len(path) > _MAX_DEPTH:
        raise InputError(f"nested deeper than {_MAX_DEPTH}.", where=_place(file, node.start_mark))
    values[path] = (node.start_mark.line + 1, node.start_mark.column + 1)
    if isinstance(node, yaml.SequenceNode):
        return [
            _build(loader, item, (*path, index), file, keys, values)
            for index, item in enumerate(node.value)
        ]
    if isinstance(node, yaml.MappingNode):
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = _key(loader, key_node, file)
            if key in result:
                raise InputError(
                    f"the key {key!r} stands here twice.",
                    where=_place(file, key_node.start_mark),
                    remedy="Keep one of the two.",
                )
            keys[(*path, key)] = (key_node.start_mark.line + 1, key_node.start_mark.column + 1)
            result[key] = _build(loader, value_node, (*path, key), file, keys, values)
        return result
    return loader.construct_object(node, deep=True)


def _key(loader: _Loader, node: yaml.Node, file: str) -> str:
    value = loader.construct_object(node, deep=True)
    if not isinstance(value, str):
        raise InputError(
            f"the key {value!r} is not text.",
            where=_place(file, node.start_mark),
            remedy="Put it in quotes.",
        )
    return value
