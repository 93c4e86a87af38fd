"""The comparisons that ``assay power`` plans from: two files, or an evidence folder's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import click

from assay.comparison import Asked, compare
from assay.config import Columns, Gate
from assay.errors import InputError, Location
from assay.evidence import Comparison, Plan

Found = tuple[Comparison, Mapping[str, Gate]]


def comparisons_of(
    files: tuple[Path, ...], metrics: tuple[str, ...], confidence: float, columns: Columns
) -> Iterator[Found]:
    """Yield each comparison with the gates that its metrics have.

    Raises InputError where a folder holds no comparison, UsageError for a number of files that
    is neither one folder nor two files.
    """
    if len(files) == 2:
        asked = Asked(columns=columns, report=metrics or None, confidence=confidence)
        yield compare(*files, asked), {}
    elif len(files) == 1 and (files[0].is_dir() or not files[0].exists()):
        yield from _in_folder(files[0])
    else:
        raise click.UsageError("Name two prediction files, BASE and HEAD, or one evidence folder.")


def _in_folder(folder: Path) -> Iterator[Found]:
    plan, root = None, folder
    for place in (folder, folder.parent):
        if (place / Plan.FILE).is_file():
            plan, root = Plan.read(place), place
            break
    if (folder / Comparison.FILE).is_file():
        gates = {planned.name: planned.rules.gates for planned in plan.models} if plan else {}
        yield Comparison.read(folder), gates.get(folder.name, {})
        return
    models = [
        planned
        for planned in (plan.models if plan else ())
        if (root / planned.name / Comparison.FILE).is_file()
    ]
    if not models or root != folder:
        raise InputError(
            f"there is no {Comparison.FILE} in it, nor in the folders of its models.",
            where=Location(file=folder.as_posix()),
            remedy="Run `assay compare --evidence` first, or name BASE and HEAD.",
        )
    for planned in models:
        yield Comparison.read(root / planned.name), planned.rules.gates
