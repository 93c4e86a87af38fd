"""The smoke test: does the served model take its own example and return what it should?

The example is MLflow's: ``serving_input_example.json`` (a request as it is sent) or
``input_example.json``. Where the pipeline also wrote ``output_example.json`` beside it, the
predictions that it evaluated offline for these rows, the served ones must be equal.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from assay.errors import InputError, Location
from assay.rollout.trial.callers import Reply

REQUEST, EXAMPLE, EXPECTED = (
    "serving_input_example.json",
    "input_example.json",
    "output_example.json",
)
RELATIVE, ABSOLUTE = 1e-6, 1e-9
_OK = 200


def request_of(model: Path) -> bytes:
    """Return the request that tries a model; raises InputError where it has no example."""
    if (model / REQUEST).is_file():
        return (model / REQUEST).read_bytes()
    example = model / EXAMPLE
    if not example.is_file():
        raise InputError(
            "the model has no input example to try it with.",
            where=Location(file=example.as_posix()),
            remedy="Give save_model an input_example=: a few rows of the features.",
        )
    found = _read(example)
    split = isinstance(found, dict) and {"columns", "data"} <= set(found)
    return json.dumps({"dataframe_split" if split else "instances": found}).encode()


def expected_of(model: Path) -> list[Any] | None:
    """Return what was evaluated offline for the example's rows; None where nothing says."""
    path = model / EXPECTED
    if not path.is_file():
        return None
    found = _read(path)
    if isinstance(found, dict):
        found = found.get("predictions")
    if not isinstance(found, list):
        raise InputError(
            "this is no list of predictions.",
            where=Location(file=path.as_posix()),
            remedy='Write one prediction a row: [0.1, 0.9] or {"predictions": [0.1, 0.9]}.',
        )
    return found


def rows_in(request: bytes) -> int | None:
    """How many rows a request has; None where its form does not say."""
    found = json.loads(request)
    if not isinstance(found, dict):
        return None
    for name in ("instances", "dataframe_records"):
        if isinstance(found.get(name), list):
            return len(found[name])
    split = found.get("dataframe_split")
    data = split.get("data") if isinstance(split, dict) else None
    return len(data) if isinstance(data, list) else None


def problems(
    reply: Reply, *, digest: str, rows: int | None, expected: Sequence[Any] | None
) -> tuple[str, ...]:
    """Say what is wrong with the answer to the example; nothing where all is well."""
    if reply.status != _OK:
        said = reply.body.decode(errors="replace")[:300] or reply.reason
        return (f"its own example was answered with {reply.status or 'nothing'}: {said}",)
    if reply.version != digest:
        return (f"the answer names version {reply.version or 'none'}, not {digest[:12]}.",)
    try:
        found = json.loads(reply.body)["predictions"]
    except (ValueError, KeyError, TypeError):
        return ("the answer is no JSON with `predictions`.",)
    if not isinstance(found, list) or (rows is not None and len(found) != rows):
        count = len(found) if isinstance(found, list) else "no list of"
        return (f"{rows} rows were sent, and {count} predictions came back.",)
    wrong = []
    if not all(_finite(value) for value in found):
        wrong.append("a prediction is not a finite number.")
    if expected is not None and not _equal(found, list(expected)):
        at = next(
            (n for n, pair in enumerate(zip(found, expected, strict=False)) if not _equal(*pair)),
            min(len(found), len(expected)),
        )
        wrong.append(
            f"row {at + 1} of the example is served otherwise than it was evaluated offline "
            f"({_short(found, at)} instead of {_short(expected, at)})."
        )
    return tuple(wrong)


def _finite(value: Any) -> bool:
    if isinstance(value, list):
        return all(_finite(one) for one in value)
    if isinstance(value, dict):
        return all(_finite(one) for one in value.values())
    return not isinstance(value, float) or math.isfinite(value)


def _equal(left: Any, right: Any) -> bool:
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_equal, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_equal(left[k], right[k]) for k in left)
    numbers = (int, float)
    if isinstance(left, numbers) and isinstance(right, numbers):
        return math.isclose(left, right, rel_tol=RELATIVE, abs_tol=ABSOLUTE)
    return bool(left == right)


def _short(values: Sequence[Any], at: int) -> str:
    return json.dumps(values[at])[:80] if at < len(values) else "none"


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            f"it cannot be read as JSON: {error}.", where=Location(file=path.as_posix())
        ) from None
