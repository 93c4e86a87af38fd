"""Put the artifacts of a run's jobs together into one evidence folder.

The jobs that ran the consumer's code wrote these files: names, sizes and kinds are checked
before anything is read, and whatever is not evidence is left behind.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from assay.errors import IntegrityError, Location, OutsideError
from assay.github.evidence_store import is_evidence

_ARTIFACT = re.compile(
    r"assay-(?P<kind>plan|base|anchor|head)(?:-(?P<model>[a-z0-9][a-z0-9._-]{0,62}))?-(?P<attempt>\d{1,5})"
)
_DOCUMENTS = {
    "plan": frozenset({"plan.json", "ledger.json"}),
    "base": frozenset({"training.json"}),
    "anchor": frozenset({"training.json"}),
    "head": frozenset({"tests.json", "data.json", "training.json", "reference.json"}),
}
_CORNERS = ("code-only", "data-only")
_PREDICTIONS = re.compile(r"predictions\.(parquet|csv|jsonl)")
CARRIED = "_carried"
"""No model can be called this: their names begin with a letter or a digit."""
MAX_FILE_BYTES = 2 * 1024**3
MAX_FILES = 200


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """One downloaded artifact: what it holds, of which model, from which attempt."""

    folder: Path
    kind: str
    model: str | None
    attempt: int


def latest_artifacts(folder: Path, *, attempt: int | None = None) -> list[Artifact]:
    """Return the newest attempt of each artifact below ``folder``, by kind and model.

    A re-run of the last job alone finds the others' artifacts under an earlier attempt.
    ``attempt`` is this run's own: raises IntegrityError for an artifact of a later one.
    """
    found: dict[tuple[str, str | None], Artifact] = {}
    for entry in sorted(folder.iterdir()) if folder.is_dir() else []:
        match = _ARTIFACT.fullmatch(entry.name)
        if not match or not entry.is_dir() or (match["kind"] == "plan") != (match["model"] is None):
            continue
        artifact = Artifact(
            folder=entry,
            kind=match["kind"],
            model=match["model"],
            attempt=int(match["attempt"]),
        )
        if attempt is not None and artifact.attempt > attempt:
            raise IntegrityError(
                f"this is attempt {attempt} of the run, and the artifact claims a later one.",
                where=Location(file=entry.name),
                remedy="No job of Assay uploaded it: look for the job that did.",
            )
        known = found.get((artifact.kind, artifact.model))
        if known is None or known.attempt < artifact.attempt:
            found[artifact.kind, artifact.model] = artifact
    return list(found.values())


def assemble(artifacts: Path, evidence: Path, *, attempt: int | None = None) -> None:
    """Copy the newest artifacts' evidence files into ``evidence``, laid out by model.

    Raises IntegrityError for links, for too many or too large files, for an artifact of an
    attempt that is still to come, and OutsideError where the copy fails.
    """
    for artifact in latest_artifacts(artifacts, attempt=attempt):
        target = evidence / artifact.model if artifact.model else evidence
        if artifact.kind in ("base", "anchor"):
            target = target / artifact.kind
        for source in _evidence_files(artifact):
            _copy(source, target / source.name)
        if artifact.kind == "head":
            _copy_corners(artifact, target)
        if artifact.kind == "plan":
            _copy_carried(artifact.folder / CARRIED, evidence / CARRIED)


def _copy(source: Path, target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target, follow_symlinks=False)
    except OSError as error:
        raise OutsideError(
            f"the evidence could not be copied: {error.strerror}.",
            where=Location(file=source.as_posix()),
        ) from None


def _copy_corners(artifact: Artifact, target: Path) -> None:
    """What the head's job made of one side's code and the other's data."""
    for name in _CORNERS:
        folder = artifact.folder / name
        if folder.is_dir() and not folder.is_symlink():
            for source in _evidence_files(replace(artifact, folder=folder)):
                if source.name == "training.json" or _PREDICTIONS.fullmatch(source.name):
                    _copy(source, target / name / source.name)


def _copy_carried(source: Path, target: Path) -> None:
    """The plan's job runs no consumer code; what it carries over was checked when it came."""
    for path in sorted(source.rglob("*")) if source.is_dir() else []:
        name = path.relative_to(source).as_posix()
        if is_evidence(name) and path.is_file() and not path.is_symlink():
            _copy(path, target / name)


def _evidence_files(artifact: Artifact) -> list[Path]:
    entries = sorted(artifact.folder.iterdir())
    if len(entries) > MAX_FILES:
        raise IntegrityError(
            f"the artifact holds {len(entries):,} files; evidence has at most {MAX_FILES}.",
            where=Location(file=artifact.folder.name),
        )
    allowed = _DOCUMENTS[artifact.kind]
    chosen = []
    for entry in entries:
        predictions = artifact.kind != "plan" and _PREDICTIONS.fullmatch(entry.name)
        if entry.name not in allowed and not predictions:
            continue
        if entry.is_symlink() or not entry.is_file():
            raise IntegrityError(
                "evidence must be plain files, and this is a link or a folder.",
                where=Location(file=f"{artifact.folder.name}/{entry.name}"),
            )
        if entry.stat().st_size > MAX_FILE_BYTES:
            raise IntegrityError(
                f"the file is larger than {MAX_FILE_BYTES:,} bytes.",
                where=Location(file=f"{artifact.folder.name}/{entry.name}"),
            )
        chosen.append(entry)
    return chosen
