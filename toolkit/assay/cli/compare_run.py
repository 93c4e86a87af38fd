"""The two ways in which ``assay compare`` is run: on two files, and on an evidence folder."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from assay.cli.compare_options import check_used
from assay.errors import InputError, Location

if TYPE_CHECKING:
    from assay.comparison import Asked
    from assay.evidence import Comparison, Verdict
    from assay.verdict.claims import Claim

    Result = tuple[Comparison, Verdict]

ANCHOR = "anchor"


def of_files(
    base: Path, head: Path, asked: Asked, evidence: Path | None, *, anchor: Path | None = None
) -> Result:
    """Compare two files and judge; keep both documents in ``evidence`` where that is a folder.

    The head is compared with ``anchor`` as well, by the same gates, which warn there.

    Without gates every metric blocks where it is shown to be worse, and nothing is no-worse.
    """
    from assay.comparison import compare as compare_files
    from assay.verdict import decide_comparison

    found = compare_files(base, head, asked)
    check_used(asked, found)
    anchored = compare_files(anchor, head, _against(asked)) if anchor else None
    if evidence is not None:
        found = _named_from(found, evidence, (base, head))
        if anchored is not None and anchor is not None:
            anchored = _named_from(anchored, evidence / ANCHOR, (anchor, head))
    # What neither side has a value of (nothing is predicted positive, say) cannot be worse.
    comparable = [m.metric for m in found.measurements if m.base is not None]
    ungated = [] if asked.gates else comparable
    verdict = decide_comparison(
        found,
        gates=asked.gates,
        worse_blocks=tuple(dict.fromkeys(ungated)),
        anchored=_claims(asked, anchor, anchored),
        inputs={
            found.FILE: found.digest(),
            **({f"{ANCHOR}/{found.FILE}": anchored.digest()} if anchored else {}),
        },
    )
    if evidence is not None:
        found.write(evidence)
        verdict.write(evidence)
        if anchored is not None:
            anchored.write(evidence / ANCHOR)
    return found, verdict


def _named_from(found: Comparison, folder: Path, files: tuple[Path, Path]) -> Comparison:
    """Evidence names what it was made from as seen from its own folder."""
    names = [Path(os.path.relpath(path, folder)).as_posix() for path in files]
    digests = dict(zip(names, found.inputs.values(), strict=True))
    return found.model_copy(update={"inputs": digests})


def _against(asked: Asked) -> Asked:
    """The gates alone, over all rows."""
    from assay.config import WorstSlice

    return replace(asked, report=(), slices=(), worst_slice=WorstSlice())


def _claims(asked: Asked, anchor: Path | None, found: Comparison | None) -> list[Claim]:
    from assay.config import Anchor
    from assay.verdict.claims import anchor_claims

    if anchor is None:
        return []
    gates = Anchor(ref=ANCHOR).gates(dict(asked.gates))
    return anchor_claims(asked.model, gates, anchor.name, found)


def from_evidence(folder: Path, model: str | None) -> tuple[Result, ...]:
    """Compare what lies in an evidence folder by the rules of its plan, and judge that alone.

    ``folder`` holds plan.json and a folder for each model, or is one model's folder beside its
    plan. Writes comparison.json and verdict.json into each model's folder; tests, data checks
    and the verdict over all of them are the gate's. Raises InputError without a touched model.
    """
    from assay.gate.judge import replayable
    from assay.gate.sides import compare_model
    from assay.verdict import decide_comparison

    inside = not (folder / "plan.json").is_file() and (folder.parent / "plan.json").is_file()
    root, name = (folder.parent, folder.name) if inside else (folder, model)
    plan = replayable(root)
    chosen = [p for p in plan.models if (p.name == name if name else p.touched)]
    if not chosen:
        known = ", ".join(planned.name for planned in plan.models)
        raise InputError(
            f"the plan has no model {name[:80]!r}." if name else "the plan touches no model.",
            where=Location(file=(root / plan.FILE).as_posix()),
            remedy=f"It has: {known}.",
        )
    results = []
    for planned in chosen:
        found = compare_model(planned, root / planned.name)
        verdict = decide_comparison(
            found,
            gates=planned.rules.gates,
            scalars=planned.rules.scalars,
            worst_slice=planned.rules.worst_slice.severity,
            inputs={found.FILE: found.digest()},
        )
        found.write(root / planned.name)
        verdict.write(root / planned.name)
        results.append((found, verdict))
    return tuple(results)
