"""How often whole verdicts err, and the rule that everybody uses beside them.

`make honesty-long` writes docs/honesty/verdicts.md, or alone:
.venv/bin/python tests/honesty/verdicts.py
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
if __name__ == "__main__":
    sys.path[:0] = [str(ROOT / "toolkit"), str(ROOT / "tests")]

from assay.config import Gate, Severity  # noqa: E402 -- the path above comes first
from assay.evidence import Comparison, Measurement, State  # noqa: E402
from assay.stats.cells import PairedCells  # noqa: E402
from assay.stats.classification import compare_cells  # noqa: E402
from assay.verdict import decide_comparison, judge  # noqa: E402
from honesty.regimes import Cells, lower_bound, upper_bound  # noqa: E402

METRICS = {
    "accuracy": ("accuracy", "binary"),
    "balanced_accuracy": ("balanced_accuracy", "binary"),
    "recall": ("recall", "binary"),
    "f1": ("f1", "binary"),
    "mcc": ("mcc", "binary"),
}
MARGIN = 0.01
_MADE = (
    "Made by `tests/honesty/verdicts.py`. Accuracy is 0.85 and the margin one point, unless said "
    "otherwise; intervals are Clopper and Pearson's, 95 %. A promise is broken where the lower "
    "bound at 1 in 1,000 is beyond it."
)
RUNS = 100_000
"""Of one claim, in the long run."""
CONFIGS = 500
"""Of 5 metrics on 20 slices, in the long run."""


@dataclass(frozen=True, kw_only=True)
class Rate:
    """A simulated share, with Clopper and Pearson's 95 % interval."""

    name: str
    hits: int
    runs: int
    most: float | None = None
    """What is promised, where something is."""

    @property
    def interval(self) -> tuple[float, float]:
        """Where the true share lies."""
        return (
            lower_bound(self.hits, self.runs, 0.025),
            upper_bound(self.hits, self.runs, 0.025),
        )

    @property
    def broken(self) -> bool:
        """Whether the promise is broken beyond what chance explains."""
        return self.most is not None and lower_bound(self.hits, self.runs, 0.001) > self.most

    def row(self) -> str:
        """A line of the table."""
        low, high = self.interval
        promised = "" if self.most is None else f"at most {100 * self.most:g} %"
        return (
            f"| {self.name} | {100 * self.hits / self.runs:.2f} % "
            f"| {100 * low:.2f} to {100 * high:.2f} % | {promised} | {self.runs:,} |"
        )


def measured(cells: PairedCells, metric: str, where: str) -> Measurement:
    """One metric on one slice, as `assay compare` writes it."""
    name, average = METRICS[metric]
    found = compare_cells(cells, name, average=average, positive=1)
    ends = (found.interval.low, found.interval.high) if found.interval else None
    return Measurement(
        metric=metric,
        slice=where,
        base=found.base,
        head=found.head,
        difference=found.difference,
        interval=ends,
        p_worse=found.p_worse,
        n=found.n,
        regime=found.regime,
        undefined=found.undefined,
    )


def any_worse(rows: int, discordant: float, configs: int) -> Rate:
    """Models that differ and are equally good, 5 metrics on 20 slices, all blocking."""
    rng = np.random.default_rng([22, rows])
    world = Cells(n=rows, shares=(0.7, 0.3), discordant=discordant, won=0.5)
    gates = {metric: Gate(margin=MARGIN, slices=Severity.BLOCK) for metric in METRICS}
    alarms = 0
    for _ in range(configs):
        slices = list(world.draw(rng, 20))
        whole = PairedCells.from_arrays(
            *(
                np.concatenate([getattr(each, name) for each in slices])
                for name in ("label", "base", "head", "count")
            ),
            classes=2,
        )
        parts = [("all", whole), *((f"s={place}", each) for place, each in enumerate(slices))]
        found = tuple(
            measured(cells, metric, where) for where, cells in parts for metric in METRICS
        )
        verdict = decide_comparison(Comparison(model="m", measurements=found), gates=gates)
        alarms += any(rule.state is State.WORSE for rule in verdict.rules)
    name = (
        f"any of 105 claims `worse`, equally good models, 5 metrics × 20 slices of {rows:,} rows, "
        f"{100 * discordant:g} % discordant"
    )
    return Rate(name=name, hits=alarms, runs=configs, most=0.05)


