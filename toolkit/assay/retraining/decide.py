"""Decide about one model and book it, so that of two who decide at once one waits."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from datetime import datetime, timedelta

from assay.config import Model
from assay.errors import InputError, Location
from assay.evidence import Retraining
from assay.retraining.triggers import Book, Facts, held, reasons
from assay.state import StateBranch
from assay.state.retraining import Entry, write_book

BRANCHES = "assay/retrain/"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Which model is decided about, upon which commit, and for how long it is reserved.

    ``folder`` is that of the configuration, from the repository's root.
    """

    id: str
    name: str
    model: Model
    folder: str = ""
    base: str | None = None
    base_branch: str | None = None
    lease: timedelta = timedelta(hours=8)
    run: int | None = None


def branch_of(model: str) -> str:
    """Return the branch on which a retrained ``model`` is proposed."""
    return f"{BRANCHES}{model}"


def paths_of(model: Model, folder: str = "") -> tuple[str, ...]:
    """Return what a proposal may change: the model's dvc.lock, from the repository's root."""
    return (posixpath.normpath(posixpath.join(folder, model.path, "dvc.lock")),)


def moment(time: datetime) -> str:
    """Write a time as documents and the book have it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def decide(asked: Asked, facts: Facts, book: Book) -> Retraining:
    """Decide, without any effect. Raises InputError for a model without ``retrain:``."""
    rules = asked.model.retrain
    if rules is None:
        raise InputError(
            f"the model {asked.name} has no `retrain:`.",
            where=Location(file="assay.yaml"),
            remedy="Write `retrain: {}` under it, or what starts one.",
        )
    others = tuple(entry for entry in book if entry.id != asked.id)
    found = reasons(rules, facts, others)
    waits = held(rules, facts, others) if found.triggers else None
    return Retraining(
        id=asked.id,
        model=asked.name,
        at=moment(facts.now),
        due=bool(found.triggers) and waits is None,
        triggers=found.triggers,
        held=waits,
        not_measured=found.not_measured,
        until=moment(facts.now + asked.lease),
        base=asked.base,
        base_branch=asked.base_branch,
        branch=branch_of(asked.name),
        paths=paths_of(asked.model, asked.folder),
        rows=facts.rows,
        look=facts.look.digest() if facts.look else None,
        run=asked.run,
    )


def reserve(asked: Asked, facts: Facts, branch: StateBranch) -> Retraining:
    """Decide upon the book as it is on ``branch``, and write there what was decided.

    A run that is tried again finds its own reservation and goes on with it.
    """
    made: list[Retraining] = []

    def add(book: Book) -> tuple[Entry, ...]:
        decision = decide(asked, facts, book)
        made.append(decision)
        return _entries(decision, book)

    write_book(branch, asked.name, add)
    return made[-1]


def _entries(decision: Retraining, book: Book) -> tuple[Entry, ...]:
    if decision.due:
        own = [entry for entry in book if entry.id == decision.id and entry.kind != "counted"]
        if own and own[-1].kind == "reserved":
            return ()
        entry = Entry(
            kind="reserved",
            id=decision.id,
            at=decision.at,
            until=decision.until,
            rows=decision.rows,
        )
        return (entry,)
    first = decision.rows is not None and not any(entry.rows is not None for entry in book)
    if first:
        return (Entry(kind="counted", id=decision.id, at=decision.at, rows=decision.rows),)
    return ()


def finish(
    branch: StateBranch,
    model: str,
    key: str,
    outcome: str,
    *,
    at: datetime,
    pull: int | None = None,
) -> None:
    """Write down how a retraining ended; what stands there already is not added again."""

    def add(book: Book) -> tuple[Entry, ...]:
        own = [entry for entry in book if entry.id == key]
        if own and (own[-1].outcome, own[-1].pull) == (outcome, pull):
            return ()
        entry = Entry(kind="ended", id=key, at=moment(at), outcome=outcome, pull=pull)
        return (entry,)

    write_book(branch, model, add)
