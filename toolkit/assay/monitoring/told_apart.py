"""Rows of features to a classifier in its own environment, and back what it tells apart.

Of each comparison half of the rows are learned from and the other half scored, by a hash of their
ids: what is scored was never learned, and nothing depends on the order of rows.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assay.environments import NotRunError, Tool, environment, run_script
from assay.stats.two_sample import ToldApart, told_apart
from assay.tables.feature_rows import FeatureRows

SCRIPT = Path(__file__).with_name("classifier.py")
FEWEST = 200
"""Rows of a side below which a classifier learns too little."""
_SECONDS = 1800.0


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two sets of rows over the same features."""

    before: FeatureRows
    now: FeatureRows
    importance: bool = False
    """Whether it is asked for by which features they are told apart."""

    @property
    def enough(self) -> bool:
        """Whether both sides have the rows that are needed."""
        return min(self.before.keys.size, self.now.keys.size) >= FEWEST


@dataclass(frozen=True, kw_only=True)
class Told:
    """What one comparison shows; `importance` by feature, of shape (features,) or (0,)."""

    found: ToldApart
    importance: NDArray[np.float64]


def tell_apart(
    tool: Tool, comparisons: Sequence[Comparison], categories: NDArray[np.bool_]
) -> tuple[Told, ...]:
    """Run the classifier over each comparison; `categories` says which features are codes.

    Raises NotRunError where its environment cannot be made, or it fails.
    """
    python = environment(tool)
    request = {"comparisons": np.array(len(comparisons)), "categories": categories}
    sides = []
    for place, one in enumerate(comparisons):
        keys = np.concatenate([one.before.keys, one.now.keys])
        now = np.arange(keys.size) >= one.before.keys.size
        tested = keys % 2 == 1
        sides.append(now[tested])
        request[f"{place}.rows"] = np.concatenate([one.before.values, one.now.values])
        request[f"{place}.now"], request[f"{place}.tested"] = now, tested
        request[f"{place}.importance"] = np.array(one.importance)
    with tempfile.TemporaryDirectory(prefix="assay-classifier-") as folder:
        result = _answered(tool, python, Path(folder), request)
    return tuple(
        Told(found=told_apart(scores[~now], scores[now]), importance=result[f"{place}.importance"])
        for place, now in enumerate(sides)
        for scores in [result[f"{place}.scores"]]
    )


def _answered(
    tool: Tool, python: Path, folder: Path, request: dict[str, NDArray[np.generic]]
) -> dict[str, NDArray[np.float64]]:
    asked, answered = folder / "request.npz", folder / "result.npz"
    np.savez(asked, allow_pickle=False, **request)
    run_script(
        tool,
        python,
        SCRIPT,
        [asked, answered],
        seconds=_SECONDS,
        what="the classifier failed",
        # Threads that wait for each other spin: beside other work that takes longer than one alone.
        variables={"OMP_NUM_THREADS": "1"},
    )
    try:
        with np.load(answered, allow_pickle=False) as result:
            return {name: result[name] for name in result.files}
    except (OSError, ValueError):
        raise NotRunError("the classifier left no result") from None
