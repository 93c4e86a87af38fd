"""What a run on a server left: checked by its report, fetched by DVC or from an address."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assay.config import Model
from assay.errors import IntegrityError, Location, OutsideError
from assay.evidence import tree_digest, write_atomically
from assay.training import dvc
from assay.training.dvc_lock import parse_lock
from assay.training.environment import ConsumerEnvironment
from assay.training.process import Transcript

DVC = "dvc"
LOCK = "dvc.lock"
_URL = re.compile(r"^[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_GET_SECONDS = 3600.0
_MOST_LOCK = 4 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a run says of itself: the commit it trained, and digests by path.

    ``data`` is what it read; ``files`` are its outputs with their SHA-256 (of a folder as
    ``evidence.tree_digest`` has it), ``lock`` the text of its dvc.lock.
    """

    commit: str
    data: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    lock: str | None = None


def read_report(found: Any, *, wanted: str | None, where: str) -> Report:
    """Read a run's report, ``{commit, data, files, dvc_lock}``, found at ``where``.

    Raises OutsideError where it is none, and IntegrityError where another commit than ``wanted``
    was trained.
    """
    commit = found.get("commit") if isinstance(found, dict) else None
    if not isinstance(commit, str):
        raise OutsideError(
            f"{where} names no commit, so what was trained is not known.",
            remedy='Let it say {"commit": "<sha>", "data": {...}, "files": {...}} '
            "(docs/orchestrators.md).",
        )
    if commit != wanted:
        raise IntegrityError(
            f"{where} says that {commit[:60]!r} was trained, and not {wanted}.",
            remedy="Let the run check out the commit that its order names.",
        )
    data, files, lock = (found.get(name) for name in ("data", "files", "dvc_lock"))
    if not (_texts(data) and _texts(files) and (lock is None or isinstance(lock, str))):
        raise OutsideError(
            f"{where} is malformed.",
            remedy="`data` and `files` map paths to digests, `dvc_lock` is a text.",
        )
    return Report(commit=commit, data=data or {}, files=files or {}, lock=lock)


def _texts(found: Any) -> bool:
    return found is None or (
        isinstance(found, dict) and all(isinstance(each, str) for each in found.values())
    )


def output_names(model: Model) -> tuple[str, ...]:
    """Return what is fetched, relative to the model's folder: the predictions first."""
    optional = (model.artifact, *(scalar.file for scalar in model.scalars.values()), LOCK)
    return tuple(dict.fromkeys((model.predictions, *(name for name in optional if name))))


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where outputs are, ``dvc`` or a folder's address, and what fetches them."""

    where: str
    model: Model
    environment: ConsumerEnvironment
    root: Path

    def fetch(self, report: Report, folder: Path, transcript: Transcript) -> bool:
        """Put the outputs into ``folder``, check them, and return whether dvc.lock came along.

        Raises OutsideError where the predictions cannot be had, and IntegrityError where a file
        is not the one that the report names.
        """
        (folder / self.model.predictions).unlink(missing_ok=True)
        if self.where == DVC:
            self._pull(report, folder, transcript)
            fetched = {LOCK}
        else:
            fetched = {
                name for name in output_names(self.model) if self._copy(name, folder, transcript)
            }
        if not (folder / self.model.predictions).is_file():
            raise OutsideError(
                f"the run left no {self.model.predictions} at {self._shown()}.",
                remedy="Let it write its outputs where `outputs` says, under their names "
                "relative to the model's folder.",
            )
        for name, digest in sorted(report.files.items()):
            if name in output_names(self.model) and tree_digest(folder / name) != digest:
                raise IntegrityError(
                    "this is not the file that the run's report names.",
                    where=Location(file=name),
                    remedy="Two runs may share one folder: write {run} into `outputs`.",
                )
        return LOCK in fetched

    def read(self, name: str, folder: Path, transcript: Transcript) -> Any:
        """Return what a JSON file beside the outputs says; None where it is none or not there."""
        with tempfile.TemporaryDirectory(dir=folder, prefix=".assay-") as scratch:
            try:
                if not self._copy(name, Path(scratch), transcript):
                    return None
                return json.loads((Path(scratch) / name).read_text(encoding="utf-8"))
            except (OSError, ValueError, RecursionError):
                return None

    def _shown(self) -> str:
        return self.environment.redact(self.where)

    def _pull(self, report: Report, folder: Path, transcript: Transcript) -> None:
        if report.lock is None or len(report.lock) > _MOST_LOCK:
            raise OutsideError(
                "the run's report holds no `dvc_lock`, by which its outputs would be fetched.",
                remedy="Let it return the text of dvc.lock after `dvc push`.",
            )
        lock = parse_lock(report.lock, file="the run's dvc.lock")
        repo = dvc.find_repo(folder, self.root)
        if repo is None or repo.remote is None:
            raise OutsideError(
                "there is no DVC remote to fetch the run's outputs from.",
                remedy="Name one: dvc remote add --default NAME URL.",
            )
        write_atomically(folder / LOCK, report.lock)
        tracked = [
            name for name in output_names(self.model) if name != LOCK and lock.producer(name)
        ]
        if self.model.predictions not in tracked:
            raise OutsideError(
                f"the run's dvc.lock names no {self.model.predictions}.",
                remedy="Declare it under `outs` of a stage of dvc.yaml.",
            )
        failed = dvc.pull(self.environment, folder, transcript, repo, tracked)
        if failed:
            raise OutsideError(f"{failed}.", remedy="Let the run end with `dvc push`.")

    def _copy(self, name: str, folder: Path, transcript: Transcript) -> bool:
        """Copy one output; return whether it was there."""
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if _URL.match(self.where):
            return self._get(name, folder, transcript)
        source = Path(self.where) / name
        try:
            if source.is_dir():
                shutil.rmtree(target, ignore_errors=True)
                shutil.copytree(source, target)
            elif source.is_file():
                shutil.copyfile(source, target)
            return source.exists()
        except OSError as error:
            raise OutsideError(
                f"cannot be fetched: {error.strerror}.", where=Location(file=source.as_posix())
            ) from None

    def _get(self, name: str, folder: Path, transcript: Transcript) -> bool:
        """DVC reads s3://, gs://, azure:// and the others with the credentials it has."""
        address = f"{self.where.rstrip('/')}/{name}"
        ended = self.environment.run(
            f"dvc get-url --force {shlex.quote(address)} {shlex.quote(name)}",
            cwd=folder,
            timeout=_GET_SECONDS,
            transcript=transcript,
            title=f"dvc get-url {name}",
        )
        if not ended.succeeded and name == self.model.predictions:
            why = dvc.failure(ended, "`dvc get-url`", _GET_SECONDS)
            raise OutsideError(
                f"{name} cannot be fetched from {self._shown()}: {why}.",
                remedy="Let the run write it there, and give the credentials as dvc-credentials.",
            )
        return ended.succeeded
