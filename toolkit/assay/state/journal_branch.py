"""The branch ``assay/journal``: where controllers put their chain of decisions for all to read.

``journal/<target>/<model>/<n>.jsonl`` holds lines 500 n + 1 to 500 (n + 1) of the chain, and
``observed/<target>/<model>.json`` what the controller saw last. The branch is appended to by
compare-and-swap. What it holds must be how the controller's own chain begins; where it is not,
nothing is written, and nothing is ever forced.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from assay.errors import IntegrityError, Location
from assay.state.branch import TRIES, Appended, Files, StateBranch
from assay.state.journal import LINES_PER_FILE, Link, chain_in, common_start

JOURNAL = "assay/journal"
_SEGMENT = re.compile(r"(?:0|[1-9]\d{0,5})\.jsonl")


class Diverged(IntegrityError):
    """The branch holds decisions that this host did not make."""


def folder_of(target: str, model: str) -> str:
    """Return where the chain of a model on a target lies."""
    return f"journal/{target}/{model}/"


def observed_path(target: str, model: str) -> str:
    """Return where the last observation of a model on a target lies."""
    return f"observed/{target}/{model}.json"


def chain_of(files: Files, target: str, model: str) -> tuple[Link, ...]:
    """Read the chain that the branch's ``files`` hold; raises IntegrityError where it breaks."""
    folder = folder_of(target, model)
    names = [path.removeprefix(folder) for path in files if path.startswith(folder)]
    numbers = sorted(int(name.partition(".")[0]) for name in names if _SEGMENT.fullmatch(name))
    links: tuple[Link, ...] = ()
    for expected, number in enumerate(numbers):
        path = f"{folder}{number}.jsonl"
        if number != expected or len(links) != number * LINES_PER_FILE:
            raise IntegrityError(
                "a file of the chain before this one is missing or too short.",
                where=Location(file=f"{JOURNAL}:{path}"),
                remedy="Bring the branch back to a commit in which it is whole (docs/faults.md).",
            )
        last = links[-1] if links else None
        links += chain_in(files[path], file=f"{JOURNAL}:{path}", after=last)
    return links


def read_chain(branch: StateBranch, target: str, model: str) -> tuple[Link, ...]:
    """Fetch and verify the chain of a model on a target."""
    return chain_of(branch.read(folder_of(target, model)).files, target, model)


def push_chain(
    branch: StateBranch,
    target: str,
    model: str,
    ours: Sequence[Link],
    *,
    beside: Mapping[str, bytes] | None = None,
    tries: int = TRIES,
) -> Appended:
    """Bring what the branch lacks of ``ours`` there, and the files ``beside`` in the same commit.

    Raises Diverged where the branch holds anything that is not how ``ours`` begins, and what
    StateBranch.append raises where the remote cannot be reached or refuses.
    """

    def change(files: Files) -> Files:
        theirs = chain_of(files, target, model)
        if not common_start(ours, theirs):
            raise _diverged(target, model, ours, theirs)
        changed = _files_of(folder_of(target, model), ours, first=len(theirs))
        return {**changed, **(beside or {})}

    newest = ours[-1].facts if ours else {}
    message = f"{target}/{model}: {newest.get('kind', 'observed')} (number {len(ours)})"
    return branch.append(folder_of(target, model), change, message=message, tries=tries)


def _files_of(folder: str, links: Sequence[Link], *, first: int) -> dict[str, bytes]:
    """Return the files, whole, that hold the links from the one at index ``first`` on."""
    if first >= len(links):
        return {}
    numbers = range(first // LINES_PER_FILE, (len(links) - 1) // LINES_PER_FILE + 1)
    return {
        f"{folder}{number}.jsonl": b"".join(
            link.line for link in links[number * LINES_PER_FILE : (number + 1) * LINES_PER_FILE]
        )
        for number in numbers
    }


def _diverged(target: str, model: str, ours: Sequence[Link], theirs: Sequence[Link]) -> Diverged:
    known = {link.seq: link.digest for link in ours}
    first = next(link.seq for link in theirs if known.get(link.seq) != link.digest)
    return Diverged(
        f"decision {first} of {model} on {target} is not the one that this controller made "
        f"(it has {len(ours)}, the branch {len(theirs)}).",
        where=Location(file=f"{JOURNAL}:{folder_of(target, model)}"),
        remedy="Another controller wrote there, or the branch was rewritten. Nothing is promoted "
        "until both agree; rollbacks stay allowed (docs/faults.md).",
    )
