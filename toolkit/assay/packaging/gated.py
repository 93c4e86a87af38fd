"""What the gate left behind of one model, read for packaging; refused where it did not pass."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from assay.errors import InputError, IntegrityError, Location, VerdictFailed
from assay.evidence import (
    Comparison,
    DataReport,
    Document,
    Outcome,
    Plan,
    Reference,
    StageState,
    TestRun,
    Training,
    Verdict,
)

_KEPT: tuple[type[Document], ...] = (TestRun, DataReport, Training, Reference, Comparison)
_GATE = "Package the evidence folder of a gate that passed: the artifact assay-gate-<tree>."


@dataclass(frozen=True, kw_only=True)
class Gated:
    """One model's evidence. ``documents`` are those that a bundle keeps, by their place in it."""

    name: str
    plan: Plan
    training: Training
    verdict: Verdict
    comparison: Comparison | None
    tests: TestRun | None
    data: DataReport | None
    base: Training | None
    documents: dict[str, Document]


def read_gated(evidence: Path, model: str | None) -> Gated:
    """Read a model's evidence from the gate's folder (or from a bundle's ``evidence/``).

    Raises InputError where the model was not judged, VerdictFailed where the verdict is fail, and
    IntegrityError where the documents are not of one run.
    """
    plan, verdict = Plan.read(evidence), Verdict.read(evidence)
    name = _chosen(plan, model, evidence)
    folder = evidence / name
    if verdict.state is Outcome.FAIL:
        raise VerdictFailed(
            f"the verdict is fail: {verdict.sentence}",
            where=Location(file=(evidence / Verdict.FILE).as_posix()),
            remedy="Only a model that passed is packaged: change it, or have the verdict accepted "
            "where the owner allows that (override: in assay.yaml).",
        )
    training = Training.read(folder)
    where = Location(file=(folder / Training.FILE).as_posix())
    if training.model != name or training.side != "head":
        raise IntegrityError("this is not the head's training.", where=where, remedy=_GATE)
    if training.state is not StageState.PASSED:
        raise InputError(
            f"the training has not passed: {training.reason or training.state.value}.",
            where=where,
            remedy=_GATE,
        )
    if training.lineage.tree not in (None, plan.head.tree) or training.lineage.dirty:
        raise IntegrityError(
            "the model was not trained from the tree that was judged.",
            where=where,
            remedy="Commit everything, and run plan, train and gate on that commit.",
        )
    found = {kind: kind.read(folder) for kind in _KEPT if (folder / kind.FILE).is_file()}
    kept: dict[str, Document] = {Plan.FILE: plan, Verdict.FILE: verdict}
    kept |= {f"{name}/{kind.FILE}": document for kind, document in found.items()}
    base = Training.read(folder / "base") if (folder / "base" / Training.FILE).is_file() else None
    if base is not None:
        kept[f"{name}/base/{Training.FILE}"] = base
    comparison, tests, data = found.get(Comparison), found.get(TestRun), found.get(DataReport)
    return Gated(
        name=name,
        plan=plan,
        training=training,
        verdict=verdict,
        comparison=comparison if isinstance(comparison, Comparison) else None,
        tests=tests if isinstance(tests, TestRun) else None,
        data=data if isinstance(data, DataReport) else None,
        base=base,
        documents=kept,
    )


def _chosen(plan: Plan, model: str | None, evidence: Path) -> str:
    where = Location(file=(evidence / Plan.FILE).as_posix())
    judged = [found.name for found in plan.models if found.touched and not found.removed]
    if model is None:
        if len(judged) == 1:
            return judged[0]
        raise InputError(
            f"the run judged {len(judged)} models.",
            where=where,
            remedy=f"Name one with --model: {', '.join(judged)}." if judged else _GATE,
        )
    if model not in judged:
        raise InputError(
            f"the run did not judge a model {model[:80]!r}.",
            where=where,
            remedy=f"It judged {', '.join(judged) or 'none'}.",
        )
    return model
