"""What a workflow refers to: actions, reusable workflows, and labels of runners."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from assay.errors import InputError, Location

OWN_SLUG = "assay-ml/assay"
HOSTED_LABELS = (
    "ubuntu-latest",
    "ubuntu-24.04",
    "ubuntu-22.04",
    "macos-latest",
    "windows-latest",
    "self-hosted",
)

_USES = re.compile(r"""^\s*(?:-\s+)?uses:\s*["']?([^\s"'#]+)""")
_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_QUOTED = re.compile(r"'([A-Za-z0-9][A-Za-z0-9._-]*)'")


@dataclass(frozen=True, kw_only=True)
class Use:
    """One ``uses:``. ``repository`` is empty for a file of the same repository (``./``)."""

    repository: str
    path: str
    ref: str
    where: Location


@dataclass(frozen=True, kw_only=True)
class References:
    """Everything reachable from a workflow file: own refs, third parties' actions, labels."""

    own_refs: tuple[str, ...]
    third_party: tuple[Use, ...]
    labels: tuple[str, ...]
    files: tuple[Path, ...]


def uses_in(file: Path, shown: str) -> Iterator[Use]:
    """Each ``uses:`` of one file; ``shown`` is the name that messages give the file."""
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        found = _USES.match(line)
        if not found or found[1].startswith("docker://"):
            continue
        where = Location(file=shown, line=number)
        value = found[1]
        if value.startswith("./"):
            yield Use(repository="", path=value[2:], ref="", where=where)
            continue
        name, _, ref = value.partition("@")
        parts = name.split("/")
        if len(parts) < 2 or not ref:
            raise InputError(
                f"'{value}' is no action.", where=where, remedy="Write owner/name/path@ref."
            )
        yield Use(repository="/".join(parts[:2]), path="/".join(parts[2:]), ref=ref, where=where)


def _file_of(root: Path, path: str) -> Path | None:
    """The file that ``uses`` of a path in a repository means, if it is there."""
    place = root / path
    if place.suffix in (".yml", ".yaml"):
        return place if place.is_file() else None
    for name in ("action.yml", "action.yaml"):
        if (place / name).is_file():
            return place / name
    return None


def references(workflow: Path, *, consumer: Path, toolkit: Path) -> References:
    """Follow every ``uses:`` from ``workflow`` through the consumer's and the toolkit's files.

    Both are folders on this machine; a ref of the toolkit stands for the folder ``toolkit``
    whatever it says. Raises InputError for a path that neither has.
    """
    own: dict[str, None] = {}
    third: dict[tuple[str, str, str], Use] = {}
    labels: dict[str, None] = dict.fromkeys(HOSTED_LABELS)
    todo, seen = [(workflow, consumer)], [workflow]
    while todo:
        file, root = todo.pop(0)
        shown = file.relative_to(root).as_posix()
        labels.update(dict.fromkeys(labels_in(file, shown)))
        for use in uses_in(file, shown):
            if use.repository == OWN_SLUG:
                own[use.ref] = None
            elif use.repository:
                third.setdefault((use.repository, use.path, use.ref), use)
                continue
            home = toolkit if use.repository == OWN_SLUG else root
            target = _file_of(home, use.path)
            if target is None and home is toolkit:
                raise InputError(
                    f"{OWN_SLUG} has nothing at '{use.path}'.",
                    where=use.where,
                    remedy=f"It was looked for in {toolkit}.",
                )
            if target is not None and target not in seen:
                seen.append(target)
                todo.append((target, home))
    return References(
        own_refs=tuple(own),
        third_party=tuple(third.values()),
        labels=tuple(labels),
        files=tuple(seen),
    )


def labels_in(file: Path, shown: str) -> Iterator[str]:
    """The labels that jobs, inputs and callers of one file name for ``runs-on``.

    Of an expression, the quoted words; of an input, its default.
    """
    try:
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = Location(
            file=shown,
            line=mark.line + 1 if mark else None,
            column=mark.column + 1 if mark else None,
        )
        raise InputError(f"this is no YAML: {error.problem}.", where=where) from error
    yield from _labels(document)


def _labels(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if str(key).startswith("runs-on"):
                yield from _words(value)
            else:
                yield from _labels(value)
    elif isinstance(node, list):
        for value in node:
            yield from _labels(value)


def _words(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from _words(value.get("default", value.get("labels", "")))
    elif isinstance(value, list):
        for item in value:
            yield from _words(item)
    elif isinstance(value, str) and "${{" in value:
        yield from _QUOTED.findall(value)
    elif isinstance(value, str) and value.startswith("["):
        try:
            yield from _words(json.loads(value))
        except ValueError:
            return
    elif isinstance(value, str) and _LABEL.fullmatch(value):
        yield value
