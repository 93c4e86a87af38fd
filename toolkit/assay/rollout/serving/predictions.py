"""The prediction log: what was answered, written to Parquet beside the serving.

A request never waits for the disk: answers go to a bounded queue, and what does not fit is counted
and lost. A file appears whole, by rename, and a disk that is full costs log, not service.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import queue
import threading
import time
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from .rows import scored

SCHEMA = pa.schema(
    [
        ("request_id", pa.string()),
        ("row", pa.int32()),
        ("unit", pa.string()),
        ("version", pa.string()),
        ("assigned", pa.string()),
        ("generation", pa.int64()),
        ("mirrored", pa.bool_()),
        ("time", pa.timestamp("us", tz="UTC")),
        ("input", pa.string()),
        ("output", pa.string()),
    ],
    metadata={"schema": "assay/predictions/1"},
)
QUEUED_BYTES = 64 * 1024 * 1024
"""Bodies that may wait, besides their number."""
FILE_ROWS = 100_000
_STEP = 0.2


@dataclass(frozen=True)
class Answer:
    """One answered request, as it was when it was answered."""

    request_id: str
    unit: str | None
    assigned: str | None
    generation: int | None
    mirrored: bool
    time: float
    request: bytes | None
    answer: bytes

    @property
    def size(self) -> int:
        return len(self.request or b"") + len(self.answer)


class PredictionLog:
    """A queue and the thread that empties it into Parquet files of ``folder``."""

    def __init__(
        self, folder: Path, *, version: str, share: float, waiting: int, seconds: float
    ) -> None:
        self.folder = folder
        self.version = version
        self.share = share
        self.seconds = seconds
        self.written = 0
        """Rows in files that are complete."""
        self.dropped = 0
        """Answers that found the queue full."""
        self.failed = 0
        """Rows whose file could not be written."""
        self._queue: queue.Queue[Answer] = queue.Queue(maxsize=waiting)
        self._bytes = 0
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._files = 0
        self._thread = threading.Thread(target=self._run, name="predictions")
        self._thread.start()

    def samples(self, request_id: str) -> bool:
        """Whether a request is logged: the same for every version that sees the same id."""
        if self.share >= 1:
            return True
        digest = hashlib.sha256(request_id.encode()).digest()
        return int.from_bytes(digest[:8], "big") < self.share * 2**64

    def add(self, answer: Answer) -> None:
        """Hand an answer over; never waits."""
        if self._bytes + answer.size > QUEUED_BYTES:
            self.dropped += 1
            return
        try:
            self._queue.put_nowait(answer)
        except queue.Full:
            self.dropped += 1
            return
        with self._lock:
            self._bytes += answer.size

    def close(self) -> None:
        """Write down all that waits, and end."""
        self._stop.set()
        self._thread.join()

    def counters(self) -> dict[str, int]:
        """What became of the answers so far."""
        return {
            "written": self.written,
            "dropped": self.dropped,
            "failed": self.failed,
            "waiting": self._queue.qsize(),
        }

    def _run(self) -> None:
        rows: list[dict[str, Any]] = []
        due = time.monotonic() + self.seconds
        while True:
            ending = self._stop.is_set()
            with contextlib.suppress(queue.Empty):
                rows += self._rows(self._queue.get(timeout=0 if ending else _STEP))
                continue_full = len(rows) < FILE_ROWS
                while continue_full and not self._queue.empty():
                    rows += self._rows(self._queue.get_nowait())
                    continue_full = len(rows) < FILE_ROWS
            empty = self._queue.empty()
            if rows and (len(rows) >= FILE_ROWS or time.monotonic() >= due or (ending and empty)):
                self._write(rows)
                rows = []
            if time.monotonic() >= due:
                due = time.monotonic() + self.seconds
            if ending and empty and not rows:
                return

    def _rows(self, answer: Answer) -> list[dict[str, Any]]:
        with self._lock:
            self._bytes -= answer.size
        moment = datetime.fromtimestamp(answer.time, tz=timezone.utc)
        return [
            {
                "request_id": answer.request_id,
                "row": number,
                "unit": answer.unit,
                "version": self.version,
                "assigned": answer.assigned,
                "generation": answer.generation,
                "mirrored": answer.mirrored,
                "time": moment,
                "input": asked,
                "output": answered,
            }
            for number, (asked, answered) in enumerate(scored(answer.request, answer.answer))
        ]

    def _write(self, rows: list[dict[str, Any]]) -> None:
        self._files += 1
        moment = datetime.now(tz=timezone.utc).strftime("%Y%m%dT%H%M%S.%fZ")
        name = f"{moment}-{os.getpid()}-{self._files}.parquet"
        partial = self.folder / f".{name}.new"
        try:
            pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), partial, compression="zstd")
            partial.rename(self.folder / name)
        except (OSError, pa.ArrowException) as error:
            self.failed += len(rows)
            print(f"prediction log: {len(rows)} rows are lost: {error}", flush=True)
            with contextlib.suppress(OSError):
                partial.unlink()
        else:
            self.written += len(rows)
