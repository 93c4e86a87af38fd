"""Whether a number comes from stages that never see the gate's test set."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import Any

from assay.errors import InputError, Location
from assay.training.dvc_lock import Entry, Lock, Stage
from assay.training.lineage import Checkout, read_lock
from assay.training.outputs import parse_values


def demand_apart(metric: str, judged: frozenset[str], checkout: Checkout) -> None:
    """Raise InputError where ``metric`` is made with any of the files ``judged``.

    They are the gate's predictions and test data, relative to the model's folder like ``metric``.
    dvc.yaml is looked at as it is written, and dvc.lock, where there is one, as it was resolved.
    """
    folder = checkout.folder
    _refuse_shared(metric, judged, _declared(folder / "dvc.yaml"), "dvc.yaml")
    found = read_lock(folder, checkout.root)
    if found is not None and found[0] == folder:
        _refuse_shared(metric, judged, found[1], "dvc.lock")


def _refuse_shared(metric: str, judged: frozenset[str], lock: Lock, file: str) -> None:
    made = lock.producer(metric)
    if made is None:
        return
    seen = lock.upstream(made[0].name)
    for stage in lock.stages:
        if stage.name not in seen:
            continue
        # A stage upstream may split the data and so write the test set; the metric's own may not.
        own = stage.outs if stage.name == made[0].name else ()
        for entry in (*stage.deps, *own):
            shared = next((name for name in judged if _overlap(entry.path, name)), None)
            if shared:
                raise _refusal(metric, stage.name, shared, file)


def _overlap(path: str, name: str) -> bool:
    """Whether one is the other, or lies in it: a folder that holds the test set shows it."""
    one, other = posixpath.normpath(path), posixpath.normpath(name)
    return one == other or one.startswith(f"{other}/") or other.startswith(f"{one}/")


def _refusal(metric: str, stage: str, shared: str, file: str) -> InputError:
    return InputError(
        f"train.selection.metric: {metric} comes from stage {stage[:80]}, which has {shared}, by "
        "which the gate judges; what it chose would be judged by the rows it was chosen on.",
        where=Location(file=file),
        remedy="Compute it in a stage of its own from validation data alone.",
    )


def _declared(path: Any) -> Lock:
    """Read dvc.yaml as far as it is plain; what is templated is known from dvc.lock only."""
    try:
        data = parse_values(path)
    except (OSError, ValueError):
        return Lock()
    stages = data.get("stages") if isinstance(data, dict) else None
    named = stages.items() if isinstance(stages, dict) else ()
    return Lock(stages=tuple(_stage(str(name), body) for name, body in named))


def _stage(name: str, body: Any) -> Stage:
    inner = body.get("do", body) if isinstance(body, dict) else {}
    parts = inner if isinstance(inner, dict) else {}
    outs = [entry for key in ("outs", "metrics", "plots") for entry in _entries(parts.get(key))]
    return Stage(name=name, command="", deps=tuple(_entries(parts.get("deps"))), outs=tuple(outs))


def _entries(listed: Any) -> Iterator[Entry]:
    for entry in listed if isinstance(listed, list) else ():
        name = next(iter(entry), None) if isinstance(entry, dict) else entry
        if isinstance(name, str):
            yield Entry(path=name, digest="")
