"""The reference profile of a model's job: what its version was like when it was judged.

The gate cannot make it, because it has no data; it takes one that names what the gate judged.
"""

from __future__ import annotations

from pathlib import Path

from assay.errors import IntegrityError, Location
from assay.evidence import ModelPlan, Reference, Training
from assay.gate.sides import read_if_there


def is_watched(model: ModelPlan) -> bool:
    """Say whether production is to be compared with this model: the head's word, once merged."""
    return not model.removed and (model.proposed or model.rules).monitoring is not None


def reference_of(model: str, folder: Path, head: Training | None) -> Reference | None:
    """Read the profile from a model's folder; None where there is none.

    Raises IntegrityError for one of another model, or of other predictions than ``head``'s.
    """
    found = read_if_there(Reference, folder)
    if found is None:
        return None
    kept = head.predictions if head else None
    judged = kept is not None and found.inputs.get(kept.file) == kept.sha256
    if found.model != model or not judged:
        raise IntegrityError(
            "this is not the profile of the predictions that are judged.",
            where=Location(file=(folder / Reference.FILE).as_posix()),
            remedy="Run `assay reference` again, after `assay train` and with its evidence folder.",
        )
    return found
