"""The head compared with another side of the same model: the base, or the anchor."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from assay.comparison import Asked, compare, compare_scalars, head_alone, not_measured
from assay.config import WorstSlice
from assay.errors import InputError, IntegrityError, Location
from assay.evidence import (
    Comparison,
    Document,
    Ledger,
    ModelPlan,
    StageState,
    Training,
    file_digest,
)
from assay.verdict.claims import NEW_MODEL

D = TypeVar("D", bound=Document)
BASE = "base"
ANCHOR = "anchor"


@dataclass(frozen=True, kw_only=True)
class _Sides:
    """Both trainings of a comparison, and the model's folder that they lie in."""

    folder: Path
    other: str
    head: Training | None
    against: Training | None

    @classmethod
    def read(cls, folder: Path, other: str) -> _Sides:
        return cls(
            folder=folder,
            other=other,
            head=read_if_there(Training, folder),
            against=read_if_there(Training, folder / other),
        )

    def digests(self) -> Iterator[tuple[str, str]]:
        """Yield each file that is compared, from the model's folder, with its SHA-256.

        Raises IntegrityError where predictions are not those that their training names.
        """
        for prefix, side in (("", self.head), (f"{self.other}/", self.against)):
            if side is None:
                continue
            yield f"{prefix}{side.FILE}", file_digest(self.folder / prefix / side.FILE)
            kept = side.predictions
            if kept is None:
                continue
            path = self.folder / prefix / kept.file
            try:
                found = file_digest(path)
            except InputError:
                found = "none"
            if Path(kept.file).name != kept.file or found != kept.sha256:
                raise IntegrityError(
                    "these are not the predictions that training.json names (SHA-256 differs).",
                    where=Location(file=path.as_posix()),
                    remedy="They were changed or lost after training: run the model's job again.",
                )
            yield f"{prefix}{kept.file}", kept.sha256

    def missing(self, *, new: bool) -> str | None:
        """Say why one side has no predictions, the head's reason first."""
        for name, side in (("head", self.head), (self.other, self.against)):
            passed = side is not None and side.state is StageState.PASSED
            if passed and side is not None and side.predictions is not None:
                continue
            if side is self.against and new:
                return NEW_MODEL
            if side is None:
                return f"the {name} left no evidence of its training"
            # What was tried is a list of its own, too long for the verdict's sentence.
            why = "" if side.tried else f": {side.reason or side.state.value}"
            return f"the {name} has no predictions{why}"
        return None

    @property
    def test_set_changed(self) -> bool:
        digests = [side.test_set_digest if side else None for side in (self.against, self.head)]
        return None not in digests and digests[0] != digests[1]


def compare_model(planned: ModelPlan, folder: Path) -> Comparison:
    """Compare head and base of one model as its rules ask; ``folder`` is the model's own.

    The decisions on its test set are those of the ledger beside that folder.

    Whatever stands in the way becomes ``not_measured`` with its reason, except evidence that
    does not match its digest.
    """
    sides = _Sides.read(folder, BASE)
    head, base = sides.head, sides.against
    inputs = dict(sides.digests())
    ledger = read_if_there(Ledger, folder.parent) if planned.rules.ledger else None
    found = _compared(planned, sides, _asked(planned, sides, ledger))
    scalars = compare_scalars(
        planned.rules.scalars,
        base=base.scalars if base else {},
        head=head.scalars if head else {},
        base_missing=base.missing_scalars if base else {},
        head_missing=head.missing_scalars if head else {},
    )
    return found.model_copy(
        update={"inputs": inputs, "measurements": (*found.measurements, *scalars)}
    )


def compare_anchor(planned: ModelPlan, folder: Path) -> Comparison | None:
    """Compare head and anchor on the metrics that gate; None where the plan names no anchor.

    Its inputs are named from ``<model>/anchor/``, where it is written. As for the base, whatever
    stands in the way becomes ``not_measured``.
    """
    anchor, wanted = planned.anchor, planned.rules.anchor
    if anchor is None or wanted is None:
        return None
    sides = _Sides.read(folder, ANCHOR)
    inputs = {_from_anchor(name): digest for name, digest in sides.digests()}
    asked = replace(
        _asked(planned, sides, None),
        gates=wanted.gates(planned.rules.gates),
        report=(),
        slices=(),
        worst_slice=WorstSlice(),
        ledger=None,
    )
    if anchor.missing is not None:
        found = not_measured(planned.name, anchor.missing)
    else:
        found = _compared(planned, sides, asked)
    return found.model_copy(update={"inputs": inputs})


def _from_anchor(name: str) -> str:
    inside = f"{ANCHOR}/"
    return name.removeprefix(inside) if name.startswith(inside) else f"../{name}"


def _asked(planned: ModelPlan, sides: _Sides, ledger: Ledger | None) -> Asked:
    head, against = sides.head, sides.against
    return Asked.by_rules(
        planned.name,
        planned.rules,
        base_model=against.model_digest if against else None,
        head_model=head.model_digest if head else None,
        test_set_changed=sides.test_set_changed,
        ledger=ledger,
    )


def _compared(planned: ModelPlan, sides: _Sides, asked: Asked) -> Comparison:
    head, against, folder = sides.head, sides.against, sides.folder
    reason = sides.missing(new=planned.rules_from == "head")
    try:
        if reason is None and head and against and head.predictions and against.predictions:
            return compare(
                folder / sides.other / against.predictions.file,
                folder / head.predictions.file,
                asked,
            )
        if reason is not None and head and head.predictions:
            return head_alone(folder / head.predictions.file, asked, reason)
    except InputError as error:
        reason = reason or str(error).replace(folder.as_posix() + "/", "")
    return not_measured(planned.name, reason or "there are no predictions")


def read_if_there(kind: type[D], folder: Path) -> D | None:
    """Read a document from ``folder``; None where there is none."""
    return kind.read(folder) if (folder / kind.FILE).is_file() else None
