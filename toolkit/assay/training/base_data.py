"""The base's data files, where git or the local DVC cache holds them: nothing is downloaded."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from assay.config.document import parse_yaml
from assay.errors import InputError
from assay.evidence import write_atomically
from assay.git import Repository
from assay.training import dvc
from assay.training.dvc_lock import parse_lock


def place_base_data(
    repository: Repository, commit: str, *, folder: str, names: Iterable[str], target: Path
) -> None:
    """Put those files of the base that can be had into ``target``, under their own names.

    ``folder`` is the model's folder from the repository's root; ``names`` count from it.
    """
    for name in names:
        inside = posixpath.normpath(posixpath.join(folder, name))
        content = repository.show_file(commit, inside, filters=True)
        place = target / name
        place.unlink(missing_ok=True)
        if content is not None:
            write_atomically(place, content)
            continue
        cached = _cached(repository, commit, PurePosixPath(inside))
        if cached is not None:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(cached.resolve())


def _cached(repository: Repository, commit: str, inside: PurePosixPath) -> Path | None:
    """The cached file that a ``.dvc`` file or a ``dvc.lock`` of the base names for ``inside``."""
    repo = dvc.find_repo(repository.root / inside.parent, repository.root)
    if repo is None:
        return None
    for path, digest in _tracked(repository, commit, inside):
        if not digest.endswith(".dir"):
            return _object(repo, digest)
        listing = _object(repo, digest)
        member = _member(listing, inside.relative_to(path)) if listing else None
        return _object(repo, member) if member else None
    return None


def _tracked(
    repository: Repository, commit: str, inside: PurePosixPath
) -> Iterator[tuple[PurePosixPath, str]]:
    """Paths and digests under which the base tracks a file, or a folder that it lies in."""
    for path in (inside, *list(inside.parents)[:-1]):
        text = repository.show_file(commit, f"{path}.dvc")
        if text is not None:
            digest = _pointer(text, f"{path}.dvc")
            if digest:
                yield path, digest
    for place in inside.parents:
        name = str(place / "dvc.lock")
        text = repository.show_file(commit, name)
        if text is None:
            continue
        try:
            lock = parse_lock(text.decode(errors="replace"), file=name)
        except InputError:
            return
        made = lock.producer(str(inside.relative_to(place)))
        if made is not None:
            yield PurePosixPath(posixpath.normpath(str(place / made[1].path))), made[1].digest


def _pointer(text: bytes, file: str) -> str | None:
    try:
        data = parse_yaml(text.decode(errors="replace"), file=file).data
    except InputError:
        return None
    outs = data.get("outs") if isinstance(data, dict) else None
    first = outs[0] if isinstance(outs, list) and outs else None
    digest = first.get("md5") if isinstance(first, dict) else None
    return str(digest) if digest else None


def _object(repo: dvc.Repo, digest: str) -> Path | None:
    if not all(character in "0123456789abcdef" for character in digest.removesuffix(".dir")):
        return None
    for version in ("files/md5", "."):
        path = repo.cache / version / digest[:2] / digest[2:]
        if len(digest) > 2 and path.is_file():
            return path
    return None


def _member(listing: Path, name: PurePosixPath) -> str | None:
    try:
        entries = json.loads(listing.read_text(encoding="utf-8"))
        found = [str(entry["md5"]) for entry in entries if entry["relpath"] == str(name)]
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return found[0] if found else None
