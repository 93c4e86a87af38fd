"""Compare two prediction files: the one function behind ``assay compare`` and the gate."""

from __future__ import annotations

import math
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from assay.comparison.ask import Asked
from assay.comparison.design import drawn_of
from assay.comparison.details import LONGEST_NAME, details_of
from assay.comparison.fairness import only_for_groups
from assay.comparison.measure import Level, Sample, estimate, gather, group_rates
from assay.comparison.reuse import reuse_of
from assay.comparison.search import extent_of, worst_slice
from assay.comparison.seeds import over_seeds
from assay.config import Metric, Task
from assay.errors import InputError
from assay.evidence import Comparison, Measurement, Rows, file_digest
from assay.stats.estimate import Estimate, relative_weight
from assay.stats.power import rows_needed
from assay.tables.engines import open_with
from assay.tables.predictions import Pairs, pair
from assay.tables.predictions_counts import ALL
from assay.tables.predictions_facts import CLIP
from assay.tables.seeds import open_seeds
from assay.tables.source import Engine

_MANY_ROWS = 1_000_000
"""Rows from which on it is said how they were joined: it decides time and memory."""
_BACKWARDS = 0.4
"""Below this ROC AUC no honest model of any use lies."""


def compare(base: Path, head: Path, asked: Asked) -> Comparison:
    """Compare the predictions in ``head`` with those in ``base``, row by row.

    Raises InputError for files that cannot be compared, OutsideError for disk and memory. What
    is merely not there (a metric's column, a class in a slice) is ``undefined`` with its reason.
    The same files and the same ``asked`` give the same bytes.
    """
    seed = asked.columns.seed
    if asked.engine == "spark":
        _refuse_on_spark(asked)
    if seed is not None:
        return over_seeds(base, head, asked, seed, partial(_compare_seeds, seed))
    with open_with(asked.engine, {"base": base, "head": head}) as engine:
        return _compare_tables(engine, {"base": base, "head": head}, asked)


def _refuse_on_spark(asked: Asked) -> None:
    remedy = "Use the engine duckdb."
    if asked.columns.seed is not None:
        raise InputError("training seeds are not compared on Spark.", remedy=remedy)
    if asked.task is Task.MULTILABEL or asked.columns.delimiter is not None:
        raise InputError("sets of labels are not compared on Spark.", remedy=remedy)


def _compare_seeds(
    column: str, files: Mapping[str, Path], seeds: Mapping[str, str | None], asked: Asked
) -> Comparison:
    with open_seeds(files, column, seeds) as engine:
        return _compare_tables(engine, files, asked)


def _compare_tables(engine: Engine, files: Mapping[str, Path], asked: Asked) -> Comparison:
    with ThreadPoolExecutor(1) as beside:
        # A digest takes as long as a scan, and a core that a stream leaves free.
        digests = beside.map(file_digest, files.values())
        pairs = pair(
            engine,
            names=asked.columns,
            task=asked.task,
            slices=asked.counted,
            means=asked.means(),
            truth=asked.truth,
            extent=extent_of(asked),
        )
        names = (f"{side}_predictions" for side in files)
        return _compared(pairs, asked, dict(zip(names, digests, strict=True)))


def not_measured(model: str, reason: str) -> Comparison:
    """The comparison that could not be made, with the reason."""
    return Comparison(model=model, not_measured=reason)


def _compared(pairs: Pairs, asked: Asked, inputs: dict[str, str]) -> Comparison:
    task = Task(pairs.task)
    either = any(side.score or side.scores for side in (pairs.inferred.base, pairs.inferred.head))
    metrics = asked.metrics(task, pairs.means, scores=either)
    if not metrics:
        raise InputError(
            "nothing can be measured: there is no label, and no column of numbers on both sides.",
            remedy="Name the columns (--label, --prediction, --score), or a metric such as "
            "mean:COLUMN.",
        )
    equal_models = asked.base_model is not None and asked.base_model == asked.head_model
    identical = equal_models and pairs.identical
    sample = gather(pairs, metrics, identical=identical)
    hidden = only_for_groups(pairs, asked)
    rows = {name: n for name, n in sample.rows.items() if name not in hidden}
    large = [name for name, n in rows.items() if name == ALL or n >= asked.min_slice_rows]
    measurements = tuple(
        measured
        for where in large
        for metric in (metrics if where == ALL else asked.in_slices(metrics))
        for measured in _measured(sample, metric, where, asked)
    )
    notes = _notes(sample, metrics, surprising=equal_models and not identical)
    return Comparison(
        inputs=inputs,
        model=asked.model,
        task=task,
        positive=(pairs.inferred.positive or "")[:LONGEST_NAME] or None,
        confidence=asked.confidence,
        rows=_rows(pairs),
        columns=_columns(pairs),
        identical_model=identical,
        identical_predictions=pairs.identical,
        test_set_changed=asked.test_set_changed or _differ(pairs),
        measurements=measurements,
        small_slices={name: n for name, n in rows.items() if name not in large},
        drawn=drawn_of(pairs, sample.arrays.get(ALL, {})),
        groups=group_rates(sample, metrics, asked.confidence),
        reuse=reuse_of(sample, metrics, asked, head=inputs["head_predictions"]),
        worst_slice=None if identical else worst_slice(pairs, metrics, asked, _shown),
        details=details_of(sample),
        notes=(*notes, *_backwards(measurements)),
    )


def _rows(pairs: Pairs) -> Rows:
    joined = pairs.joined
    return Rows(
        joined=joined.rows,
        base_only=joined.base_only,
        head_only=joined.head_only,
        base_only_examples=joined.base_only_examples,
        head_only_examples=joined.head_only_examples,
        joined_by=joined.by,
        labels_changed=pairs.labels_changed,
    )


