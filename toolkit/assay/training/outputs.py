"""What a pipeline leaves behind: predictions, the model, the test data, numbers in files."""

from __future__ import annotations

import json
import math
import shutil
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from assay.config import Model, Scalar
from assay.errors import InputError, Location, OutsideError
from assay.evidence import Prediction, file_digest, tree_digest

SUFFIXES = {
    ".parquet": ".parquet",
    ".pq": ".parquet",
    ".csv": ".csv",
    ".jsonl": ".jsonl",
    ".ndjson": ".jsonl",
}
"""The suffix a predictions file is kept under, by the suffix it has."""

_LFS_POINTER = b"version https://git-lfs.github.com/spec/"
_MOST_METRICS_BYTES = 32 * 1024 * 1024


def kept_name(predictions: str) -> str:
    """Return the name of a predictions file in the evidence folder.

    Raises InputError for a suffix that is none of Parquet, CSV and JSON lines.
    """
    suffix = Path(predictions).suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(
            f"predictions of the kind {suffix or 'without a suffix'} cannot be read.",
            where=Location(file=predictions),
            remedy=f"Write one of {', '.join(sorted(SUFFIXES))}.",
        )
    return f"predictions{SUFFIXES[suffix]}"


def forget_predictions(target: Path) -> None:
    """Remove predictions that an earlier run left in ``target``."""
    for suffix in set(SUFFIXES.values()):
        (target / f"predictions{suffix}").unlink(missing_ok=True)


def keep_predictions(source: Path, target: Path) -> Prediction:
    """Copy a predictions file into the evidence folder ``target``, by rename, with its digest.

    Raises InputError where it is missing or of an unknown kind, OutsideError where the copy
    fails.
    """
    name = kept_name(source.name)
    if not source.is_file():
        raise InputError("there is no such predictions file.", where=Location(file=source.name))
    if _is_lfs_pointer(source):
        raise InputError(
            "the predictions are a Git LFS pointer, not the file itself.",
            where=Location(file=source.name),
            remedy="Install git-lfs (in a workflow: `lfs: true`).",
        )
    partial = target / f".{name}.partial"
    try:
        target.mkdir(parents=True, exist_ok=True)
        forget_predictions(target)
        shutil.copyfile(source, partial)
        partial.replace(target / name)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise OutsideError(
            f"the predictions could not be copied: {error.strerror}.",
            where=Location(file=source.as_posix()),
        ) from None
    kept = target / name
    return Prediction(file=name, sha256=file_digest(kept), bytes=kept.stat().st_size)


def _is_lfs_pointer(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(len(_LFS_POINTER)) == _LFS_POINTER


def digest_of(folder: Path, name: str | None) -> str | None:
    """Return the digest of a file or folder of the model, None where there is none."""
    if name is None:
        return None
    path = folder / name
    try:
        return tree_digest(path) if path.exists() else None
    except OSError:
        return None


def test_set_digest(model: Model, folder: Path) -> str | None:
    """Return the digest of the test data that the configuration names."""
    return digest_of(folder, model.data.test if model.data else None)


def read_scalars(
    scalars: Mapping[str, Scalar], folder: Path
) -> tuple[dict[str, float], dict[str, str]]:
    """Read each scalar from its metrics file: values by name, and reasons for what is missing."""
    values: dict[str, float] = {}
    missing: dict[str, str] = {}
    for name, scalar in scalars.items():
        found = _scalar(scalar, folder)
        if isinstance(found, float):
            values[name] = found
        else:
            missing[name] = found
    return values, missing


def _scalar(scalar: Scalar, folder: Path) -> float | str:
    path = folder / scalar.file
    try:
        if path.stat().st_size > _MOST_METRICS_BYTES:
            return f"{scalar.file} has over {_MOST_METRICS_BYTES:,} bytes"
        data = parse_values(path)
    except FileNotFoundError:
        return f"there is no {scalar.file}"
    except OSError as error:
        return f"{scalar.file} cannot be read: {error.strerror}"
    except ValueError:
        return f"{scalar.file} is not valid {path.suffix.removeprefix('.').upper() or 'YAML'}"
    found = value_at(data, scalar.key)
    if found is None:
        return f"{scalar.file} has no {scalar.key}"
    if isinstance(found, bool) or not isinstance(found, int | float):
        return f"{scalar.key} in {scalar.file} is no number"
    number = float(found)
    return number if math.isfinite(number) else f"{scalar.key} in {scalar.file} is not finite"


def parse_values(path: Path) -> Any:
    """Read a JSON, TOML or YAML file.

    Raises OSError where it cannot be read and ValueError where it is not what its suffix says.
    """
    text = path.read_text(encoding="utf-8")
    try:
        match path.suffix.lower():
            case ".json":
                return json.loads(text)
            case ".toml":
                return tomllib.loads(text)
            case _:
                return yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(str(error)) from None


def pipeline_metrics(folder: Path) -> dict[str, float]:
    """Return every number of the metric files that dvc.yaml declares, by dotted name.

    For tracking only: what cannot be read is left out.
    """
    found: dict[str, float] = {}
    for name in _metric_files(folder / "dvc.yaml"):
        try:
            data = parse_values(folder / name)
        except (OSError, ValueError):
            continue
        found.update(_numbers(data))
    return found


def _metric_files(pipeline: Path) -> list[str]:
    try:
        data = parse_values(pipeline)
    except (OSError, ValueError):
        return []
    places = [data, *_values(data, "stages")] if isinstance(data, dict) else []
    entries = [entry for place in places for entry in _values(place, "metrics")]
    names = [next(iter(entry), None) if isinstance(entry, dict) else entry for entry in entries]
    return [name for name in names if isinstance(name, str)]


def _values(data: Any, key: str) -> list[Any]:
    """The items of a list, or the values of a mapping, under ``key``."""
    found = data.get(key) if isinstance(data, dict) else None
    if isinstance(found, dict):
        return list(found.values())
    return found if isinstance(found, list) else []


def _numbers(data: Any, prefix: str = "") -> dict[str, float]:
    if isinstance(data, dict):
        parts = [_numbers(value, f"{prefix}{key}.") for key, value in data.items()]
        return {name: value for part in parts for name, value in part.items()}
    usable = isinstance(data, int | float) and not isinstance(data, bool)
    return {prefix.rstrip("."): float(data)} if usable and math.isfinite(data) else {}


def value_at(data: Any, key: str) -> Any:
    """Follow a dotted key; a key that itself holds dots is found as well; None for nothing."""
    if isinstance(data, Mapping):
        if key in data:
            return data[key]
        parts = key.split(".")
        for size in range(len(parts) - 1, 0, -1):
            head = ".".join(parts[:size])
            if head in data:
                return value_at(data[head], ".".join(parts[size:]))
    if isinstance(data, list):
        first, _, rest = key.partition(".")
        if first.isascii() and first.isdigit() and int(first) < len(data):
            return value_at(data[int(first)], rest) if rest else data[int(first)]
    return None
