"""Copies a working tree as a download of it has it, in its present state."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from assay.act.gitcli import run_git


def export_tree(source: Path, target: Path, *, env: Mapping[str, str]) -> int:
    """Copy every tracked and untracked, not ignored file below ``source``; returns their number.

    Modes and symbolic links are kept. A tracked file that is gone from the working tree is left
    out, and so are submodules and what ``.gitattributes`` calls ``export-ignore``: GitHub leaves
    that out of the archive that a runner downloads an action as.
    """
    done = run_git(source, "ls-files", "-z", "--cached", "--others", "--exclude-standard", env=env)
    asked = run_git(
        source, "check-attr", "-z", "--stdin", "export-ignore", env=env, stdin=done.stdout
    )
    words = asked.stdout.decode("utf-8").split("\0")
    ignored = {name for name, value in zip(words[::3], words[2::3], strict=False) if value == "set"}
    names = dict.fromkeys(name for name in done.stdout.decode("utf-8").split("\0") if name)
    copied = 0
    for name in names:
        origin = source / name
        if name in ignored:
            continue
        if not origin.is_symlink() and not origin.is_file():
            continue
        place = target / name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(origin, place, follow_symlinks=False)
        copied += 1
    return copied
