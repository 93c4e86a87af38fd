"""Earlier evidence as files: where the plan puts it, and where a base looks for it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from assay.errors import InputError, Location
from assay.evidence import Training
from assay.git import Repository

FindEarlier = Callable[[str, str], Path | None]
"""Given a git tree and a model's name: the folder of a trusted run's evidence, if there is one."""

EARLIER = "_earlier"
"""The folder of an evidence folder that holds earlier evidence, as ``<tree>/<model>/``."""

_TREE = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")


def in_folder(folder: Path) -> FindEarlier:
    """Look for earlier evidence in ``folder``, laid out as ``<tree>/<model>/training.json``."""

    def find(tree: str, model: str) -> Path | None:
        place = folder / tree / model
        known = _TREE.fullmatch(tree) is not None
        return place if known and (place / Training.FILE).is_file() else None

    return find


def refuse_committed(repository: Repository, evidence: Path) -> None:
    """Raise InputError where HEAD holds the evidence folder: it would bring its own evidence."""
    for place in (repository.root / ".assay", Path.cwd() / evidence):
        if repository.holds(place):
            raise InputError(
                "evidence is made by a run, and here the commit brings it along.",
                where=Location(file=place.as_posix()),
                remedy="Take it out of git: `git rm -r --cached` it, and commit.",
            )
