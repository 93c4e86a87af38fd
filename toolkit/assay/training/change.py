"""What a change touches, by kind, for the reader of the report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from assay.config import Config
from assay.evidence import Change
from assay.training.dvc_lock import Lock

_MOST_NAMED = 200
_DOCUMENTATION = (".md", ".rst", ".adoc")
_PLAIN_FILES = {"LICENSE", "NOTICE", "CODEOWNERS", ".gitignore", ".gitattributes", ".dvcignore"}


def classify(
    paths: Iterable[str],
    *,
    config_file: str,
    configs: Iterable[Config] = (),
    locks: Mapping[str, tuple[Lock, Lock]] | None = None,
) -> Change:
    """Sort the changed ``paths`` (from the repository's root) by what they are.

    ``locks`` holds each changed ``dvc.lock`` before and after: the data whose digest differs
    there is named instead of the lock itself. Documentation counts in ``files`` alone.
    """
    every = sorted(set(paths))
    data_files = {name for config in configs for name in _data_files(config)}
    kinds: dict[str, list[str]] = {
        "code": [], "data": [], "params": [], "config": [], "workflows": [],
    }  # fmt: skip
    for path in every:
        for kind, name in _kinds(path, config_file, data_files, locks or {}):
            kinds[kind].append(name)
    named = {kind: tuple(sorted(set(names)))[:_MOST_NAMED] for kind, names in kinds.items()}
    return Change(files=len(every), **named)


def data_paths(
    paths: Iterable[str], *, config_file: str, configs: Iterable[Config]
) -> tuple[str, ...]:
    """Return the changed files that are data by themselves, or point to it.

    What a ``dvc.lock`` says of data that the pipeline makes follows from its code and sources.
    """
    data_files = {name for config in configs for name in _data_files(config)}
    return tuple(
        path for path in sorted(set(paths)) if _own_kind(path, config_file, data_files) == "data"
    )


def changes_both(paths: Iterable[str], *, config_file: str, configs: Iterable[Config]) -> bool:
    """Whether ``paths`` hold data, and code or parameters too."""
    data_files = {name for config in configs for name in _data_files(config)}
    kinds = {_own_kind(path, config_file, data_files) for path in paths}
    return "data" in kinds and bool(kinds & {"code", "params"})


def _own_kind(path: str, config_file: str, data_files: set[str]) -> str | None:
    pure = PurePosixPath(path)
    return None if pure.name == "dvc.lock" else _kind(pure, config_file, data_files)


def _kinds(
    path: str, config_file: str, data_files: set[str], locks: Mapping[str, tuple[Lock, Lock]]
) -> list[tuple[str, str]]:
    pure = PurePosixPath(path)
    if pure.name == "dvc.lock" and path != config_file:
        changed = _changed_data(path, *locks[path], data_files) if path in locks else []
        return [("data", name) for name in changed]
    kind = _kind(pure, config_file, data_files)
    return [] if kind is None else [(kind, path)]


def _kind(path: PurePosixPath, config_file: str, data_files: set[str]) -> str | None:
    kind: str | None = "code"
    if str(path) == config_file or path.name.endswith(".schema.yaml"):
        kind = "config"
    elif path.parts[0] == ".github":
        kind = "workflows"
    elif path.suffix == ".dvc" or str(path) in data_files or "data" in path.parts[:-1]:
        kind = "data"
    elif path.stem == "params" or ".params" in path.suffixes:
        kind = "params"
    elif path.suffix.lower() in _DOCUMENTATION or path.name in _PLAIN_FILES:
        kind = None
    return kind


def _changed_data(path: str, before: Lock, after: Lock, data_files: set[str]) -> list[str]:
    folder = PurePosixPath(path).parent
    old, new = _outs(before), _outs(after)
    changed = {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}
    names = [str(folder / name) for name in sorted(changed)]
    return [n for n in names if n in data_files or "data" in PurePosixPath(n).parts[:-1]]


def _outs(lock: Lock) -> dict[str, str]:
    return {out.path: out.digest for stage in lock.stages for out in stage.outs}


def _data_files(config: Config) -> Iterable[str]:
    for model in config.models.values():
        if model.data is not None:
            folder = PurePosixPath(model.path)
            yield from (str(folder / f) for f in (model.data.train, model.data.test) if f)
