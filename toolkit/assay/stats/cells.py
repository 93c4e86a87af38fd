"""Joint counts of (label, base prediction, head prediction), and who was right how often."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from assay.stats.confusion import Confusion, Vector

Counts = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class PairedCells:
    """Joint counts in sparse form: four arrays of one length, and the number of classes K.

    `label`, `base` and `head` are class numbers 0 … K−1; `count` says how many rows have that
    combination. Combinations may be missing and may repeat.
    """

    classes: int
    label: Counts
    base: Counts
    head: Counts
    count: Counts

    def __post_init__(self) -> None:
        shape = self.count.shape
        for codes in (self.label, self.base, self.head):
            if codes.shape != shape or codes.ndim != 1:
                raise ValueError("label, base, head and count must be flat and of one length")
            if codes.size and (codes.min() < 0 or codes.max() >= self.classes):
                raise ValueError(f"class numbers must lie in 0 … {self.classes - 1}")
        if self.count.size and self.count.min() < 0:
            raise ValueError("counts cannot be negative")

    @classmethod
    def from_arrays(
        cls, label: ArrayLike, base: ArrayLike, head: ArrayLike, count: ArrayLike, *, classes: int
    ) -> PairedCells:
        """Cells from anything numpy reads as integers, as a GROUP BY returns them."""
        label, base, head, count = (
            np.asarray(values).astype(np.int64) for values in (label, base, head, count)
        )
        return cls(classes=classes, label=label, base=base, head=head, count=count)

    @classmethod
    def from_dense(cls, cells: ArrayLike) -> PairedCells:
        """Cells from an array of shape (K, K, K) indexed [label, base, head]."""
        dense = np.asarray(cells)
        label, base, head = np.nonzero(dense)
        return cls.from_arrays(label, base, head, dense[label, base, head], classes=len(dense))

    @classmethod
    def from_rows(
        cls, label: ArrayLike, base: ArrayLike, head: ArrayLike, *, classes: int
    ) -> PairedCells:
        """Cells from one entry per row."""
        rows = np.stack([np.asarray(values, dtype=np.int64) for values in (label, base, head)])
        cells, count = np.unique(rows, axis=1, return_counts=True)
        return cls.from_arrays(cells[0], cells[1], cells[2], count, classes=classes)

    @cached_property
    def n(self) -> int:
        """All rows."""
        return int(self.count.sum())

    def one_vs_rest(self, positive: int) -> PairedCells:
        """The same rows with two classes: 1 for `positive`, 0 for every other."""
        if not 0 <= positive < self.classes:
            raise ValueError(f"the positive class must lie in 0 … {self.classes - 1}")
        code = 4 * (self.label == positive) + 2 * (self.base == positive) + (self.head == positive)
        dense = np.zeros(8, dtype=np.int64)
        np.add.at(dense, code, self.count)
        return PairedCells.from_dense(dense.reshape(2, 2, 2))

    def outcomes(self, label: int | None = None) -> Outcomes:
        """Who was right, over all rows or over those of one label."""
        count = self.count if label is None else self.count * (self.label == label)
        base, head = self.base == self.label, self.head == self.label
        return Outcomes(
            both=int(count[base & head].sum()),
            base_only=int(count[base & ~head].sum()),
            head_only=int(count[~base & head].sum()),
            neither=int(count[~base & ~head].sum()),
        )

    @cached_property
    def sides(self) -> tuple[Confusion, Confusion]:
        """Margins of the base's and of the head's confusion matrix."""
        return self._side(self.base), self._side(self.head)

    def _side(self, prediction: Counts) -> Confusion:
        def total(codes: Counts, count: Counts) -> Vector:
            sums = np.bincount(codes, weights=count, minlength=self.classes)
            return sums.astype(np.float64)

        right = self.label == prediction
        return Confusion(
            hits=total(self.label[right], self.count[right]),
            labels=total(self.label, self.count),
            predicted=total(prediction, self.count),
        )


@dataclass(frozen=True, kw_only=True)
class Outcomes:
    """How many rows each side got right."""

    both: int
    base_only: int
    head_only: int
    neither: int

    @property
    def n(self) -> int:
        """All rows."""
        return self.both + self.base_only + self.head_only + self.neither

    def standard_error(self, z: float, base_weight: float) -> float:
        """Of the difference in the share of right rows, with z²/2 added to each direction."""
        base_only, head_only = self.base_only + z**2 / 2, self.head_only + z**2 / 2
        n = self.n + z**2
        both = 1 - base_weight
        mean = (self.both * both + head_only - base_weight * base_only) / n
        squares = self.both * both**2 + head_only + base_weight**2 * base_only
        return float(np.sqrt(max(0.0, squares / n - mean**2) / n))
