"""Read DVC's own files before DVC does: a broken one is the user's input, with file and line."""

from __future__ import annotations

import configparser
from pathlib import Path
from typing import Any

import yaml

from assay.errors import InputError, Location
from assay.training.dvc_lock import parse_lock

_CONFLICT = ("<<<<<<<", "=======", ">>>>>>>")


def demand_readable(folder: Path, root: Path) -> None:
    """Raise InputError for the first DVC file of ``folder`` that DVC could not read.

    Looks at dvc.yaml, dvc.lock and the .dvc files there and one folder below, and at the
    configuration of the repository; names are shown from ``root``.
    """
    for place in (folder, *folder.parents):
        for name in ("config", "config.local"):
            _demand_settings(place / ".dvc" / name, root)
        if place == root or (place / ".dvc").is_dir():
            break
    lock = folder / "dvc.lock"
    if lock.is_file():
        _demand_lock(_text(lock, root), _shown(lock, root))
    pointers = [*folder.glob("*.dvc"), *folder.glob("*/*.dvc")]
    for path in (folder / "dvc.yaml", *sorted(pointers)):
        if path.is_file():
            _demand_mapping(_text(path, root), _shown(path, root))


def _demand_lock(text: str, file: str) -> None:
    parse_lock(text, file=file)
    if not text.strip():
        raise InputError(
            "the file is empty.",
            where=Location(file=file),
            remedy="Restore it with git, or delete it and run `dvc repro`.",
        )


def _demand_mapping(text: str, file: str) -> None:
    try:
        data: Any = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 -- both are safe loaders
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        raise _broken(file, _reason(error, text), line=mark.line + 1 if mark else None) from None
    if not isinstance(data, dict):
        raise _broken(file, "it is no mapping of keys to values")
    stages = data.get("stages", {})
    if not isinstance(stages, dict):
        raise _broken(file, "`stages` is no mapping of names to stages")
    for name, stage in stages.items():
        if not isinstance(stage, dict) or not {"cmd", "foreach", "matrix"} & set(stage):
            raise _broken(file, f"the stage {str(name)[:60]!r} has no cmd")


def _demand_settings(path: Path, root: Path) -> None:
    if not path.is_file():
        return
    parser = configparser.ConfigParser(interpolation=None, strict=False, allow_no_value=True)
    file = _shown(path, root)
    try:
        parser.read_string(_text(path, root))
    except configparser.MissingSectionHeaderError as error:
        raise _broken(file, "a line stands in no [section]", line=error.lineno) from None
    except configparser.ParsingError as error:
        line = error.errors[0][0] if error.errors else None
        raise _broken(file, "a line is no name = value", line=line) from None


def _reason(error: Exception, text: str) -> str:
    if any(line.startswith(_CONFLICT) for line in text.splitlines()):
        return "it holds a merge conflict"
    problem = getattr(error, "problem", None)
    return f"it is not YAML ({problem})" if problem else "it is not YAML"


def _broken(file: str, reason: str, *, line: int | None = None) -> InputError:
    return InputError(
        f"DVC cannot read this file: {reason}.",
        where=Location(file=file, line=line),
        remedy="Correct it; `dvc status` says when DVC can read it again.",
    )


def _text(path: Path, root: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise _broken(_shown(path, root), f"it is not UTF-8 (byte {error.start})") from None
    except OSError as error:
        raise _broken(_shown(path, root), f"{error.strerror}") from None


def _shown(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()
