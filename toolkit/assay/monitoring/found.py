"""What one reading is asked for, and what it found: sums and facts, never a row. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from assay.evidence import Quality
from assay.monitoring.columns import Watched
from assay.tables import live_labels, live_log
from assay.tables.live_counts import Cell


@dataclass(frozen=True, kw_only=True)
class Span:
    """What is read, in µs since 1970: from `since` to `at`; a window's length in µs."""

    since: int
    at: int
    length: int
    mature: int
    """The newest window whose labels should be there."""
    until: int
    """What is dated later waits: `at`, and what clocks may differ by."""

    @property
    def newest(self) -> int:
        """The newest complete window."""
        return self.at // self.length - 1


@dataclass(frozen=True, kw_only=True)
class Read:
    """What one reading found."""

    cells: tuple[Cell, ...]
    """Of the span's windows, and those remembered of windows of which nothing was read."""
    windows: frozenset[int] = frozenset()
    """Of which a prediction was read."""
    delays: dict[int, tuple[float, float]]
    """By window: how late half and 90 % of its labels came, in seconds."""
    metrics: tuple[str, ...]
    sliced: tuple[Quality, ...] = ()
    shares: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Of the mature window: labelled and all predictions, by predicted class."""
    early: dict[str, tuple[int, int]] = field(default_factory=dict)
    """By class that turned out true: labels of mature windows that came early, and all of them."""
    log: live_log.LogFacts = live_log.NOTHING
    labels: live_labels.LabelFacts | None = None
    columns: Watched = field(default_factory=Watched)
    positive: str | None = None
    """The class that precision, recall and F1 are of."""
    classes: tuple[str, ...] = ()
    """What labels and predictions are, where none is the positive class; else nothing."""
    unanswered: int = 0
    """Predictions without a value."""
    improbable: int = 0
    """Predictions whose score is a number below 0 or above 1."""
    unsliced: tuple[str, ...] = ()
    """Columns to show quality by that no file of the log has."""
    unknown: dict[int, dict[str, int]] = field(default_factory=dict)
    """Predictions by window of versions that delivery does not know, which count nowhere else."""
    unreadable_logs: tuple[str, ...] = ()
    unreadable_labels: tuple[str, ...] = ()


def merged(
    before: Sequence[Cell], new: Sequence[Cell], windows: Collection[int]
) -> tuple[Cell, ...]:
    """What was read replaces what was remembered of its `windows`: nothing is counted twice.

    Of others the sums stay: their logs were removed, or cannot be read right now.
    """
    together = (*(cell for cell in before if cell.window not in windows), *new)
    return tuple(sorted(together, key=lambda cell: (cell.window, cell.version)))


def serving(cells: Sequence[Cell]) -> str | None:
    """The version that answered most in the newest window with predictions and its neighbour."""
    if not cells:
        return None
    newest = max(cell.window for cell in cells)
    counts: Counter[str] = Counter()
    for cell in cells:
        if cell.window >= newest - 1:
            counts[cell.version] += cell.predictions
    return counts.most_common(1)[0][0] or None
