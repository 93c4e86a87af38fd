"""Copies a working tree as git sees it: what is tracked or would be, in its present state."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from assay.act.gitcli import run_git


def export_tree(source: Path, target: Path, *, env: Mapping[str, str]) -> int:
    """Copy every tracked and untracked, not ignored file below ``source``; returns their number.

    Modes and symbolic links are kept. A tracked file that is gone from the working tree is left
    out; submodules are left out.
    """
    done = run_git(source, "ls-files", "-z", "--cached", "--others", "--exclude-standard", env=env)
    names = dict.fromkeys(name for name in done.stdout.decode("utf-8").split("\0") if name)
    copied = 0
    for name in names:
        origin = source / name
        if not origin.is_symlink() and not origin.is_file():
            continue
        place = target / name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(origin, place, follow_symlinks=False)
        copied += 1
    return copied
