"""Two prediction files, joined row by row, and what can be counted of them.

:func:`pair` recognises the columns, infers the task, joins by id and refuses what cannot be
compared; the counts come from predictions_counts and predictions_moments.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from assay.config import Columns, Cross, Slice
from assay.errors import InputError
from assay.tables import predictions_task as tasks
from assay.tables.predictions_columns import recognise
from assay.tables.predictions_design import Drawn, design_columns, drawn, likely_entity
from assay.tables.predictions_facts import Facts, facts, has_scores, missing_sql
from assay.tables.predictions_groups import (
    ROWS,
    Extent,
    Group,
    columns_of,
    crosses_of,
    crossings,
    in_order_of,
    singles,
)
from assay.tables.predictions_join import EXAMPLES, Joined, check_positions, join_keys
from assay.tables.predictions_label_sets import label_notes
from assay.tables.predictions_means import means_of
from assay.tables.predictions_paired import paired_rows
from assay.tables.predictions_parts import Parts, in_parts
from assay.tables.predictions_ranking import by_query
from assay.tables.predictions_slices import Sliced, Truth, in_order, resolve
from assay.tables.predictions_task import Inferred, infer
from assay.tables.source import Engine

DECLARED = Extent()
"""Every value of the slice columns, and no search."""


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """Facts of the joined rows, which lie in the engine's table ``paired``."""

    engine: Engine
    inferred: Inferred
    joined: Joined
    labels_changed: int
    identical: bool
    """Whether both sides predict the same on every joined row."""
    slices: tuple[Group, ...]
    """The ways in which the rows are divided, in the order asked for."""
    searched: tuple[Group, ...]
    """The ways among which the worst slice is searched."""
    means: tuple[str, ...]
    """Score columns that both sides have, in the order of the columns base_m0, base_m1, …"""
    absent_means: dict[str, str]
    """Asked-for score columns that cannot be compared, with the reason."""
    broken: dict[str, str]
    """Why probabilities cannot be used: by 'missing', 'outside' and 'sum'."""
    notes: tuple[str, ...]
    parts: Parts
    """The joined rows, as several threads count them."""
    own: bool
    """Whether the engine's own connection alone reads the joined rows, which need its tables."""
    select: Callable[[range], str] | None
    """SQL for a range of the joined rows; None where rows have no place."""
    drawn: Drawn | None = None
    """How the rows were drawn, where columns say so."""
    clipped: int = 0
    """Probabilities of the true class, on either side, that the log loss clips."""
    truth: Truth = "head"
    """Whose labels and slices count where both sides have them."""

    @property
    def task(self) -> str:
        """The task's name."""
        return self.inferred.task

    @property
    def unanswered(self) -> str | None:
        """Why the rows have no predicted class, where a side has scores alone."""
        sides = (self.inferred.base, self.inferred.head)
        if self.task == tasks.REGRESSION or "outside" not in self.broken:
            return None
        lacking = [side.table.name for side in sides if side.prediction is None]
        if not lacking:
            return None
        return f"the {lacking[0]} has no prediction column, and {self.broken['outside']}"

    @property
    def has_scores(self) -> bool:
        """Whether both sides have the probabilities that the task needs."""
        return has_scores(self.inferred, self.inferred.base) and has_scores(
            self.inferred, self.inferred.head
        )


def pair(
    engine: Engine,
    *,
    names: Columns,
    task: str | None,
    slices: tuple[Slice | Cross, ...] = (),
    means: tuple[str, ...] | None = (),
    truth: Truth = "head",
    extent: Extent = DECLARED,
) -> Pairs:
    """Join the tables ``base`` and ``head`` of ``engine``.

    ``means`` are the score columns whose mean is asked for; None: every numeric column that has
    no role, where the task is per-row scores. ``truth`` says whose labels and slices count where
    both have them, ``extent`` which slices are counted. Raises InputError where the two cannot
    be compared.
    """
    sides = [recognise(engine.tables[name], names) for name in ("base", "head")]
    inferred = infer(engine, sides[0], sides[1], task=task, names=names)
    base, head = inferred.base, inferred.head
    joined = join_keys(engine, base, head, average=inferred.task == tasks.SCORE)
    columns = columns_of(slices)
    sliced = tuple(resolve(engine, each, base, head, truth, least=extent.least) for each in columns)
    present, absent = means_of(inferred, means, columns)
    crosses = crosses_of(slices, columns, every=extent.depth > 1)
    table = ROWS if crosses else "paired"
    more = design_columns(names, base, head, truth)
    select = partial(paired_rows, inferred, joined, sliced, present, truth, more=more)
    # Many rows in one order are not even copied, but read anew by every query.
    streamed = joined.streamed and not more
    engine.run(f"CREATE TEMP {'VIEW' if streamed else 'TABLE'} {table} AS {select()}")
    of_range = _of_range(engine, select, table, streamed=streamed)
    own = not streamed or bool(columns)
    parts = in_parts(engine, None if own else of_range, joined.rows)
    groups = singles(sliced)
    groups += crossings(engine, crosses, sliced, least=extent.least) if crosses else ()
    asked = in_order_of(slices, groups)
    notes = [*_side_notes(inferred), *_averaged(joined)]
    notes += filter(None, (group.left_out(searched=extent.depth > 0) for group in asked))
    differing = tuple(place for place, each in enumerate(sliced) if each.other is not None)
    found = facts(parts, inferred, differing=differing, means=len(present))
    notes += _disagreements(found, sliced, truth)
    check_positions(engine, joined, head, found.changed)
    _refuse_missing(engine, inferred, found, truth)
    design = drawn(engine, names, base, head, truth)
    notes += design.notes if design else ()
    if names.entity is None:
        notes += filter(None, (likely_entity(engine, *in_order(base, head, truth)),))
    notes += _shaped(engine, inferred, joined, groups, design)
    return Pairs(
        engine=engine,
        inferred=inferred,
        joined=joined,
        labels_changed=found.changed,
        identical=found.identical,
        slices=tuple(group.only_listed() for group in asked),
        searched=groups if extent.depth else (),
        means=present,
        absent_means=absent,
        broken=found.broken,
        clipped=found.clipped,
        parts=parts,
        own=own,
        select=of_range,
        notes=tuple(notes),
        truth=truth,
        drawn=design,
    )


