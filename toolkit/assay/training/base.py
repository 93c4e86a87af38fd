"""Predictions of the base, or the anchor: its DVC outputs, earlier evidence, or made again."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Literal

from assay.config import Model
from assay.errors import AssayError, IntegrityError, Location
from assay.evidence import BaseSource, ModelPlan, Plan, StageState, Training, file_digest
from assay.git import Repository, Revision
from assay.training import dvc
from assay.training.dvc_lock import Lock
from assay.training.earlier import FindEarlier
from assay.training.lineage import Checkout, lineage_of_lock, read_lock
from assay.training.outputs import keep_predictions
from assay.training.pipeline import Job, Tools, collect, train
from assay.training.stored import NotHadError, StoredOutputs, md5_of


@dataclass(frozen=True, kw_only=True)
class BaseRequest:
    """Whose base (or anchor) is wanted: the plan's model, and the folder its evidence goes to.

    ``scratch`` is a folder for the base's work tree. It lies outside the repository: uv and others
    take settings from the folders above, and the head's may not steer the base.
    """

    planned: ModelPlan
    plan: Plan
    target: Path
    scratch: Path
    side: Literal["base", "anchor"] = "base"

    @property
    def revision(self) -> Revision:
        """The commit and tree of this side."""
        if self.side == "anchor":
            return self._anchor_revision()
        if self.plan.base is None:
            raise NotHadError(f"there is no base: {self.plan.why_no_base}")
        return Revision(commit=self.plan.base.commit, tree=self.plan.base.tree)

    @property
    def name(self) -> str:
        """The model's name at the head."""
        return self.planned.name

    @property
    def model(self) -> Model:
        """The model's section of the configuration at this side's commit."""
        if self.side == "anchor":
            anchor = self.planned.anchor
            if anchor is None or anchor.rules is None:
                raise NotHadError(f"the anchor cannot be had: {anchor and anchor.missing}")
            return anchor.rules
        if self.planned.rules_from != "base":
            raise NotHadError(f"the base cannot be asked for this model: {self.planned.reason}")
        return self.planned.rules

    def _anchor_revision(self) -> Revision:
        anchor = self.planned.anchor
        if anchor is None or anchor.revision is None:
            raise NotHadError(anchor.missing or "" if anchor else "the plan names no anchor")
        return Revision(commit=anchor.revision.commit, tree=anchor.revision.tree)


def resolve_base(
    request: BaseRequest, repository: Repository, tools: Tools, find_earlier: FindEarlier
) -> Training:
    """Return the base's (or anchor's) side of a model, from the first source that works.

    In order: what its dvc.lock (or git) holds; evidence of an earlier trusted run of the
    same tree; its pipeline, run again in a work tree of its own. Where none works the
    state is ``not-measured`` and the reason names all that was tried. Never raises for that.
    """
    ways: tuple[tuple[str, Callable[[], Training]], ...] = (
        ("stored outputs", lambda: _from_outputs(request, repository, tools)),
        ("earlier evidence", lambda: _from_earlier(request, tools, find_earlier)),
        ("running it again", lambda: _from_rerun(request, repository, tools)),
    )
    tried: list[str] = []
    try:
        _ = request.revision, request.model
    except NotHadError as why:
        return _none(request, str(why))
    clock = time.monotonic()
    for name, way in ways:
        try:
            made = way()
            return made.model_copy(update={"seconds": round(time.monotonic() - clock, 3)})
        except (NotHadError, AssayError) as why:
            tried.append(f"{name}: {str(why).rstrip('.')}")
            tools.transcript.say(f"{request.side.capitalize()}: {tried[-1]}.")
    return _none(request, "; ".join(tried), tried=tuple(tried))


def _none(request: BaseRequest, reason: str, *, tried: tuple[str, ...] = ()) -> Training:
    return Training(
        model=request.name,
        side=request.side,
        state=StageState.NOT_MEASURED,
        reason=reason,
        tried=tried,
        source=BaseSource.NONE,
    )


