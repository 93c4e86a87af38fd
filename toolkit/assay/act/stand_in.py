"""Small actions that stand in for third parties' where there is no internet (``stand_ins/``).

Each folder ``stand_ins/<owner>/<name>`` takes the inputs and gives the outputs of the action it is
named after, in any version. They keep artifacts, caches and git remotes in ``ASSAY_ACT_STORE``.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from assay.act.references import Use
from assay.errors import InputError

STAND_INS = Path(__file__).resolve().parent / "stand_ins"


def available() -> tuple[str, ...]:
    """``owner/name`` of every stand-in."""
    return tuple(sorted(f"{p.parent.name}/{p.name}" for p in STAND_INS.glob("*/*") if p.is_dir()))


def stand_ins_for(uses: Iterable[Use]) -> dict[str, Path]:
    """``owner/name@ref`` -> folder for each use; InputError for the first that has none."""
    found: dict[str, Path] = {}
    for use in uses:
        folder = STAND_INS / use.repository
        if not (folder / use.path / "action.yml").is_file():
            name = "/".join(part for part in (use.repository, use.path) if part)
            raise InputError(
                f"there is no stand-in for {name}, and offline runs fetch no action.",
                where=use.where,
                remedy=f"Run without --offline, or use one of {', '.join(available())}.",
            )
        found[f"{use.repository}@{use.ref}"] = folder
    return found
