"""The test-set ledger in a run: sealed into the evidence before it, appended to after it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from assay.errors import AssayError, IntegrityError
from assay.evidence import Comparison, Ledger, Plan, Training, UsedTestSet, Verdict
from assay.evidence.base import MAX_DOCUMENT_BYTES
from assay.state import Appended, Snapshot, StateBranch
from assay.state.branch import Files
from assay.state.ledger import FOLDER, Decision, Full, decisions_in, with_decisions

_TOO_LARGE = (
    f"it has over {MAX_DOCUMENT_BYTES:,} bytes: delete the files of test sets no longer used"
)
Read = Callable[[str], Snapshot]


def asked_by(plan: Plan) -> tuple[str, ...]:
    """Return the touched models whose rules ask for the ledger."""
    return tuple(model.name for model in plan.models if model.touched and model.rules.ledger)


def sealed_ledger(models: Collection[str], read: Read) -> Ledger:
    """Read the decisions of ``models``; what cannot be read is said in the document, not raised."""
    try:
        found = read(FOLDER)
    except AssayError as error:
        return Ledger(missing=str(error).rstrip("."))
    known: dict[str, dict[str, UsedTestSet]] = {}
    unreadable: dict[str, str] = {}
    for path, content in sorted(found.files.items()):
        model = path.removeprefix(FOLDER).partition("/")[0]
        if model not in models:
            continue
        try:
            made = decisions_in(path, content)
        except IntegrityError as error:
            unreadable.setdefault(model, str(error).rstrip("."))
            continue
        if made:
            heads = tuple(decision.head for decision in made)
            used = UsedTestSet(since=min(decision.at for decision in made), heads=heads)
            known.setdefault(model, {})[made[0].test_set] = used
    made_of = Ledger(commit=found.commit, unreadable=unreadable, models=known)
    if len(made_of.to_json().encode()) > MAX_DOCUMENT_BYTES:
        return Ledger(commit=found.commit, missing=_TOO_LARGE)
    return made_of


def decisions_of(
    folder: Path,
    models: Collection[str],
    *,
    at: datetime,
    run: int | None = None,
    commit: str | None = None,
) -> tuple[Decision, ...]:
    """Return what the judged evidence in ``folder`` decided about, of ``models``.

    A model that was not compared decided nothing, and neither did a head that predicts what the
    base predicts. Raises IntegrityError where the evidence says what no decision can hold.
    """
    verdict = Verdict.read(folder) if (folder / Verdict.FILE).is_file() else None
    found = []
    for model in sorted(models):
        own = folder / model
        if not (own / Comparison.FILE).is_file() or not (own / Training.FILE).is_file():
            continue
        comparison, head = Comparison.read(own), Training.read(own)
        reuse = comparison.reuse
        if reuse is None or reuse.test_set is None or head.predictions is None:
            continue
        if comparison.identical_predictions:
            continue
        try:
            decision = Decision(
                model=model,
                test_set=reuse.test_set,
                head=head.predictions.sha256,
                at=at.strftime("%Y-%m-%dT%H:%M:%SZ"),
                run=run,
                commit=commit,
                credit=_credit(verdict, model),
            )
        except ValueError:
            raise IntegrityError(
                f"the evidence of {model} names a test set or predictions by what is no digest.",
                remedy="It was altered: run the gate again.",
            ) from None
        found.append(decision)
    return tuple(found)


def _credit(verdict: Verdict | None, model: str) -> int | None:
    rules = verdict.rules if verdict else ()
    known = [rule.reuse.credit for rule in rules if rule.model == model and rule.reuse]
    return min((credit for credit in known if credit is not None), default=None)


@dataclass(frozen=True, kw_only=True)
class Written:
    """What became of decisions: which are in the ledger now, and which found no room."""

    appended: Appended
    new: tuple[Decision, ...]
    full: tuple[Full, ...]


def append_decisions(branch: StateBranch, decisions: Sequence[Decision]) -> Written:
    """Append ``decisions`` to the ledger; those that stand there already are not added again.

    Raises as :meth:`StateBranch.append` does, and IntegrityError for a damaged file.
    """
    new: list[Decision] = []
    full: list[Full] = []

    def change(files: Files) -> Files:
        changed, left = with_decisions(files, decisions)
        full[:] = left
        written = b"".join(changed.values())
        new[:] = [decision for decision in decisions if decision.line() in written]
        return changed

    appended = branch.append(FOLDER, change, message=_message(decisions))
    return Written(appended=appended, new=tuple(new) if appended.written else (), full=tuple(full))


def _message(decisions: Sequence[Decision]) -> str:
    models = ", ".join(sorted({decision.model for decision in decisions})[:5])
    runs = sorted({decision.run for decision in decisions if decision.run is not None})
    which = f" of run {runs[-1]}" if runs else ""
    return f"Count the decision{which} about {models}"
