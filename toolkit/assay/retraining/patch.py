"""What the job that trained hands over: files that may be proposed, and nothing else.

The consumer's code wrote them, so they are a stranger's data: only paths that were decided before
it ran are taken, and only what is a ``dvc.lock``.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from assay.errors import InputError, IntegrityError, Location
from assay.training.dvc_lock import parse_lock

MAX_BYTES = 4 * 1024 * 1024
_MOST_FILES = 50


def read_patch(folder: Path, allowed: tuple[str, ...]) -> dict[str, bytes]:
    """Return the files of ``folder`` by path; empty where there is no such folder.

    Raises IntegrityError for a file that is not ``allowed``, a link, one that is too large, or
    one that is no ``dvc.lock``.
    """
    if not folder.is_dir():
        return {}
    found: dict[str, bytes] = {}
    for place, folders, names in os.walk(folder, followlinks=False):
        for name in (*names, *(one for one in folders if (Path(place) / one).is_symlink())):
            path = Path(place) / name
            relative = path.relative_to(folder).as_posix()
            if relative not in allowed or len(found) >= _MOST_FILES:
                raise _refused(relative, f"only {', '.join(allowed)} may be proposed")
            found[relative] = _content(path, relative)
    return found


def _content(path: Path, relative: str) -> bytes:
    facts = path.lstat()
    if not stat.S_ISREG(facts.st_mode):
        raise _refused(relative, "it is no plain file")
    if facts.st_size > MAX_BYTES:
        raise _refused(relative, f"it has over {MAX_BYTES:,} bytes")
    content = path.read_bytes()
    try:
        lock = parse_lock(content.decode(), file=relative)
    except (InputError, UnicodeDecodeError):
        raise _refused(relative, "it is no dvc.lock") from None
    if not lock.stages:
        raise _refused(relative, "it has no stages")
    return content


def _refused(relative: str, why: str) -> IntegrityError:
    return IntegrityError(
        f"the patch of the training cannot be proposed: {why}.",
        where=Location(file=relative),
        remedy="Look at what the training wrote; nothing was pushed.",
    )
