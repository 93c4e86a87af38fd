"""The built-in metrics: their names, direction, tasks and what they need.

One table, read by the configuration (names in ``gates``), the comparison (what to compute),
the report (how to print) and the reference page in docs/.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


class Task(StrEnum):
    """What the predictions are."""

    BINARY = "binary"
    MULTICLASS = "multiclass"
    REGRESSION = "regression"
    SCORE = "score"
    RANKING = "ranking"
    MULTILABEL = "multilabel"


class Needs(StrEnum):
    """The prediction column a metric is computed from."""

    PREDICTION = "prediction"
    PROBABILITY = "probability"
    SCORE = "score"
    COLUMN = "column"
    GROUPS = "groups"


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A built-in metric; ``low`` and ``high`` bound its range (None: unbounded)."""

    name: str
    title: str
    tasks: frozenset[Task]
    needs: Needs
    higher_is_better: bool = True
    low: float | None = 0.0
    high: float | None = 1.0
    parameter: str | None = None
    """What a family's name carries, such as a column."""

    def turned(self, higher_is_better: bool) -> Metric:
        """The same metric in the other direction, or in this one."""
        return replace(self, higher_is_better=higher_is_better)

    @property
    def span(self) -> float | None:
        """How far two values can be apart; None: without limit."""
        return None if self.low is None or self.high is None else self.high - self.low


_CLASSIFICATION = frozenset({Task.BINARY, Task.MULTICLASS})
_BINARY = frozenset({Task.BINARY})
_REGRESSION = frozenset({Task.REGRESSION})
_MULTILABEL = frozenset({Task.MULTILABEL})


def _label_metrics() -> list[Metric]:
    plain = [
        ("accuracy", "Accuracy", _CLASSIFICATION, 0.0),
        ("balanced_accuracy", "Balanced accuracy", _CLASSIFICATION, 0.0),
        ("precision", "Precision", _BINARY, 0.0),
        ("recall", "Recall", _BINARY, 0.0),
        ("f1", "F1", _BINARY, 0.0),
        ("mcc", "Matthews correlation", _CLASSIFICATION, -1.0),
    ]
    averaged = [
        (
            f"{name}_{average}",
            f"{title}, {average} average",
            _CLASSIFICATION if average == "weighted" else _CLASSIFICATION | _MULTILABEL,
            0.0,
        )
        for name, title in (("precision", "Precision"), ("recall", "Recall"), ("f1", "F1"))
        for average in ("macro", "micro", "weighted")
    ]
    return [
        Metric(name=name, title=title, tasks=tasks, needs=Needs.PREDICTION, low=low)
        for name, title, tasks, low in plain + averaged
    ]


def _probability_metrics() -> list[Metric]:
    return [
        Metric(
            name="log_loss",
            title="Log loss",
            tasks=_CLASSIFICATION,
            needs=Needs.PROBABILITY,
            higher_is_better=False,
            high=None,
        ),
        Metric(
            name="brier",
            title="Brier score",
            tasks=_CLASSIFICATION,
            needs=Needs.PROBABILITY,
            higher_is_better=False,
            high=2.0,
        ),
        Metric(
            name="calibration_error",
            title="Expected calibration error",
            tasks=_CLASSIFICATION,
            needs=Needs.PROBABILITY,
            higher_is_better=False,
        ),
        Metric(name="roc_auc", title="ROC AUC", tasks=_BINARY, needs=Needs.PROBABILITY),
        Metric(
            name="average_precision",
            title="Average precision",
            tasks=_BINARY,
            needs=Needs.PROBABILITY,
        ),
    ]


def _regression_metrics() -> list[Metric]:
    errors = [
        ("mae", "Mean absolute error", None),
        ("rmse", "Root mean squared error", None),
        ("mape", "Mean absolute percentage error", None),
        ("smape", "Symmetric mean absolute percentage error", 2.0),
        ("median_absolute_error", "Median absolute error", None),
    ]
    return [
        *(
            Metric(
                name=name,
                title=title,
                tasks=_REGRESSION,
                needs=Needs.PREDICTION,
                higher_is_better=False,
                high=high,
            )
            for name, title, high in errors
        ),
        Metric(name="r2", title="R²", tasks=_REGRESSION, needs=Needs.PREDICTION, low=None),
    ]


def _ranking_metrics() -> list[Metric]:
    named = [("ndcg", "NDCG"), ("mrr", "Mean reciprocal rank")]
    return [
        Metric(name=name, title=title, tasks=frozenset({Task.RANKING}), needs=Needs.SCORE)
        for name, title in named
    ]


def _label_set_metrics() -> list[Metric]:
    named = [
        ("subset_accuracy", "Subset accuracy", True),
        ("hamming_loss", "Hamming loss", False),
        ("f1_samples", "F1, mean over rows", True),
    ]
    return [
        Metric(
            name=name,
            title=title,
            tasks=_MULTILABEL,
            needs=Needs.PREDICTION,
            higher_is_better=up,
        )
        for name, title, up in named
    ]


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        *_label_metrics(),
        *_probability_metrics(),
        *_regression_metrics(),
        *_ranking_metrics(),
        *_label_set_metrics(),
    )
}
"""Every built-in metric by its name in ``assay.yaml``."""


def default_metrics(task: Task) -> tuple[str, ...]:
    """Return the metrics shown where the configuration names none."""
    return {
        Task.BINARY: ("accuracy", "precision", "recall", "f1", "roc_auc", "log_loss"),
        Task.MULTICLASS: ("accuracy", "balanced_accuracy", "f1_macro", "mcc"),
        Task.REGRESSION: ("mae", "rmse", "r2"),
        Task.SCORE: (),
        Task.RANKING: ("ndcg@10", "mrr"),
        Task.MULTILABEL: ("subset_accuracy", "hamming_loss", "f1_micro", "f1_macro"),
    }[task]
