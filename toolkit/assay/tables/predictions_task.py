"""What the predictions are: binary, multiclass, regression, or per-row scores, and why."""

from __future__ import annotations

from dataclasses import dataclass, replace

from assay.config import Columns
from assay.errors import InputError
from assay.tables.predictions_columns import Side, canonical
from assay.tables.predictions_label_sets import check_sets, check_single, with_lists
from assay.tables.predictions_numbers import is_regression, predicted_probabilities
from assay.tables.predictions_ranking import looks_ranked, ranking_side
from assay.tables.source import Column, Engine
from assay.tables.sql import identifier

BINARY, MULTICLASS, REGRESSION, SCORE = "binary", "multiclass", "regression", "score"
RANKING, MULTILABEL = "ranking", "multilabel"

MOST_CLASSES = 100_000
LONGEST_CLASS = 1000
"""Characters of a label; longer texts are answers, not classes."""
_POSITIVE_PAIRS = (
    ("0", "1"),
    ("false", "true"),
    ("-1", "1"),
    ("no", "yes"),
    ("negative", "positive"),
)


@dataclass(frozen=True, kw_only=True)
class Inferred:
    """The task and the reason; its classes in order (none for regression and scores).

    ``base`` and ``head`` are the sides as the task reads them: probability columns by class, and
    a prediction column that holds probabilities turned into the score.
    """

    task: str
    reason: str
    base: Side
    head: Side
    classes: tuple[str, ...] = ()
    positive: str | None = None
    truth_as_number: bool = False
    delimiter: str | None = None
    """What separates the labels of a row, where they are text."""


def infer(engine: Engine, base: Side, head: Side, *, task: str | None, names: Columns) -> Inferred:
    """Decide the task from the two files, or check that the given one fits them.

    Raises InputError where the columns it needs are missing or it has too many classes.
    """
    named = names.query is not None or (looks_ranked(base) and looks_ranked(head))
    if task == RANKING or (task is None and named):
        base, head = (ranking_side(side, names) for side in (base, head))
    labels = [side.label for side in (base, head) if side.label is not None]
    if task == SCORE or (task is None and not labels and base.within is None):
        reason = _why(task, "there is no label column")
        return Inferred(task=SCORE, reason=reason, base=base, head=head)
    if not labels:
        raise _missing(base, head, "label", task or "")
    if base.within is not None:
        reason = _why(task, "items have a query and a relevance")
        return Inferred(task=RANKING, reason=reason, base=base, head=head)
    sets = names.delimiter is not None or any(map(with_lists, (base, head)))
    if task == MULTILABEL or (task is None and sets):
        return _label_sets(base, head, task=task, names=names)
    check_single(base, head)
    if task != REGRESSION:
        base, head = predicted_probabilities(engine, base, head)
    if task == REGRESSION or (task is None and is_regression(engine, base, head)):
        if base.prediction is None or head.prediction is None:
            raise _missing(base, head, "prediction", REGRESSION)
        reason = _why(task, "labels or predictions are measured numbers")
        return Inferred(task=REGRESSION, reason=reason, base=base, head=head)
    return _classes(engine, base, head, task=task, names=names)


def _label_sets(base: Side, head: Side, *, task: str | None, names: Columns) -> Inferred:
    for side in (base, head):
        if side.prediction is None:
            raise _missing(side, side, "prediction", MULTILABEL)
        check_sets(side, names)
    reason = _why(task, "each row has a set of labels")
    return Inferred(task=MULTILABEL, reason=reason, base=base, head=head, delimiter=names.delimiter)


def _why(given: str | None, reason: str) -> str:
    return "as configured" if given else reason


def _missing(base: Side, head: Side, role: str, task: str) -> InputError:
    side = head if getattr(head, role) is None else base
    listed = ", ".join(repr(c.name[:60]) for c in side.table.columns[:20])
    return InputError(
        f"no {role} column was recognised, which the task {task} needs.",
        where=side.table.where,
        remedy=f"Name it under columns (--{role}). The file has: {listed}.",
    )


