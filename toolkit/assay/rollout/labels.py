"""Labels as they arrive: the prediction log and a labels file to what the step takes.

A control loop must not wait for a scan, so the files are read in a thread, when they changed and
not more often than asked; each call returns what the last complete read found.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from assay.config import Strategy
from assay.errors import AssayError
from assay.evidence import Agreed, Labelled, Rollout, ValueSums
from assay.rollout.records import State
from assay.tables.labelled_log import LabelSums, read_labelled_log

_BY_UNIT = frozenset({"canary", "ab", "blue-green"})
_PAUSE = 9
"""After a read as many times as long nothing is read: a long log takes a tenth of one processor."""
Span = tuple[int, int]


@dataclass
class LabelReader:
    """Call it with the state; `trouble` says why the last read failed, and is empty otherwise.

    ``log`` is the folder of prediction logs, with one folder for each version.
    """

    log: Path
    labels: Path | None
    seconds: float = 10.0
    clock: Callable[[], float] = time.monotonic
    trouble: str = ""
    _spans: dict[Path, Span | None] = field(default_factory=dict)
    _found: tuple[Labelled, ...] = ()
    _of: str = ""
    """The version that `_found` is about."""
    _seen: object = None
    _due: float = 0.0
    _thread: threading.Thread | None = None

    def __call__(self, state: State) -> tuple[Labelled, ...]:
        """What is known now; never waits."""
        rollout = state.rollout
        if rollout is None or not rollout.batches or state.stable is None:
            return ()
        if rollout.candidate != self._of:
            self._of, self._found, self._seen, self._due = rollout.candidate, (), None, 0.0
        reading = self._thread is not None and self._thread.is_alive()
        if not reading and self.clock() >= self._due:
            self._due = self.clock() + self.seconds
            self._thread = threading.Thread(
                target=self.refresh, args=(state.stable, rollout), name="labels"
            )
            self._thread.start()
        return self._found

    def refresh(self, stable: str, rollout: Rollout) -> tuple[Labelled, ...]:
        """Read now, and wait; what cannot be read leaves what was found before."""
        began = self.clock()
        try:
            found = self._read(stable, rollout)
        except AssayError as error:
            self.trouble = str(error)
            return self._found
        finally:
            now = self.clock()
            self._due = max(self._due, now + _PAUSE * (now - began))
        self.trouble = ""
        if rollout.candidate == self._of or not self._of:
            self._found = found
        return found

    def _read(self, stable: str, rollout: Rollout) -> tuple[Labelled, ...]:
        quality = rollout.strategy.quality
        generations = {batch.generation for batch in rollout.batches}
        files = [
            path
            for version in (stable, rollout.candidate)
            for path in sorted((self.log / version).glob("*.parquet"))
            if self._overlaps(path, generations)
        ]
        labels = self.labels if self.labels is not None and self.labels.is_file() else None
        stamp = labels.stat() if labels is not None else None
        seen = (tuple(files), frozenset(generations), stamp and (stamp.st_mtime_ns, stamp.st_size))
        if seen == self._seen:
            return self._found
        found = read_labelled_log(
            files,
            labels,
            metric=quality.metric if quality is not None else None,
            generations=generations,
            by_unit=rollout.strategy.kind in _BY_UNIT,
        )
        self._seen = seen
        return tuple(
            Labelled(
                generation=generation,
                arms={
                    version: _values(sums)
                    for (of, version), sums in found.arms.items()
                    if of == generation
                },
                paired=_values(found.paired[generation]) if generation in found.paired else None,
                agreement=Agreed(
                    equal=found.agreement[generation][0], compared=found.agreement[generation][1]
                )
                if generation in found.agreement
                else None,
            )
            for generation in sorted(generations)
        )

    def _overlaps(self, path: Path, generations: set[int]) -> bool:
        """Whether a file may hold answers of these generations, from its statistics, read once."""
        if path not in self._spans:
            self._spans[path] = generations_of(path)
        span = self._spans[path]
        return span is not None and any(span[0] <= each <= span[1] for each in generations)


def unjudged(strategy: Strategy, reader: LabelReader | None) -> str | None:
    """Why what a strategy asks of log and labels could never be judged; None where it can.

    ``reader`` is the controller's: None on a target without a prediction log.
    """
    asked = [name for name in ("quality", "agreement") if getattr(strategy, name)]
    if asked and reader is None:
        return f"its {asked[0]} cannot be judged here: this target has no prediction log"
    if strategy.quality is not None and reader is not None and reader.labels is None:
        return "its quality cannot be judged here: this controller was started without --labels"
    return None


def generations_of(path: Path) -> Span | None:
    """The least and the greatest generation in a file of the prediction log; None: it has none."""
    try:
        file = pq.ParquetFile(path)
        column = file.schema_arrow.get_field_index("generation")
        groups = [file.metadata.row_group(each) for each in range(file.metadata.num_row_groups)]
        parts = [group.column(column).statistics for group in groups]
    except (OSError, pa.ArrowException, IndexError):
        return None
    known = [part for part in parts if part is not None and part.has_min_max]
    if not known:
        return None
    return min(int(part.min) for part in known), max(int(part.max) for part in known)


def _values(sums: LabelSums) -> ValueSums:
    return ValueSums(n=sums.n, mean=sums.mean, squares=max(0.0, sums.squares), events=sums.events)
