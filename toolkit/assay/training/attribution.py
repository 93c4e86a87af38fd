"""The two mixed corners of a 2×2: the head's code on the base's data, and the other way round.

They run after the head's own training, in the same job and with the same rights: what they make
is the head's word, and decides nothing.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Literal

from assay.config import Config, Model
from assay.errors import AssayError
from assay.evidence import ModelPlan, Plan, StageState, Training, write_atomically
from assay.git import Repository, Revision
from assay.training import dvc
from assay.training.change import data_paths
from assay.training.lineage import Checkout
from assay.training.pipeline import Job, Tools, train
from assay.training.stored import NotHadError

Mixed = Literal["code-only", "data-only"]
MIXED: tuple[Mixed, ...] = ("code-only", "data-only")


@dataclass(frozen=True, kw_only=True)
class CornerRequest:
    """One mixed corner: its model, and the folder its evidence goes to.

    ``head`` is the model's section at the head; ``config`` both configurations', to know what
    is data.
    """

    planned: ModelPlan
    plan: Plan
    head: Model
    configs: Sequence[Config]
    corner: Mixed
    target: Path
    scratch: Path

    @property
    def model(self) -> Model:
        """The section of the configuration that belongs to the corner's code."""
        return self.head if self.corner == "code-only" else self.planned.rules


def train_corner(request: CornerRequest, repository: Repository, tools: Tools) -> Training:
    """Run the pipeline of one corner; what stands in the way is its reason, never raised."""
    try:
        with _checkout(request, repository) as checkout:
            builder = replace(tools.builder, root=checkout.root, mounts=(repository.root,))
            job = Job(
                name=request.planned.name,
                model=request.model,
                side=request.corner,
                checkout=checkout,
                target=request.target,
            )
            return train(job, replace(tools, builder=builder))
    except (NotHadError, AssayError) as why:
        return Training(
            model=request.planned.name,
            side=request.corner,
            state=StageState.NOT_MEASURED,
            reason=tools.builder.redact(str(why).rstrip(".")),
        )


@contextmanager
def _checkout(request: CornerRequest, repository: Repository) -> Iterator[Checkout]:
    """Check the code out, and put the other side's data into it."""
    plan = request.plan
    if plan.base is None:
        raise NotHadError("there is no base")
    if plan.event.name == "local" and _unsaved(request, repository):
        raise NotHadError("the work tree has changes that no commit holds: commit them first")
    code, data = plan.head, plan.base
    if request.corner == "data-only":
        code, data = data, code
    place = request.scratch / f"{request.planned.name}-{request.corner}"
    shutil.rmtree(place, ignore_errors=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    with repository.worktree(code.commit, place) as root:
        changed = repository.changed_paths(plan.base.commit, plan.head.commit)
        for name in data_paths(changed, config_file=plan.config_file, configs=request.configs):
            _put(repository, data.commit, name, root)
        folder = root / PurePosixPath(plan.config_file).parent / request.model.path
        if not folder.is_dir():
            raise NotHadError(f"there is no folder {request.model.path}")
        repo = dvc.find_repo(repository.root / folder.relative_to(root), repository.root)
        if repo is not None:
            dvc.link_worktree(repo, repository.root, root, repository.holds)
        revision = Revision(commit=code.commit, tree=code.tree)
        yield Checkout(root=root, folder=folder, revision=revision, dirty=True)


def _unsaved(request: CornerRequest, repository: Repository) -> bool:
    """Whether the work tree holds more than its commit and what the head's own run wrote."""
    model, folder = request.head, PurePosixPath(request.planned.path)
    written = {str(folder / name) for name in (model.predictions, model.artifact) if name}
    names = repository.uncommitted_paths()
    return any(name not in written and PurePosixPath(name).name != "dvc.lock" for name in names)


def _put(repository: Repository, commit: str, name: str, root: Path) -> None:
    content = repository.show_file(commit, name, filters=True)
    if content is None:
        (root / name).unlink(missing_ok=True)
    else:
        write_atomically(root / name, content)