@dataclass(frozen=True, kw_only=True)
class Accuracies:
    """Two models of accuracy 0.85 and 0.85 − loss on n rows."""

    n: int
    discordant: float
    loss: float = 0.0

    def __str__(self) -> str:
        """As the table names it."""
        points = f"{100 * self.loss:g} point{'s' * (self.loss > 0.01)}"
        models = f"{points} worse" if self.loss else "equally good"
        return f"{models}, {self.n:,} rows, {100 * self.discordant:g} % discordant"

    def states(self, runs: int) -> tuple[Counter[State], int]:
        """States of accuracy at MARGIN, and how often head >= base."""
        rng = np.random.default_rng([23, self.n, round(1000 * self.loss)])
        won = (self.discordant - self.loss) / 2
        lost = won + self.loss
        right = [0.85 - lost, lost, won, 0.15 - won]
        states: Counter[State] = Counter()
        passes = 0
        tables, times = np.unique(
            rng.multinomial(self.n, right, size=runs)[:, 1:3], axis=0, return_counts=True
        )
        for (base_only, head_only), count in zip(tables, times, strict=True):
            rest = self.n - base_only - head_only
            cells = PairedCells.from_arrays(
                [1, 1, 1], [1, 1, 0], [1, 0, 1], [rest, base_only, head_only], classes=2
            )
            interval = compare_cells(cells, "accuracy").interval
            assert interval is not None
            states[judge((interval.low, interval.high), margin=MARGIN)] += int(count)
            passes += int(count) * int(head_only >= base_only)
        return states, passes


def passing(models: Accuracies, runs: int, most: float | None) -> list[Rate]:
    """How often the gate lets a model pass, and how often the usual rule does."""
    states, passes = models.states(runs)
    hits = states[State.BETTER] + states[State.NO_WORSE]
    return [
        Rate(name=f"`better` or `no-worse`, {models}", hits=hits, runs=runs, most=most),
        Rate(name=f"`candidate >= baseline`, {models}", hits=passes, runs=runs),
    ]


def claims(runs: int) -> Iterator[Rate]:
    """Accuracy 0.85 at a margin of one point."""
    for n in (200, 1_000, 10_000):
        for discordant in (0.06, 0.2):
            worse = Accuracies(n=n, discordant=discordant, loss=MARGIN)
            yield from passing(worse, runs, most=0.06)
    yield from passing(Accuracies(n=1_000, discordant=0.06, loss=2 * MARGIN), runs, most=0.01)
    for n in (1_000, 4_709):
        yield from passing(Accuracies(n=n, discordant=0.06), runs, most=None)


def page(rates: list[Rate]) -> str:
    """The Markdown page."""
    broken = sum(rate.broken for rate in rates)
    return "\n".join(
        [
            "# How often do verdicts err?",
            "",
            f"{RUNS:,} runs of one claim, {CONFIGS:,} of a whole config.",
            "",
            _MADE,
            "",
            f"**Broken promises: {broken or 'none'}.**",
            "",
            "| what | share | its interval | promised | runs |",
            "|---|---:|---|---|---:|",
            *(rate.row() for rate in rates),
            "",
        ]
    )


def main() -> None:
    """Simulate, and write the page."""
    rates = [*claims(RUNS), any_worse(200, 0.1, CONFIGS), any_worse(1_000, 0.06, CONFIGS)]
    out = ROOT / "docs/honesty/verdicts.md"
    out.parent.mkdir(exist_ok=True)
    out.write_text(page(rates), encoding="utf-8")
    print(page(rates))


if __name__ == "__main__":
    main()
