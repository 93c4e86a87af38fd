"""What a comparison is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from assay.config import (
    Columns,
    Cross,
    Gate,
    Metric,
    Model,
    Needs,
    Slice,
    Task,
    WorstSlice,
    default_metrics,
    metric_named,
)
from assay.config.families import MEAN_PREFIX
from assay.evidence import Ledger
from assay.tables.predictions_slices import Truth

_NO_LEDGER = Ledger(missing="the evidence holds no ledger.json, which the plan writes")


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Everything that decides the numbers beside the two files.

    ``report`` are metrics that are shown; None: the usual ones of the task. The digests of the
    two models are None where unknown; equal ones make an identical model. ``lower_is_better``
    names the metrics ``mean:COLUMN`` of columns such as a cost; a gate can say it as well.
    ``truth`` is the side whose labels and slices count where both have them. ``ledger`` holds
    the earlier decisions on the test set; None where nobody asks for it.
    """

    model: str = "model"
    columns: Columns = field(default_factory=Columns)
    task: Task | None = None
    gates: Mapping[str, Gate] = field(default_factory=dict)
    report: tuple[str, ...] | None = None
    lower_is_better: frozenset[str] = frozenset()
    slices: tuple[Slice | Cross, ...] = ()
    worst_slice: WorstSlice = field(default_factory=WorstSlice)
    confidence: float = 0.95
    min_slice_rows: int = 50
    base_model: str | None = None
    head_model: str | None = None
    test_set_changed: bool = False
    truth: Truth = "head"
    ledger: Ledger | None = None
    engine: Literal["duckdb", "spark"] = "duckdb"

    @classmethod
    def by_rules(
        cls,
        name: str,
        rules: Model,
        *,
        base_model: str | None = None,
        head_model: str | None = None,
        test_set_changed: bool = False,
        ledger: Ledger | None = None,
    ) -> Asked:
        """What a model's section of assay.yaml asks for.

        The base's labels and slices count, unless the test set is known to have changed: the
        head's predictions file is written by the head.
        """
        return cls(
            model=name,
            columns=rules.columns,
            task=rules.task,
            gates=rules.gates,
            report=rules.report,
            slices=rules.slices,
            worst_slice=rules.worst_slice,
            confidence=rules.confidence,
            min_slice_rows=rules.min_slice_rows,
            base_model=base_model,
            head_model=head_model,
            test_set_changed=test_set_changed,
            truth="head" if test_set_changed else "base",
            ledger=ledger or _NO_LEDGER if rules.ledger else None,
            engine=rules.engine,
        )

    @property
    def named(self) -> tuple[str, ...]:
        """The metrics named by the user: those with a gate first, that of the search last."""
        searched = (self.worst_slice.metric,) if self.slices and self.worst_slice.metric else ()
        return tuple(dict.fromkeys((*self.gates, *(self.report or ()), *searched)))

    @property
    def counted(self) -> tuple[Slice | Cross, ...]:
        """The slices, and the columns whose groups a metric compares, in bins where listed so."""
        listed = {asked.column for asked in self.slices if isinstance(asked, Slice)}
        metrics = (metric_named(name) for name in self.named)
        grouped = dict.fromkeys(
            metric.parameter for metric in metrics if metric.needs is Needs.GROUPS
        )
        more = (Slice(column=name) for name in grouped if name and name not in listed)
        return (*self.slices, *more)

    def means(self) -> tuple[str, ...] | None:
        """Score columns whose mean is asked for; None: whichever there are."""
        columns = tuple(
            name.removeprefix(MEAN_PREFIX) for name in self.named if name.startswith(MEAN_PREFIX)
        )
        return None if self.report is None and not self.gates else columns

    def metrics(self, task: Task, means: tuple[str, ...], *, scores: bool) -> tuple[Metric, ...]:
        """The metrics to measure, in order, each with its direction.

        ``means`` are the score columns found, ``scores`` whether either side has probabilities:
        usual metrics that nobody named are left out where there are none.
        """
        names = list(self.named)
        if self.report is None:
            usual = default_metrics(task)
            names += [
                name
                for name in (*usual, *(f"{MEAN_PREFIX}{column}" for column in means))
                if name not in names and (scores or metric_named(name).needs != "probability")
            ]
        return tuple(metric_named(name, higher_is_better=self._direction(name)) for name in names)

    def _direction(self, name: str) -> bool:
        gate = self.gates.get(name)
        return name not in self.lower_is_better and (gate is None or gate.higher_is_better)

    def in_slices(self, metrics: tuple[Metric, ...]) -> tuple[Metric, ...]:
        """The metrics measured in each slice: those that gate, or all where none does."""
        gated = tuple(metric for metric in metrics if metric.name in self.gates)
        return tuple(metric for metric in gated or metrics if metric.needs is not Needs.GROUPS)
