"""What a training run was made from: commit, data, parameters, environment, machine."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from assay.errors import InputError
from assay.evidence import Lineage
from assay.git import Revision
from assay.training.dvc_lock import Lock, flatten, parse_lock
from assay.training.environment import ConsumerEnvironment
from assay.training.outputs import parse_values

_MOST_PARAMS = 2000
_MOST_VALUE = 1000


@dataclass(frozen=True, kw_only=True)
class Checkout:
    """The files a side is made from: the work tree, the model's folder in it, the commit.

    ``changed`` are the paths from the root that are not as committed, where they are known.
    """

    root: Path
    folder: Path
    revision: Revision
    dirty: bool = False
    changed: tuple[str, ...] = ()


def read_lock(folder: Path, root: Path) -> tuple[Path, Lock] | None:
    """Return the nearest ``dvc.lock`` from ``folder`` up to ``root``, None where there is none.

    Raises InputError where it cannot be read.
    """
    for place in _upwards(folder, root):
        path = place / "dvc.lock"
        if path.is_file():
            name = path.relative_to(root).as_posix()
            return place, parse_lock(path.read_text(errors="replace"), file=name)
    return None


def lineage_of(
    environment: ConsumerEnvironment, checkout: Checkout, *, seed: int | None, host: str
) -> Lineage:
    """Describe what the run in ``checkout`` was made from, after it ended."""
    try:
        found = read_lock(checkout.folder, checkout.root)
    except InputError:
        found = None
    lock = found[1] if found else Lock()
    params = lock.parameters() or _params_file(checkout.folder)
    return Lineage(
        commit=checkout.revision.commit,
        tree=checkout.revision.tree,
        dirty=checkout.dirty,
        dvc=lock.digests(),
        params=_shown(params, environment),
        environment_kind=environment.kind,
        environment_digest=environment.digest,
        python=environment.python,
        seed=seed,
        host=host,
        platform=platform.platform(),
    )


def lineage_of_lock(lock: Lock, checkout: Checkout) -> Lineage:
    """Describe outputs that a ``dvc.lock`` vouches for; where they were made is not known."""
    return Lineage(
        commit=checkout.revision.commit,
        tree=checkout.revision.tree,
        dvc=lock.digests(),
        params=_shown(lock.parameters(), None),
        environment_kind="unknown",
    )


def _shown(params: Mapping[str, str], environment: ConsumerEnvironment | None) -> dict[str, str]:
    hide = environment.redact if environment else str
    return {
        hide(name): hide(value)[:_MOST_VALUE]
        for name, value in sorted(params.items())[:_MOST_PARAMS]
    }


def _params_file(folder: Path) -> dict[str, str]:
    path = folder / "params.yaml"
    try:
        data = parse_values(path)
    except (OSError, ValueError):
        return {}
    return flatten(data) if isinstance(data, dict) else {}


def _upwards(folder: Path, root: Path) -> list[Path]:
    inside = [place for place in (folder, *folder.parents) if place.is_relative_to(root)]
    return inside or [folder]