def _classes(
    engine: Engine, base: Side, head: Side, *, task: str | None, names: Columns
) -> Inferred:
    columns = [
        (side, column)
        for side in (base, head)
        for column in (side.label, side.prediction)
        if column is not None
    ]
    kinds = {column.kind for _, column in columns}
    truth_as_number = "boolean" in kinds and bool(kinds & {"integer", "float"})
    found = _distinct(engine, columns, truth_as_number=truth_as_number)
    base, head = (_with_classes(side, found, named=bool(names.scores)) for side in (base, head))
    classes = _ordered(found | set(base.scores) | set(head.scores))
    if len(classes) > MOST_CLASSES:
        raise InputError(
            f"the labels and predictions have {len(classes):,} or more different values.",
            where=head.table.where,
            remedy="If they are measured numbers, say --task regression; "
            f"up to {MOST_CLASSES:,} classes are compared.",
        )
    if any(len(name) > LONGEST_CLASS for name in classes):
        raise InputError(
            f"a label or a prediction has over {LONGEST_CLASS:,} characters.",
            where=head.table.where,
            remedy="Write class names; texts are compared by a score column (mean:COLUMN).",
        )
    reason = _why(task, f"the labels and predictions have {len(classes)} different values")
    if task is None:
        task = BINARY if len(classes) <= 2 else MULTICLASS
    for side in (base, head):
        if not (side.prediction or side.scores or (task == BINARY and side.score)):
            raise _missing(side, side, "prediction", task)
    positive = None
    if task == BINARY:
        named = _as_label(names.positive, truth_as_number=truth_as_number)
        named = named if named is None else _meant(named, set(classes))
        classes, positive = _positive(classes, named, head)
    return Inferred(
        task=task,
        reason=reason,
        base=base,
        head=head,
        classes=classes,
        positive=positive,
        truth_as_number=truth_as_number,
    )


def _with_classes(side: Side, found: set[str], *, named: bool) -> Side:
    """Name the probability columns by the labels they mean.

    Recognised columns of which none means a label (p_value, say) are no probabilities.
    """
    scores = {_meant(key, found): column for key, column in side.scores.items()}
    if not named and not found & set(scores):
        scores = {}
    return replace(side, scores=scores)


def _meant(key: str, found: set[str]) -> str:
    """The label that a column name means: the same text, but for case, or the same number."""
    if key in found:
        return key
    alike = [name for name in found if name.lower() == key.lower() or _number(name) == _number(key)]
    return alike[0] if len(alike) == 1 else key


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _distinct(
    engine: Engine, columns: list[tuple[Side, Column]], *, truth_as_number: bool
) -> set[str]:
    parts = [
        f"SELECT {canonical(c, identifier(c.name), truth_as_number=truth_as_number)} AS class "
        f"FROM {side.alias}"
        for side, c in columns
    ]
    rows = engine.rows(
        f"SELECT DISTINCT class FROM ({' UNION ALL '.join(parts)}) "
        f"WHERE class IS NOT NULL LIMIT {MOST_CLASSES + 1}"
    )
    return {row[0] for row in rows}


def _ordered(found: set[str]) -> tuple[str, ...]:
    """Classes in the order of their numbers where all are numbers, else of their text."""
    try:
        return tuple(sorted(found, key=lambda name: (float(name), name)))
    except ValueError:
        return tuple(sorted(found))


def _as_label(value: str | float | bool | None, *, truth_as_number: bool) -> str | None:
    """The configured positive class, written as labels are."""
    if isinstance(value, bool):
        return str(int(value)) if truth_as_number else str(value).lower()
    return None if value is None else str(value)


def _positive(
    classes: tuple[str, ...], named: str | None, head: Side
) -> tuple[tuple[str, ...], str]:
    """The two classes, negative first, and the positive one."""
    where = head.table.where
    listed = ", ".join(repr(name[:60]) for name in classes[:10])
    if named is not None:
        others = [name for name in classes if name != named]
        if len(others) > 1 or (named not in classes and len(classes) == 2):
            raise InputError(
                f"the task is binary with the positive class {named!r}, but the labels and "
                f"predictions are {listed}.",
                where=where,
                remedy="Set columns.positive to one of two classes, or task: multiclass.",
            )
        return (others[0] if others else "(other)", named), named
    if len(classes) > 2:
        raise InputError(
            f"the task is binary, but there are {len(classes)} classes: {listed}.",
            where=where,
            remedy="Write task: multiclass, or merge the classes.",
        )
    for negative, positive in _POSITIVE_PAIRS:
        matching = [name for name in classes if name.lower() in {negative, positive}]
        if matching == list(classes):
            ordered = {name.lower(): name for name in classes}
            one = ordered.get(positive, positive)
            return (ordered.get(negative, negative), one), one
    if len(classes) == 1:
        raise InputError(
            f"there is one class only, {listed}, so the positive one cannot be told.",
            where=where,
            remedy="Name it: columns.positive (--positive).",
        )
    return classes, classes[1]
