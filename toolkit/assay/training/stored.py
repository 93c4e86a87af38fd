"""The outputs that the base's ``dvc.lock`` names, fetched where the lock still holds."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from assay.training import dvc
from assay.training.dvc_lock import Lock, stale_stages
from assay.training.pipeline import Job, Tools

_STATUS_SECONDS = 600.0


class NotHadError(Exception):
    """This way of having the base's predictions did not work; the text says why."""


class StoredOutputs:
    """Fetches what the base's dvc.lock names, where the lock still holds."""

    def __init__(self, job: Job, place: Path, lock: Lock, tools: Tools) -> None:
        self._job = job
        self._place = place
        self._lock = lock
        self._tools = tools
        built = tools.builder.build(job.model, job.checkout.folder, tools.transcript)
        self._environment = tools.builder.with_dvc(built, tools.transcript)

    def fetch(self, stage: str) -> None:
        """Bring the predictions into the work tree, and beside them what else is described."""
        self._refuse_stale(stage)
        missing = self._missing()
        failed = self._get(missing) if missing else None
        wanted = self._job.model.predictions
        if failed and missing != [wanted] and wanted in missing:
            failed = self._get([wanted])
        if failed:
            raise NotHadError(failed)

    def _missing(self) -> list[str]:
        """Return the files that evidence describes, DVC tracks and the work tree lacks."""
        model, folder = self._job.model, self._job.checkout.folder
        names = [model.predictions, model.artifact, model.data.test if model.data else None]
        names += [scalar.file for scalar in model.scalars.values()]
        found = []
        for name in names:
            if name is None or (folder / name).exists():
                continue
            if self._digest(name) is not None:
                found.append(name)
        return list(dict.fromkeys(found))

    def _digest(self, name: str) -> str | None:
        """Return what DVC knows a file of the model by: from dvc.lock, or its own .dvc file."""
        path = self._job.checkout.folder / name
        produced = self._lock.producer(path.relative_to(self._place).as_posix())
        return produced[1].digest if produced else dvc.tracked_digest(path)

    def _get(self, targets: list[str]) -> str | None:
        """Check targets out of the local cache where they are all there, else fetch them."""
        folder = self._job.checkout.folder
        repo = dvc.find_repo(folder, self._job.checkout.root)
        digests = [self._digest(name) or "" for name in targets]
        if repo is not None and all(dvc.in_cache(repo, digest) for digest in digests):
            return dvc.checkout(self._environment, folder, self._tools.transcript, targets)
        if repo is None or repo.remote is None:
            return "they are not in the local cache, and there is no DVC remote"
        return dvc.pull(self._environment, folder, self._tools.transcript, repo, targets)

    def _refuse_stale(self, stage: str) -> None:
        """A lock that the code has moved on from vouches for another commit's outputs."""
        file = self._place / ".dvc-status.json"
        ended = self._environment.run(
            f"dvc status --json > {file.name}",
            cwd=self._place,
            timeout=_STATUS_SECONDS,
            transcript=self._tools.transcript,
            title="dvc status",
        )
        if not ended.succeeded:
            raise NotHadError(dvc.failure(ended, "`dvc status`", _STATUS_SECONDS))
        try:
            status: Any = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            raise NotHadError("`dvc status` gave no JSON") from None
        upstream = self._lock.upstream(stage)
        stale = (stale_stages(status) | self._moved_on()) & upstream
        if stale:
            raise NotHadError(
                f"the {self._job.side}'s dvc.lock is out of date "
                f"(stage {', '.join(sorted(stale))} changed)"
            )

    def _moved_on(self) -> set[str]:
        """Stages whose tracked data has another digest: not fetched, it has no status yet."""
        return {
            stage.name
            for stage in self._lock.stages
            for dep in stage.deps
            if dvc.tracked_digest(self._place / dep.path) not in {None, dep.digest}
        }


def md5_of(path: Path) -> str | None:
    """Return the MD5 of a file, None where there is none.

    It is what DVC names its files by; nothing here relies on it against an attacker.
    """
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, _plain_md5).hexdigest()
    except OSError:
        return None


def _plain_md5() -> Any:
    return hashlib.md5(usedforsecurity=False)
