"""The test-set reuse ledger: one file for each model and test set, one line for each decision.

``ledger/<model>/<test set's digest>.jsonl`` holds JSON objects, oldest first. Lines are only added;
the same head on the same test set counts once, so adding is idempotent.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from assay.state.branch import Files
from assay.state.lines import MODEL, TIME, damaged, line_of, lines_in

FOLDER = "ledger/"
MOST_DECISIONS = 1_000
"""On one test set; with so many it is worn whatever the margin, and no more are written."""
MOST_TEST_SETS = 100
"""Of one model: a stranger's run names its own, and may not fill a branch."""
_FACTS = ("run", "commit", "credit")
_REMEDY = "delete the file: the test set is then counted from there on."
_DIGEST = re.compile(r"[0-9a-f]{64}")
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_PATH = re.compile(rf"{FOLDER}(?P<model>{MODEL.pattern})/(?P<test_set>{_DIGEST.pattern})\.jsonl")


@dataclass(frozen=True, kw_only=True)
class Decision:
    """One head that was judged on one test set: digests of its predictions and of the test set.

    Raises ValueError for anything that is not of its form, since a run of a stranger may say it.
    """

    model: str
    test_set: str
    head: str
    at: str
    run: int | None = None
    commit: str | None = None
    credit: int | None = None
    """The smallest that a gate's margin afforded, when it was decided."""

    def __post_init__(self) -> None:
        """Refuse what could not be written or read back."""
        wrong = (
            not MODEL.fullmatch(self.model)
            or not all(map(_DIGEST.fullmatch, (self.test_set, self.head)))
            or not TIME.fullmatch(self.at)
            or not all(
                number is None or (type(number) is int and least <= number < 2**63)
                for number, least in ((self.run, 1), (self.credit, 0))
            )
            or not (self.commit is None or _COMMIT.fullmatch(self.commit))
        )
        if wrong:
            raise ValueError("this is no decision")

    @property
    def path(self) -> str:
        """The file that it stands in."""
        return f"{FOLDER}{self.model}/{self.test_set}.jsonl"

    def line(self) -> bytes:
        """The line that it is."""
        facts = {name: getattr(self, name) for name in ("head", "at", *_FACTS)}
        return line_of(facts)


@dataclass(frozen=True, kw_only=True)
class Full:
    """A decision that no room is left for, and why."""

    decision: Decision
    reason: str


def decisions_in(path: str, content: bytes) -> tuple[Decision, ...]:
    """Read one file, each head once, in the order of its lines.

    Raises IntegrityError naming the line that is none.
    """
    place = _PATH.fullmatch(path)
    if place is None:
        raise damaged(path, None, "no file of the ledger is called like this", remedy=_REMEDY)
    found: dict[str, Decision] = {}
    for number, line in lines_in(path, content, remedy=_REMEDY):
        try:
            facts = json.loads(line)
            made = Decision(
                model=place["model"],
                test_set=place["test_set"],
                head=facts["head"],
                at=facts["at"],
                **{name: facts.get(name) for name in _FACTS},
            )
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise damaged(path, number, "this line is no decision", remedy=_REMEDY) from None
        found.setdefault(made.head, made)
    return tuple(found.values())


def with_decisions(
    files: Files, decisions: Iterable[Decision]
) -> tuple[dict[str, bytes], tuple[Full, ...]]:
    """Return the files to write so that ``decisions`` stand in them, and those that found no room.

    What stands there already is not added again. Raises IntegrityError for a damaged file that
    would have to be written.
    """
    changed: dict[str, bytes] = {}
    full = []
    for decision in decisions:
        content = changed.get(decision.path, files.get(decision.path))
        known = decisions_in(decision.path, content) if content is not None else ()
        if any(other.head == decision.head for other in known):
            continue
        reason = _no_room({**files, **changed}, decision, len(known), new=content is None)
        if reason is not None:
            full.append(Full(decision=decision, reason=reason))
            continue
        changed[decision.path] = (content or b"") + decision.line()
    return changed, tuple(full)


def _no_room(
    files: Mapping[str, bytes], decision: Decision, known: int, *, new: bool
) -> str | None:
    if known >= MOST_DECISIONS:
        return f"the test set has decided {MOST_DECISIONS:,} times: take a new one"
    folder = f"{FOLDER}{decision.model}/"
    test_sets = sum(path.startswith(folder) for path in files)
    if new and test_sets >= MOST_TEST_SETS:
        return f"the model has {MOST_TEST_SETS} test sets: delete those no longer used"
    return None
