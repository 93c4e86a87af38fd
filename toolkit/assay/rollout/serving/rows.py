"""Takes one request and its answer apart into the rows that were scored."""

from __future__ import annotations

import json
from typing import Any

Json = dict[str, Any] | list[Any] | str | int | float | bool | None


def scored(request: bytes | None, answer: bytes) -> list[tuple[str | None, str]]:
    """Return (input, output) of each row, as JSON; ``request`` is None where inputs are not logged.

    Understands what MLflow's scoring server takes (``dataframe_split``, ``dataframe_records``,
    ``instances``, ``inputs``) and the Open Inference Protocol (V2). What is neither, or does not
    have as many rows as its answer, becomes one row with all of it.
    """
    answered = _parse(answer)
    outputs = _outputs(answered)
    if request is None:
        return [(None, _dump(output)) for output in outputs]
    asked = _parse(request)
    inputs = _inputs(asked)
    if len(inputs) != len(outputs):
        return [(_dump(asked), _dump(answered))]
    return [(_dump(i), _dump(o)) for i, o in zip(inputs, outputs, strict=True)]


def _parse(body: bytes) -> Json:
    try:
        found: Json = json.loads(body)
    except ValueError:
        return body.decode("utf-8", errors="replace")
    return found


def _dump(value: Json) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _inputs(asked: Json) -> list[Json]:
    if not isinstance(asked, dict):
        return [asked]
    split = asked.get("dataframe_split")
    if isinstance(split, dict) and isinstance(split.get("data"), list):
        columns = split.get("columns")
        data: list[Json] = split["data"]
        if not isinstance(columns, list):
            return data
        return [
            dict(zip(columns, row, strict=False)) if isinstance(row, list) else row for row in data
        ]
    for key in ("dataframe_records", "instances", "inputs"):
        found = asked.get(key)
        if _is_tensors(found):
            return _columns({tensor["name"]: _flat(tensor) for tensor in found or []})
        if isinstance(found, list):
            return found
        if isinstance(found, dict):
            return _columns(found)
    return [asked]


def _outputs(answered: Json) -> list[Json]:
    if isinstance(answered, dict):
        found = answered.get("predictions", answered.get("outputs"))
        if _is_tensors(found):
            rows = _columns({tensor["name"]: _flat(tensor) for tensor in found or []})
            alone = len(found or []) == 1
            return [next(iter(row.values())) for row in rows] if alone else list(rows)
        if isinstance(found, dict):
            return _columns(found)
        if isinstance(found, list):
            return found
    return answered if isinstance(answered, list) else [answered]


def _is_tensors(found: Json) -> bool:
    return (
        isinstance(found, list)
        and bool(found)
        and all(isinstance(part, dict) and {"name", "shape", "data"} <= set(part) for part in found)
    )


def _flat(tensor: dict[str, Any]) -> list[Json]:
    """The tensor's rows: its data cut by the first length of its shape."""
    data, shape = tensor["data"], tensor["shape"]
    if not isinstance(data, list) or not shape or not isinstance(shape[0], int) or not shape[0]:
        return [data]
    width = len(data) // shape[0]
    if width <= 1 or len(data) == shape[0]:
        return data
    return [data[start : start + width] for start in range(0, len(data), width)]


def _columns(found: dict[str, Json]) -> list[Any]:
    """Columns to rows; what is not columns of one length is one row."""
    columns = list(found.values())
    if not columns or not all(isinstance(column, list) for column in columns):
        return [found]
    if len({len(column) for column in columns if isinstance(column, list)}) != 1:
        return [found]
    return [dict(zip(found, row, strict=True)) for row in zip(*columns, strict=True)]
