"""The attribution of one model, from the four corners that its jobs left behind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from assay.comparison import Asked
from assay.comparison.attribution import CORNERS, attribute, no_attribution
from assay.errors import InputError, IntegrityError, Location
from assay.evidence import Attribution, Corner, ModelPlan, StageState, Training, file_digest
from assay.gate.sides import BASE, read_if_there

_NAMES: Mapping[Corner, str] = {
    "base": "the base",
    "head": "the head",
    "code-only": "the head's code on the base's data",
    "data-only": "the base's code on the head's data",
}


@dataclass(frozen=True, kw_only=True)
class _Found:
    """One corner's predictions, and the digests of what they rest on."""

    file: Path | None
    reason: str | None
    inputs: Mapping[str, str]


def attribution_of(planned: ModelPlan, folder: Path) -> Attribution | None:
    """Attribute a model's difference to code and data; None where the plan does not ask for it.

    Whatever stands in the way becomes ``not_measured`` with its reason, except predictions that
    do not match the digest their training names, which raise IntegrityError.
    """
    if not planned.attribution:
        return None
    corners = {corner: _corner(corner, folder) for corner in CORNERS}
    inputs = {name: digest for found in corners.values() for name, digest in found.inputs.items()}
    found = _attributed(planned, folder, corners)
    return found.model_copy(update={"inputs": inputs})


def _attributed(planned: ModelPlan, folder: Path, corners: Mapping[Corner, _Found]) -> Attribution:
    files = {corner: found.file for corner, found in corners.items() if found.file is not None}
    if len(files) < len(CORNERS):
        missing = [c for c in CORNERS if corners[c].file is None]
        reasons = "; ".join(f"{_NAMES[c]}: {corners[c].reason}" for c in missing)
        return no_attribution(planned.name, reasons)
    try:
        return attribute(files, Asked.by_rules(planned.name, planned.rules))
    except InputError as error:
        return no_attribution(planned.name, str(error).replace(folder.as_posix() + "/", ""))


def _corner(corner: Corner, folder: Path) -> _Found:
    prefix = {"head": "", "base": f"{BASE}/"}.get(corner, f"{corner}/")
    training = read_if_there(Training, folder / prefix)
    if training is None:
        return _Found(file=None, reason="it left no evidence", inputs={})
    inputs = {f"{prefix}{training.FILE}": file_digest(folder / prefix / training.FILE)}
    kept = training.predictions
    if training.state is not StageState.PASSED or kept is None:
        reason = training.reason or f"its training is {training.state.value}"
        return _Found(file=None, reason=reason.rstrip("."), inputs=inputs)
    path = folder / prefix / kept.file
    if Path(kept.file).name != kept.file or not path.is_file() or file_digest(path) != kept.sha256:
        raise IntegrityError(
            "these are not the predictions that training.json names (SHA-256 differs).",
            where=Location(file=path.as_posix()),
            remedy="They were changed or lost after training: run the model's job again.",
        )
    return _Found(file=path, reason=None, inputs={**inputs, f"{prefix}{kept.file}": kept.sha256})
