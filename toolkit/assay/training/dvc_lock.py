"""``dvc.lock``: what DVC says each stage of the pipeline was made from, and made."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any, Literal

import yaml

from assay.errors import InputError, Location

CODE_SUFFIXES = (".py", ".pyx", ".ipynb", ".r", ".jl", ".sh", ".sql", ".toml", ".cfg", ".txt")
Kind = Literal["data", "code", "params", "out"]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A file or folder of a stage and its digest (``md5`` for DVC, with ``.dir`` for a folder)."""

    path: str
    digest: str


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One stage as it last ran."""

    name: str
    command: str
    deps: tuple[Entry, ...] = ()
    outs: tuple[Entry, ...] = ()
    params: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Lock:
    """All stages of a ``dvc.lock``."""

    stages: tuple[Stage, ...] = ()

    def producer(self, path: str) -> tuple[Stage, Entry] | None:
        """Return the stage that makes ``path`` (or the folder it lies in), and that output."""
        wanted = posixpath.normpath(path)
        for stage in self.stages:
            for out in stage.outs:
                name = posixpath.normpath(out.path)
                if wanted == name or wanted.startswith(name + "/"):
                    return stage, out
        return None

    def upstream(self, name: str) -> set[str]:
        """Return the stage ``name`` and every stage whose outputs lead to it."""
        stages = {stage.name: stage for stage in self.stages}
        found: set[str] = set()
        waiting = [name]
        while waiting:
            stage = stages.get(waiting.pop())
            if stage is None or stage.name in found:
                continue
            found.add(stage.name)
            made = (self.producer(dep.path) for dep in stage.deps)
            waiting += [producer[0].name for producer in made if producer]
        return found

    def digests(self) -> dict[str, str]:
        """Return every digest by ``kind:path``; a dependency that a stage makes is data."""
        return {f"{kind}:{entry.path}": entry.digest for kind, entry in self._entries()}

    def parameters(self) -> dict[str, str]:
        """Return every parameter's value as text, by its dotted name (``file:`` before others)."""
        found: dict[str, str] = {}
        for stage in self.stages:
            for file, values in stage.params.items():
                prefix = "" if file == "params.yaml" else f"{file}:"
                found.update(flatten(values, prefix))
        return found

    def _entries(self) -> Iterator[tuple[Kind, Entry]]:
        for stage in self.stages:
            for entry in stage.outs:
                yield "out", entry
            for entry in stage.deps:
                yield "code" if entry.path.lower().endswith(CODE_SUFFIXES) else "data", entry


def parse_lock(text: str, *, file: str = "dvc.lock") -> Lock:
    """Read the text of a ``dvc.lock``; raises InputError where it is none."""
    try:
        data = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 -- both are safe loaders
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else None
        raise InputError(
            "this is not YAML (a merge conflict, or cut off).",
            where=Location(file=file, line=line),
            remedy="Resolve it with `git checkout --theirs` and `dvc repro`.",
        ) from None
    if data is None:
        return Lock()
    if not isinstance(data, dict) or not isinstance(data.get("stages", {}), dict):
        raise _malformed(file, "the file is no mapping with `stages`")
    stages = data.get("stages") or {}
    return Lock(stages=tuple(_stage(str(name), body, file) for name, body in stages.items()))


def _stage(name: str, body: object, file: str) -> Stage:
    if not isinstance(body, dict):
        raise _malformed(file, f"stage {name[:80]!r} is no mapping")
    command = body.get("cmd", "")
    params = body.get("params") or {}
    if not isinstance(params, dict) or not all(isinstance(v, dict) for v in params.values()):
        raise _malformed(file, f"the params of stage {name[:80]!r} are no mapping by file")
    return Stage(
        name=name,
        command=" && ".join(map(str, command)) if isinstance(command, list) else str(command),
        deps=_list(name, body.get("deps"), file),
        outs=_list(name, body.get("outs"), file),
        params={str(key): value for key, value in params.items()},
    )


def _list(stage: str, entries: object, file: str) -> tuple[Entry, ...]:
    if entries is None:
        return ()
    if not isinstance(entries, list):
        raise _malformed(file, f"stage {stage[:80]!r} has no list of files")
    found = []
    for entry in entries:
        if not isinstance(entry, dict) or not isinstance(entry.get("path"), str):
            raise _malformed(file, f"a file of stage {stage[:80]!r} has no path")
        hash_name = str(entry.get("hash", "md5"))
        digest = entry.get(hash_name) or entry.get("md5") or entry.get("etag") or ""
        found.append(Entry(path=entry["path"], digest=str(digest)))
    return tuple(found)


def flatten(values: Mapping[Any, Any], prefix: str = "") -> dict[str, str]:
    """Return nested values as text by dotted key: ``{"a": {"b": 1}}`` is ``{"a.b": "1"}``."""
    found: dict[str, str] = {}
    for key, value in values.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping) and value:
            found.update(flatten(value, f"{name}."))
        else:
            found[name] = value if isinstance(value, str) else _text(value)
    return found


_MISSING = frozenset({"deleted", "not in cache"})


def stale_stages(status: object) -> set[str]:
    """Return the stages that ``dvc status --json`` calls changed, by name.

    Files that are only missing (not fetched yet) do not count: the lock still describes them. Nor
    does data outside the repository, or the base of a retraining would be made of the new data too:
    the lock says what the commit was made of.
    """
    if not isinstance(status, dict):
        return set()
    return {
        str(name).rsplit(":", 1)[-1]
        for name, reasons in status.items()
        if any(map(_is_change, reasons if isinstance(reasons, list) else [reasons]))
    }


def _is_change(reason: object) -> bool:
    """A reason is ``changed command`` or ``{"changed deps": {path: "modified"}}``."""
    if not isinstance(reason, dict):
        return reason != "always changed"
    states: set[str] = set()
    for what in reason.values():
        if isinstance(what, Mapping):
            states |= {state for path, state in flatten(what).items() if not _is_outside(path)}
        else:
            states.add(str(what))
    return not states <= _MISSING


def _is_outside(path: str) -> bool:
    """Whether DVC names a file that is none of the repository's: those it names relatively."""
    return "://" in path or PurePosixPath(path).is_absolute() or PureWindowsPath(path).is_absolute()


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str, sort_keys=True)


def _malformed(file: str, what: str) -> InputError:
    return InputError(
        f"{what}.", where=Location(file=file), remedy="Write it again with `dvc repro`."
    )
