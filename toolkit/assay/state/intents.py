"""Intents on the branch ``assay/desired``: what workflows and people want of a target.

``intents/<target>/<model>/<generation>.json`` is one intent and the file of the same name with
``.sig`` its signature over exactly those bytes. Here they are bytes: whether one counts is decided
where keys are known.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from assay.errors import InputError, Location
from assay.state.branch import Files, StateBranch
from assay.state.desired import DESIRED

FOLDER = "intents/"
MAX_BYTES = 256 * 1024
MOST_GENERATIONS = 10**9
_NAME = re.compile(r"(?P<generation>[1-9]\d{0,8})\.(?P<kind>json|sig)")


@dataclass(frozen=True, kw_only=True)
class Signed:
    """An intent as it lies on the branch, unread. ``signature`` is empty where there is none."""

    generation: int
    content: bytes = field(repr=False)
    signature: bytes = field(repr=False)


def intents_in(files: Files, target: str, model: str, *, after: int = 0) -> tuple[Signed, ...]:
    """Return the intents of a generation above ``after``, oldest first.

    A file that is called otherwise is none. What is larger than an intent is cut off, and so
    fails its signature.
    """
    folder = f"{FOLDER}{target}/{model}/"
    found: dict[int, dict[str, bytes]] = {}
    for path, content in files.items():
        name = _NAME.fullmatch(path.removeprefix(folder)) if path.startswith(folder) else None
        if name is not None and int(name["generation"]) > after:
            found.setdefault(int(name["generation"]), {})[name["kind"]] = content[:MAX_BYTES]
    return tuple(
        Signed(
            generation=generation,
            content=parts["json"],
            signature=parts.get("sig", b""),
        )
        for generation, parts in sorted(found.items())
        if "json" in parts
    )


def read_intents(
    branch: StateBranch, target: str, model: str, *, after: int = 0
) -> tuple[Signed, ...]:
    """Fetch the intents of a generation above ``after``, oldest first; no others are read."""
    folder = f"{FOLDER}{target}/{model}/"

    def wanted(path: str) -> bool:
        name = _NAME.fullmatch(path.removeprefix(folder))
        return name is not None and int(name["generation"]) > after

    return intents_in(branch.read(folder, wanted=wanted).files, target, model, after=after)


def append_intent(
    branch: StateBranch, target: str, model: str, make: Callable[[int], tuple[bytes, bytes]]
) -> Signed:
    """Write the next intent; ``make`` gives its bytes and signature for a generation.

    Where another writer was first, ``make`` is asked again for the generation after theirs.
    """
    folder = f"{FOLDER}{target}/{model}/"
    made: list[Signed] = []

    def change(files: Files) -> Files:
        known = intents_in(files, target, model)
        generation = known[-1].generation + 1 if known else 1
        if generation >= MOST_GENERATIONS:
            raise InputError(
                "there is no generation left after the last intent's.",
                where=Location(file=f"{DESIRED}:{folder}"),
                remedy="Somebody wrote one out of order: remove it from the branch.",
            )
        content, signature = make(generation)
        made.append(Signed(generation=generation, content=content, signature=signature))
        return {f"{folder}{generation}.json": content, f"{folder}{generation}.sig": signature}

    branch.append(folder, change, message=f"{target}/{model}: an intent")
    return made[-1]