def _of_range(
    engine: Engine, select: Callable[..., str], table: str, *, streamed: bool
) -> Callable[[range], str] | None:
    """What writes the SQL for a range of the joined rows, where rows have a place."""
    if streamed:
        return (lambda rows: select(rows=rows)) if engine.has_numbers() else None
    if not engine.has_order:
        return None
    return lambda rows: (
        f"SELECT * FROM {table} WHERE rowid BETWEEN {rows.start} AND {rows.stop - 1}"
    )


def _shaped(
    engine: Engine,
    inferred: Inferred,
    joined: Joined,
    groups: tuple[Group, ...],
    design: Drawn | None,
) -> list[str]:
    """Turn the rows of a ranking into one per query; returns what a reader should know of them."""
    if inferred.task == tasks.RANKING:
        drawn_by = design.columns if design else {}
        return list(by_query(engine, joined, inferred.head, groups, drawn_by))
    return list(label_notes(engine)) if inferred.task == tasks.MULTILABEL else []


def _averaged(joined: Joined) -> list[str]:
    return [
        f"{count:,} ids stand on several rows of the {side}: their numbers are averaged."
        for side, count in joined.averaged.items()
    ]


def _side_notes(inferred: Inferred) -> list[str]:
    base, head = inferred.base, inferred.head
    notes = []
    for role in ("id", "label", "prediction"):
        left, right = getattr(base, role), getattr(head, role)
        if left is not None and right is not None and left.kind != right.kind:
            notes.append(
                f"The {role} is {left.kind} on the base and {right.kind} on the head; "
                "1, 1.0 and '1' count as equal."
            )
    for side in (base, head):
        if inferred.task in {tasks.BINARY, tasks.MULTICLASS} and side.prediction is None:
            rule = "probability >= 0.5" if inferred.task == tasks.BINARY else "likeliest class"
            notes.append(f"The {side.table.name} has no prediction column: its {rule} is used.")
    if inferred.task != tasks.SCORE and (base.label is None or head.label is None):
        have = "head" if base.label is None else "base"
        notes.append(f"Only the {have} has labels; they are used for both sides.")
    return notes


def _disagreements(found: Facts, slices: tuple[Sliced, ...], truth: Truth) -> list[str]:
    return [
        f"{slices[place].asked.column!r} differs between base and head in {count:,} rows; "
        f"the {truth}'s value is used."
        for place, count in found.differing.items()
        if count
    ]


def _refuse_missing(engine: Engine, inferred: Inferred, found: Facts, truth: Truth) -> None:
    """Raise InputError where a label or a prediction is missing or not finite."""
    finite = inferred.task in (tasks.REGRESSION, tasks.RANKING)
    predicted = "score" if inferred.task == tasks.RANKING else "prediction"
    first, second = in_order(inferred.base, inferred.head, truth)
    sides = {
        "label": first if first.label else second,
        "base": inferred.base,
        "head": inferred.head,
    }
    for column, bad in missing_sql(inferred).items():
        count = found.missing[column]
        if not count:
            continue
        rows = engine.rows(
            f"SELECT CAST(id AS VARCHAR) AS name FROM paired WHERE {bad} "
            f"ORDER BY name LIMIT {EXAMPLES}"
        )
        what = "missing, infinite or no number" if finite else "missing"
        shown = ", ".join(repr(row[0][:60]) for row in rows)
        role = "label" if column == "label" else predicted
        raise InputError(
            f"the {role} is {what} in {count:,} joined rows (ids {shown}).",
            where=sides[column].table.where,
            remedy=f"Every compared row needs a {role}.",
        )
