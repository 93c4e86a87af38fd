"""Track runs in MLflow, within bounded time; whatever goes wrong, the run stays in the spool."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from assay.errors import AssayError
from assay.registry.record import RunRecord
from assay.registry.spool import Waiting, put, waiting

UPLOAD_SECONDS = 60.0
_USERINFO = re.compile(r"(?<=://)[^/@\s]+@")
_LIMITS = {
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_ARTIFACT_UPLOAD_DOWNLOAD_TIMEOUT": "30",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_CONFIGURE_LOGGING": "false",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}


@dataclass(frozen=True, kw_only=True)
class Tracked:
    """How tracking went: the run's id where it was uploaded, else why it waits."""

    run_id: str | None = None
    why: str | None = None
    uploaded: int = 0
    left: int = 0

    def __str__(self) -> str:
        """One sentence for the log and the evidence."""
        if self.run_id:
            more = f" ({self.uploaded - 1} earlier runs uploaded too)" if self.uploaded > 1 else ""
            return f"MLflow run {self.run_id}{more}"
        return f"MLflow run kept in the spool: {self.why}"


class Uploader(Protocol):
    """Puts one run where it belongs and returns its id; raises UploadError."""

    def __call__(self, run: Waiting) -> str:
        """Upload ``run``, or find it there already."""


class UploadError(Exception):
    """The run could not be uploaded; the text says why."""


class Tracker:
    """Tracks runs at ``uri``; ``spool`` keeps what could not be uploaded yet.

    Importing MLflow and opening its store takes seconds, so it starts in the background with
    ``warm`` (before training) and is waited for only when a run is there to be tracked.
    """

    def __init__(
        self,
        spool: Path,
        connect: Callable[[], Uploader],
        *,
        seconds: float = UPLOAD_SECONDS,
    ) -> None:
        self._spool = spool
        self._seconds = seconds
        self._uploader: Uploader | None = None
        self._why: str | None = None
        self._thread = threading.Thread(
            target=self._connect, args=(connect,), name="mlflow", daemon=True
        )

    def warm(self) -> None:
        """Start connecting; returns at once."""
        self._thread.start()

    def track(self, record: RunRecord, artifacts: Iterable[Path]) -> Tracked:
        """Keep a run, then upload it and whatever waits; never raises for a server's sake."""
        try:
            put(self._spool, record, artifacts)
        except AssayError as error:
            return Tracked(why=str(error))
        if self._thread.ident is None:
            self.warm()
        done: dict[str, str] = {}
        failures: list[str] = []
        worker = threading.Thread(
            target=self._upload_all, args=(done, failures), name="upload", daemon=True
        )
        worker.start()
        worker.join(self._seconds)
        if worker.is_alive():
            failures.append(f"the server did not answer within {self._seconds:.0f} seconds")
        run_id = done.get(record.key)
        why = None if run_id else (failures[-1] if failures else "it is uploaded by the next run")
        return Tracked(run_id=run_id, why=why, uploaded=len(done), left=len(waiting(self._spool)))

    def _connect(self, connect: Callable[[], Uploader]) -> None:
        try:
            self._uploader = connect()
        except UploadError as error:
            self._why = str(error)

    def _upload_all(self, done: dict[str, str], failures: list[str]) -> None:
        self._thread.join()
        if self._uploader is None:
            failures.append(self._why or "MLflow could not be loaded")
            return
        for run in waiting(self._spool):
            try:
                done[run.record.key] = self._uploader(run)
            except UploadError as error:
                failures.append(str(error))
                return
            run.forget()


def limit_waiting(environ: MutableMapping[str, str]) -> None:
    """Bound MLflow's own waiting, which it reads from the environment; a set value stays."""
    for name, value in _LIMITS.items():
        environ.setdefault(name, value)


def local_uri(folder: Path) -> str:
    """Return the address of the SQLite store in ``folder``."""
    return f"sqlite:///{folder.absolute().as_posix()}/mlflow.db"


def without_userinfo(text: str) -> str:
    """Return ``text`` with user name and password taken out of any address in it."""
    return _USERINFO.sub("", text)
