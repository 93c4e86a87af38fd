"""Metrics whose name carries a parameter, such as ``mean:COLUMN``: one entry for each family."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from assay.config.metrics import METRICS, Metric, Needs, Task

MEAN_PREFIX = "mean:"
"""``mean:COLUMN`` is the mean of a per-row score column of the predictions file."""
_COLUMN = r".{1,256}"


@dataclass(frozen=True, kw_only=True)
class Family:
    """Metrics named by ``prefix`` and a parameter; ``pattern`` says which parameters there are."""

    prefix: str
    parameter: str
    """What stands after the prefix, as documentation writes it: COLUMN."""
    pattern: str
    make: Callable[[str], Metric]
    """From the parameter to the metric."""
    directed: bool = False
    """Whether the configuration may say that less is better."""

    @property
    def written(self) -> str:
        """The family as documentation writes it, ``mean:COLUMN``."""
        return f"{self.prefix}{self.parameter}"


def _mean(column: str) -> Metric:
    return Metric(
        name=f"{MEAN_PREFIX}{column}",
        title=f"Mean of {column}",
        tasks=frozenset(Task) - {Task.RANKING},
        needs=Needs.COLUMN,
        low=None,
        high=None,
        parameter=column,
    )


def _gap(prefix: str, title: str) -> Callable[[str], Metric]:
    def make(column: str) -> Metric:
        return Metric(
            name=f"{prefix}{column}",
            title=f"{title} over {column}",
            tasks=frozenset({Task.BINARY}),
            needs=Needs.GROUPS,
            higher_is_better=False,
            parameter=column,
        )

    return make


QUANTILE_PREFIX = "quantile_loss:"
"""``quantile_loss:Q`` is the mean pinball loss of predictions of the quantile Q."""
_BETWEEN_ZERO_AND_ONE = r"0?\.[0-9]{0,8}[1-9][0-9]{0,8}"


def _quantile(level: str) -> Metric:
    return Metric(
        name=f"{QUANTILE_PREFIX}{level}",
        title=f"Quantile loss at {level}",
        tasks=frozenset({Task.REGRESSION}),
        needs=Needs.PREDICTION,
        higher_is_better=False,
        high=None,
        parameter=level,
    )


def _at(name: str, title: str) -> Family:
    """A ranking metric of the first K items."""

    def make(cut: str) -> Metric:
        return Metric(
            name=f"{name}@{cut}",
            title=f"{title} at {cut}",
            tasks=frozenset({Task.RANKING}),
            needs=Needs.SCORE,
            parameter=cut,
        )

    return Family(prefix=f"{name}@", parameter="K", pattern=r"[1-9][0-9]{0,3}", make=make)


PARITY, OPPORTUNITY = "demographic_parity:", "equal_opportunity:"
FAMILIES = (
    Family(prefix=MEAN_PREFIX, parameter="COLUMN", pattern=_COLUMN, make=_mean, directed=True),
    Family(
        prefix=PARITY,
        parameter="COLUMN",
        pattern=_COLUMN,
        make=_gap(PARITY, "Gap of selection rates"),
    ),
    Family(
        prefix=OPPORTUNITY,
        parameter="COLUMN",
        pattern=_COLUMN,
        make=_gap(OPPORTUNITY, "Gap of true positive rates"),
    ),
    Family(
        prefix=QUANTILE_PREFIX,
        parameter="Q",
        pattern=_BETWEEN_ZERO_AND_ONE,
        make=_quantile,
    ),
    _at("ndcg", "NDCG"),
    _at("precision", "Precision"),
    _at("recall", "Recall"),
    _at("hit_rate", "Hit rate"),
)
"""Every family; the schema, the messages and the reference page read this table."""


_ONLINE_NAMES = ("accuracy", "mae")
_ONLINE_FAMILIES = (QUANTILE_PREFIX, MEAN_PREFIX)
ONLINE = (
    *_ONLINE_NAMES,
    *(each.written for prefix in _ONLINE_FAMILIES for each in FAMILIES if each.prefix == prefix),
)
"""What a rollout counts as labels arrive, as documentation writes it: `assay.tables.labelled_log`
has the value of one row for each."""
ONLINE_SCHEMA = {
    "type": "string",
    "anyOf": [
        {"enum": list(_ONLINE_NAMES)},
        *(
            {"pattern": f"^{each.prefix}{each.pattern}$"}
            for each in FAMILIES
            if each.prefix in _ONLINE_FAMILIES
        ),
    ],
}


def family_of(name: str) -> Family | None:
    """Return the family that ``name`` is a metric of, or None."""
    for family in FAMILIES:
        after = name.removeprefix(family.prefix)
        if after != name and re.fullmatch(family.pattern, after, re.DOTALL):
            return family
    return None


def is_metric(name: str) -> bool:
    """Whether there is a metric called ``name``."""
    return name in METRICS or family_of(name) is not None


def is_online(name: str) -> bool:
    """Whether a rollout can judge the metric ``name`` as labels arrive (`ONLINE`)."""
    family = family_of(name)
    return name in _ONLINE_NAMES or (family is not None and family.prefix in _ONLINE_FAMILIES)


def metric_named(name: str, *, higher_is_better: bool = True) -> Metric:
    """Return the metric ``name``; the direction counts for a family that takes one.

    Raises KeyError for a name that is no metric's.
    """
    family = family_of(name)
    if family is None:
        return METRICS[name]
    metric = family.make(name.removeprefix(family.prefix))
    return metric.turned(higher_is_better) if family.directed else metric


def title_of(name: str) -> str:
    """Return a metric's title, or the name itself where it is none's."""
    return metric_named(name).title if is_metric(name) else name


def known_metrics() -> str:
    """List every metric and family for a message."""
    return ", ".join((*METRICS, *(family.written for family in FAMILIES)))
