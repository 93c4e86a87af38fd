"""Which two commits a run compares, and the plan of it, read from the repository."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from assay.config import Config, load_config, parse_config
from assay.errors import AssayError, InputError, Location
from assay.evidence import Event, Plan
from assay.git import Repository, Revision
from assay.training.anchor import with_anchors
from assay.training.dvc_lock import Lock, parse_lock
from assay.training.plan import Ends, make_plan


def named_ends(
    repository: Repository, *, head: str, base: str | None, merge_base_with: str | None = None
) -> Ends:
    """Resolve the revisions an event names; a base that cannot be had is said, not raised."""
    found = repository.obtain(head)
    try:
        if base is not None:
            return _ends(found, repository.obtain(base))
        if merge_base_with is None:
            return Ends(head=found, why_no_base="the event names no base")
        common = repository.merge_base(merge_base_with, found.commit)
    except AssayError as error:
        return Ends(head=found, why_no_base=str(error).rstrip("."))
    if common is None:
        return Ends(head=found, why_no_base=f"it shares no history with {merge_base_with}")
    return _ends(found, common, merge_base=common.commit)


def local_ends(repository: Repository, *, base: str | None, dirty: bool) -> Ends:
    """Resolve HEAD and its base outside GitHub.

    ``base`` is taken as it is; without one it is the merge base with the default branch, and
    on that branch itself the commit before (or HEAD, where the work tree has changes).
    """
    head = repository.resolve("HEAD")
    if base is not None:
        return _ends(head, repository.resolve(base))
    branch = repository.default_branch()
    if branch is None:
        why = "no default branch was found (origin/HEAD, main, master): name one with --base"
        return Ends(head=head, why_no_base=why)
    ends = named_ends(repository, head=head.commit, base=None, merge_base_with=branch)
    if ends.base != head or dirty:
        return ends
    before = repository.parent(head.commit)
    if before is None:
        return Ends(head=head, why_no_base="HEAD is the first commit of its branch")
    return _ends(head, before)


def _ends(head: Revision, base: Revision, merge_base: str | None = None) -> Ends:
    return Ends(head=head, base=base, merge_base=merge_base)


def read_plan(
    repository: Repository,
    event: Event,
    ends: Ends,
    *,
    config: Path,
    from_work_tree: bool,
) -> Plan:
    """Read both configurations and the changed paths, and make the plan.

    ``from_work_tree`` judges what lies in the work tree (a local run), committed or not;
    otherwise only what the head commit holds.
    """
    name = root_relative(repository, config)
    head_config = (
        load_config(config, shown_as=name)
        if from_work_tree
        else _committed_config(repository, ends.head.commit, name)
    )
    changed: set[str] = set(repository.uncommitted_paths()) if from_work_tree else set()
    base_text = None
    locks: Mapping[str, tuple[Lock, Lock]] = {}
    if ends.base is not None:
        base = ends.base.commit
        changed |= set(repository.changed_paths(base, ends.head.commit))
        content = repository.show_file(base, name)
        base_text = None if content is None else content.decode(errors="replace")
        locks = _locks(repository, ends, sorted(changed), from_work_tree=from_work_tree)
    made = make_plan(
        event,
        ends,
        config_file=name,
        head_config=head_config,
        base_config_text=base_text,
        changed_paths=sorted(changed),
        locks=locks,
    )
    return with_anchors(made, repository)


def root_relative(repository: Repository, path: Path) -> str:
    """Return ``path`` from the repository's root; raises InputError where it lies outside."""
    try:
        inside = path.absolute().parent.resolve() / path.name
        return inside.relative_to(repository.root.resolve()).as_posix()
    except ValueError:
        raise InputError(
            "the file lies outside the repository.",
            where=Location(file=path.as_posix()),
            remedy=f"Name one inside {repository.root.as_posix()}.",
        ) from None


def _committed_config(repository: Repository, commit: str, name: str) -> Config:
    content = repository.show_file(commit, name)
    if content is None:
        raise InputError(
            "the head has no such file.",
            where=Location(file=name),
            remedy="Commit one (README.md shows the ten lines of a small assay.yaml), or name "
            "it with --config.",
        )
    try:
        return parse_config(content.decode(), file=name)
    except UnicodeDecodeError as error:
        raise InputError(
            f"the file is not UTF-8 (byte {error.start}).",
            where=Location(file=name),
            remedy="Save it as UTF-8.",
        ) from None


def _locks(
    repository: Repository, ends: Ends, changed: list[str], *, from_work_tree: bool
) -> dict[str, tuple[Lock, Lock]]:
    found = {}
    for name in changed:
        if PurePosixPath(name).name != "dvc.lock" or ends.base is None:
            continue
        before = repository.show_file(ends.base.commit, name)
        local = repository.root / name
        if from_work_tree:
            after = local.read_bytes() if local.is_file() else None
        else:
            after = repository.show_file(ends.head.commit, name)
        found[name] = (_lock(before, name), _lock(after, name))
    return found


def _lock(content: bytes | None, name: str) -> Lock:
    """A lock that cannot be read says nothing here; the run that needs it reports it."""
    try:
        return parse_lock((content or b"").decode(errors="replace"), file=name)
    except InputError:
        return Lock()