@contextmanager
def _checkout(request: BaseRequest, repository: Repository) -> Iterator[Checkout]:
    """Check the base out under a name that stays the same, so that its environment is found."""
    revision = request.revision
    place = request.scratch / f"{request.name}-{revision.commit[:12]}"
    shutil.rmtree(place, ignore_errors=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    with repository.worktree(revision.commit, place) as root:
        folder = root / PurePosixPath(request.plan.config_file).parent / request.model.path
        if not folder.is_dir():
            raise NotHadError(f"the {request.side} has no folder {request.model.path}")
        here = repository.root / folder.relative_to(root)
        repo = dvc.find_repo(here, repository.root)
        if repo is not None:
            dvc.link_worktree(repo, repository.root, root, repository.holds)
        yield Checkout(root=root, folder=folder, revision=revision)


def _at(checkout: Checkout, repository: Repository, tools: Tools) -> Tools:
    """The tools, with environments built from the base's files alone."""
    # A worktree's history, and the shared cache of DVC, stay in the repository.
    builder = replace(tools.builder, root=checkout.root, mounts=(repository.root,))
    return replace(tools, builder=builder)


def _from_outputs(request: BaseRequest, repository: Repository, tools: Tools) -> Training:
    with _checkout(request, repository) as checkout:
        tools = _at(checkout, repository, tools)
        found = read_lock(checkout.folder, checkout.root)
        produced = None
        if found is not None:
            place, lock = found
            inside = (checkout.folder / request.model.predictions).relative_to(place).as_posix()
            produced = lock.producer(inside)
        if found is None or produced is None:
            return _committed(request, repository, tools, checkout)
        job = Job(name=request.name, model=request.model, side=request.side, checkout=checkout,
                  target=request.target)  # fmt: skip
        stage, out = produced
        StoredOutputs(job, place, lock, tools).fetch(stage.name)
        source = checkout.folder / request.model.predictions
        if not out.digest.endswith(".dir") and out.digest != md5_of(source):
            raise NotHadError(f"{request.model.predictions} does not match dvc.lock")
        detail = (
            f"{request.model.predictions} of stage {stage.name} in the {request.side}'s dvc.lock"
        )
        return _stored(request, BaseSource.DVC_OUTPUTS, detail,
                       _age(repository, request, tools), checkout, lock)  # fmt: skip


def _committed(
    request: BaseRequest, repository: Repository, tools: Tools, checkout: Checkout
) -> Training:
    if not (checkout.folder / request.model.predictions).is_file():
        raise NotHadError(
            f"neither a dvc.lock nor the {request.side}'s commit holds {request.model.predictions}"
        )
    detail = f"{request.model.predictions} as committed at the {request.side}"
    return _stored(
        request, BaseSource.FILE, detail, _age(repository, request, tools), checkout, Lock()
    )


def _stored(
    request: BaseRequest,
    source: BaseSource,
    detail: str,
    age: float,
    checkout: Checkout,
    lock: Lock,
) -> Training:
    kept = collect(request.model, checkout.folder, request.target)
    if "reason" in kept:
        raise NotHadError(kept["reason"])
    return Training(
        model=request.name,
        side=request.side,
        cache_hit=True,
        source=source,
        source_detail=detail,
        source_age_seconds=age,
        lineage=lineage_of_lock(lock, checkout),
        **kept,
    )


def _age(repository: Repository, request: BaseRequest, tools: Tools) -> float:
    committed = repository.commit_time(request.revision.commit)
    return round(max(0.0, tools.now().timestamp() - committed), 3)


def _from_earlier(request: BaseRequest, tools: Tools, find_earlier: FindEarlier) -> Training:
    folder = find_earlier(request.revision.tree, request.name)
    if folder is None:
        raise NotHadError(f"none was found for the {request.side}'s tree")
    found = Training.read(folder)
    where = Location(file=(folder / Training.FILE).as_posix())
    if found.state is not StageState.PASSED or found.predictions is None:
        raise NotHadError(f"that run has no predictions ({found.reason or found.state})")
    if found.lineage.tree != request.revision.tree or found.lineage.dirty:
        raise IntegrityError("this evidence is of another tree.", where=where)
    source = folder / Path(found.predictions.file).name
    if file_digest(source) != found.predictions.sha256:
        raise IntegrityError("the predictions do not match their digest.", where=where)
    kept = keep_predictions(source, request.target)
    return found.model_copy(
        update={
            "model": request.name,
            "side": request.side,
            "source": BaseSource.EARLIER_EVIDENCE,
            "source_detail": f"a run of the same tree, started {found.started or 'unknown when'}",
            "source_age_seconds": _since(found.started, tools),
            "predictions": kept,
        }
    )


def _since(started: str | None, tools: Tools) -> float | None:
    try:
        then = datetime.fromisoformat(started or "")
    except ValueError:
        return None
    then = then if then.tzinfo else then.replace(tzinfo=UTC)
    return round(max(0.0, (tools.now() - then).total_seconds()), 3)


def _from_rerun(request: BaseRequest, repository: Repository, tools: Tools) -> Training:
    with _checkout(request, repository) as checkout:
        tools = _at(checkout, repository, tools)
        job = Job(name=request.name, model=request.model, side=request.side, checkout=checkout,
                  target=request.target)  # fmt: skip
        made = train(job, tools)
    if made.state is not StageState.PASSED:
        raise NotHadError(made.reason or str(made.state))
    return made.model_copy(
        update={
            "source": BaseSource.RERUN,
            "source_detail": f"the {request.side}'s pipeline, run again in a work tree of its own",
            "source_age_seconds": 0.0,
        }
    )
