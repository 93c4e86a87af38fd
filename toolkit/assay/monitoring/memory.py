"""What a monitor remembers between looks: sums, never rows; and the label ledger beside them."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from pydantic import Field

from assay.config.types import ModelName
from assay.errors import InputError, Location
from assay.evidence import Document, Look, Part
from assay.evidence.delivery import Moment
from assay.state.lock import Held, Lock, take
from assay.tables.live_counts import Cell, LiveSums

LEDGER = "labels.parquet"
COLUMNS = "columns.parquet"
"""What was counted of columns and scores, by window."""


class Remembered(Part):
    """The sums of one window and version, as they were when its logs were read last."""

    window: int
    version: str
    predictions: int
    n: int = 0
    right: int = 0
    hits: int = 0
    false_alarms: int = 0
    misses: int = 0
    errors: int = 0
    apart: int = 0
    absolute: float = 0.0
    squared: float = 0.0
    fourth: float = 0.0
    bins: tuple[tuple[int, float, float], ...] = ()

    @classmethod
    def of(cls, cell: Cell) -> Remembered:
        """The same as a part of a document."""
        return cls(
            window=cell.window,
            version=cell.version,
            predictions=cell.predictions,
            **vars(cell.sums),
        )

    def cell(self) -> Cell:
        """The same as the tables give it."""
        facts = self.model_dump(exclude={"window", "version", "predictions"})
        return Cell(
            window=self.window,
            version=self.version,
            predictions=self.predictions,
            sums=LiveSums(**facts),
        )


class Memory(Document):
    """All that is needed of earlier looks."""

    SCHEMA: ClassVar[str] = "assay/monitor-state/1"
    FILE: ClassVar[str] = "state.json"

    model: ModelName
    length: float = Field(description="Seconds of a window.")
    last: Moment | None = Field(default=None, description="When the last look was taken.")
    answered: Moment | None = Field(default=None, description="The newest prediction's time.")
    cells: tuple[Remembered, ...] = ()
    delays: dict[int, tuple[float, float]] = Field(
        default_factory=dict, description="Median and 90 % quantile of the labels, by window."
    )
    known: tuple[str, ...] = Field(
        default=(), description="Versions that delivery knew at any look."
    )
    unknown: dict[int, dict[str, int]] = Field(
        default_factory=dict,
        description="Predictions of versions it did not know, by window and version.",
    )
    since: dict[str, Moment] = Field(default_factory=dict, description="Of each open problem.")


def recall(folder: Path, model: str, length: float) -> Memory:
    """Read the memory; a new one where there is none. Other windows are counted anew."""
    if not (folder / Memory.FILE).exists():
        return Memory(model=model, length=length)
    memory = Memory.read(folder)
    if memory.model != model:
        raise InputError(
            f"this folder holds what was seen of {memory.model}, not of {model}.",
            where=Location(file=folder.as_posix()),
            remedy="Give each model a state folder of its own.",
        )
    if memory.length != length:
        return Memory(model=model, length=length, since=memory.since)
    return memory


def keep(look: Look, folder: Path) -> None:
    """Keep this look under last/<model> and the one before it under previous/<model>.

    What became of a problem is told from the two. Looking again as of the same time replaces the
    last one.
    """
    last, previous = folder / "last" / look.model, folder / "previous" / look.model
    if (last / Look.FILE).exists():
        before = Look.read(last)
        if before.at != look.at:
            before.write(previous)
    look.write(last)


def lock(folder: Path, moment: str) -> Lock:
    """Keep a second monitor of the same state out; raises InputError naming the first."""
    try:
        return take(folder, role="assay monitor", since=moment)
    except Held as held:
        raise InputError(
            "another monitor is looking with this state right now.",
            where=held.where,
            remedy="Nothing is lost: it sees the same files. Wait for it, or run one at a time.",
        ) from None
