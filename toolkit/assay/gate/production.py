"""What a version in production was like when it was judged: its evidence, found on GitHub.

``<folder>/<key>/`` keeps reference.json and comparison.json of a version, because artifacts expire
before versions do. The key is the version's digest, or the tree of the default branch.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from assay.errors import AssayError, OutsideError
from assay.evidence import Comparison, Document, Outcome, Reference, Verdict, write_atomically
from assay.gate.earlier import fetch_tree
from assay.gate.sides import read_if_there
from assay.github.client import Client
from assay.github.payload import is_commit

KINDS: tuple[type[Document], ...] = (Reference, Comparison)
_NEWEST = "newest"
_MOST_COMMITS = 20

Say = Callable[[str], object]


@dataclass(frozen=True, kw_only=True)
class Seeking:
    """Whose evidence is sought, on which branch trusted runs ran, and where it is kept."""

    client: Client
    model: str
    branch: str
    folder: Path
    say: Say


def evidence_of_version(
    seeking: Seeking, key: str, tree: str, digests: Mapping[str, str]
) -> Path | None:
    """Fetch what was judged as ``tree``; ``digests`` are SHA-256 of its documents by file name.

    Returns the folder that keeps them; None where there is nothing of those digests.
    """
    target = seeking.folder / key
    if kept(target):
        return target
    with tempfile.TemporaryDirectory() as scratch:
        found = fetch_tree(
            seeking.client, tree, seeking.branch, Path(scratch), proposals=True, say=seeking.say
        )
        if found is None:
            return None
        for kind in KINDS:
            document = read_if_there(kind, Path(scratch) / seeking.model)
            if document is not None and document.digest() == digests.get(kind.FILE):
                document.write(target)
    if not kept(target):
        seeking.say(f"The evidence of tree {tree[:12]} is not that of the version that answers.")
        return None
    return target


def newest_judged(seeking: Seeking) -> Path | None:
    """Find the newest commit of the branch whose evidence has the model, and did not fail.

    Where GitHub cannot be asked, what was found last is returned.
    """
    pointer = seeking.folder / _NEWEST
    try:
        tree = _newest_tree(seeking)
    except AssayError as error:
        known = pointer.read_text().strip() if pointer.is_file() else ""
        seeking.say(
            f"The reference is {f'that of tree {known[:12]}' if known else 'none'}: {error}"
        )
        return seeking.folder / known if known and kept(seeking.folder / known) else None
    if tree is None:
        return None
    write_atomically(pointer, tree)
    return seeking.folder / tree


def kept(folder: Path) -> bool:
    """Say whether a folder holds what a version is compared with."""
    return any((folder / kind.FILE).is_file() for kind in KINDS)


def _newest_tree(seeking: Seeking) -> str | None:
    facts = seeking.client.get(f"commits/{seeking.branch}")
    commit = facts.get("sha") if isinstance(facts, dict) else None
    for _ in range(_MOST_COMMITS):
        if not isinstance(commit, str) or not is_commit(commit):
            break
        facts = seeking.client.get(f"git/commits/{commit}")
        tree = _tree(facts)
        if _holds(seeking, tree):
            return tree
        parents = facts.get("parents") or [{}]
        commit = parents[0].get("sha")
    seeking.say(f"No run on {seeking.branch} left evidence of {seeking.model}.")
    return None


def _tree(facts: object) -> str:
    tree = facts.get("tree") if isinstance(facts, dict) else None
    found = tree.get("sha") if isinstance(tree, dict) else None
    if not isinstance(found, str) or not is_commit(found):
        raise OutsideError("GitHub's answer is no commit.")
    return found


def _holds(seeking: Seeking, tree: str) -> bool:
    """Whether a tree's evidence has the model; what was fetched once is not fetched again."""
    target = seeking.folder / tree
    if target.is_dir():
        return kept(target)
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        if (
            fetch_tree(seeking.client, tree, seeking.branch, place, proposals=True, say=seeking.say)
            is None
        ):
            return False
        passed = Verdict.read(place).state is not Outcome.FAIL
        target.mkdir(parents=True, exist_ok=True)
        try:
            for kind in KINDS if passed else ():
                document = read_if_there(kind, place / seeking.model)
                if document is not None:
                    document.write(target)
        except BaseException:
            shutil.rmtree(target, ignore_errors=True)
            raise
    return kept(target)