def _differ(pairs: Pairs) -> bool:
    """Whether the two files hold other rows, or other labels of the same rows."""
    return bool(pairs.joined.base_only or pairs.joined.head_only or pairs.labels_changed)


def _measured(sample: Sample, metric: Metric, where: str, asked: Asked) -> list[Measurement]:
    """The plain difference, and the contrast against a relative margin's share of the base."""
    gate = asked.gates.get(metric.name)
    plain = estimate(sample, metric, where, Level(confidence=asked.confidence))
    result = [_measurement(metric, where, plain, margin=gate.margin if gate else None)]
    if gate is not None and gate.relative_margin is not None:
        weight = relative_weight(gate.relative_margin, greater_is_better=metric.higher_is_better)
        level = Level(confidence=asked.confidence, base_weight=weight)
        contrast = estimate(sample, metric, where, level)
        allowed = gate.relative_margin * abs(plain.base) if plain.base is not None else None
        result.append(_measurement(metric, where, contrast, margin=allowed))
    return result


def _shown(metric: Metric, where: str, found: Estimate) -> Measurement:
    return _measurement(metric, where, found, margin=None)


def _measurement(
    metric: Metric, where: str, found: Estimate, *, margin: float | None
) -> Measurement:
    ends = (found.interval.low, found.interval.high) if found.interval else None
    numbers = (found.base, found.head, found.difference, *(ends or ()))
    overflows = any(number is not None and not math.isfinite(number) for number in numbers)
    if overflows:
        return Measurement(
            metric=metric.name,
            slice=where,
            higher_is_better=metric.higher_is_better,
            base_weight=found.base_weight,
            n=found.n,
            undefined="the values are too large to compute with",
        )
    return Measurement(
        metric=metric.name,
        slice=where,
        higher_is_better=metric.higher_is_better,
        base=found.base,
        head=found.head,
        difference=found.difference,
        base_weight=found.base_weight,
        interval=ends,
        p_worse=found.p_worse,
        n=found.n,
        clusters=found.clusters,
        effective_n=found.effective_n,
        detectable=found.detectable,
        rows_needed=rows_needed(found, margin or 0.0),
        row_variance=found.row_variance,
        extra_variance=found.extra_variance,
        regime=found.regime,
        undefined=found.undefined,
    )


def _columns(pairs: Pairs) -> dict[str, str]:
    """Role to column, as the head calls it; the base's name too where it differs."""
    result = {}
    for role in ("id", "label", "prediction", "score"):
        names = [
            column.name if (column := getattr(side, role)) is not None else None
            for side in (pairs.inferred.head, pairs.inferred.base)
        ]
        present = [name for name in names if name is not None]
        if present:
            result[role] = present[0]
        if len(set(present)) > 1:
            result[f"{role} of the base"] = present[1]
    for label, column in pairs.inferred.head.scores.items():
        result[f"probability of {label}"] = column.name
    return result


def _notes(sample: Sample, metrics: tuple[Metric, ...], *, surprising: bool) -> tuple[str, ...]:
    pairs = sample.pairs
    notes = [f"Task {pairs.task}: {pairs.inferred.reason}."]
    if pairs.inferred.positive is not None:
        notes.append(f"Positive class: {pairs.inferred.positive[:60]!r}.")
    notes += pairs.notes
    if pairs.joined.by == "position":
        notes.append("Neither side has an id column: rows were joined by position.")
    if pairs.joined.rows >= _MANY_ROWS:
        notes.append(_path(pairs))
    if pairs.labels_changed:
        notes.append(
            f"{pairs.labels_changed:,} joined rows have different labels on base and head; "
            f"the {pairs.truth}'s labels are used for both sides."
        )
    unseen = _unseen(sample)
    if unseen:
        notes.append(f"Predicted, but never a label: {', '.join(map(repr, unseen))}.")
    losses = any(metric.name == "log_loss" for metric in metrics)
    if losses and "log_loss" not in sample.absent and pairs.clipped:
        notes.append(
            f"Log loss: {pairs.clipped:,} probabilities of the true class below {CLIP:.1e} "
            "count as that."
        )
    if surprising:
        notes.append(
            "The two models have the same digest, yet they predict differently: "
            "predicting is not deterministic, or other code made the predictions."
        )
    return tuple(notes)


def _path(pairs: Pairs) -> str:
    """How many rows were joined."""
    joined = pairs.joined
    if not joined.aligned:
        return "The files list their ids in different orders: rows were joined by a hash of the id."
    proof = "ascending, so none repeats" if joined.ascending else "and none repeats"
    read = "read in one stream" if joined.streamed else "read side by side"
    return f"Every id is the same in both files, row by row, {proof}: they were {read}."


def _backwards(measurements: tuple[Measurement, ...]) -> list[str]:
    """Say which side ranks the positive class last: its probabilities are the other class's."""
    whole = (m for m in measurements if (m.metric, m.slice) == ("roc_auc", ALL))
    found = next(whole, None)
    sides = (("base", found.base), ("head", found.head)) if found else ()
    return [
        f"The {side}'s ROC AUC is {value:.3f}, far below 0.5: "
        "its probabilities look like those of the other class."
        for side, value in sides
        if value is not None and value < _BACKWARDS
    ]


def _unseen(sample: Sample) -> list[str]:
    if ALL not in sample.cells:
        return []
    cells = sample.cells[ALL]
    seen = set(cells.label.tolist())
    predicted = set(cells.base.tolist()) | set(cells.head.tolist())
    return [sample.pairs.inferred.classes[code][:60] for code in sorted(predicted - seen)][:10]
