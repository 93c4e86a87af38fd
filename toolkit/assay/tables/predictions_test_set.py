"""What tells one test set from another: the ids and labels of its rows, in whatever order."""

from __future__ import annotations

import hashlib

from assay.tables import predictions_task as tasks
from assay.tables.predictions import Pairs
from assay.tables.predictions_columns import Side, canonical
from assay.tables.predictions_join import BETWEEN, KEY, keyed
from assay.tables.predictions_slices import in_order
from assay.tables.sql import identifier


def digest_of_test_set(pairs: Pairs) -> str | None:
    """Return the SHA-256 of the test set, in hex; None where rows have neither id nor label.

    It is that of the side whose labels count, its rows that joined nothing included, so the other
    side cannot change it by leaving rows out. Sums of two 64-bit parts of each row's SHA-256 do
    not depend on the order of rows; without ids a row's place is its id. The features do not enter:
    a test set whose columns are computed anew has the labels it had.
    """
    inferred = pairs.inferred
    sides = in_order(inferred.base, inferred.head, pairs.truth)
    label = next((side for side in sides if side.label is not None), None)
    if inferred.task == tasks.SCORE:
        label = None
    side = label or sides[0]
    if side.id is None and label is None:
        return None
    text = " || ".join([_id(side), BETWEEN, _label(side) if label else "''"])
    first, last = (f"sum(('0x' || {part}(digest, 16))::UBIGINT)" for part in ("left", "right"))
    digests = f"SELECT sha256({text}) AS digest FROM {keyed(side)}"
    rows = pairs.engine.row(f"SELECT count(*), {first}, {last} FROM ({digests})")
    return hashlib.sha256(" ".join(map(str, rows)).encode()).hexdigest()


def _id(side: Side) -> str:
    if side.id is None or side.within is not None:
        return f"CAST({KEY} AS VARCHAR)"
    written = canonical(side.id, identifier(side.id.name), truth_as_number=False)
    return f"coalesce({written}, '')"


def _label(side: Side) -> str:
    if side.label is None:
        return "''"
    written = canonical(side.label, identifier(side.label.name), truth_as_number=True)
    return f"coalesce({written}, '')"
