"""Decisions in words: what was found, and the number that decided."""

from __future__ import annotations

from assay.config import OnlineMetric
from assay.evidence import OnlineLook, State
from assay.report.numbers import duration, exact_percent, interval, percent
from assay.verdict.figures import places_for, signed

__all__ = ["claim", "duration", "share_of"]

_SHOWN = {
    State.BETTER: "better",
    State.NO_WORSE: "no worse",
    State.WORSE: "worse",
    State.INCONCLUSIVE: "inconclusive",
    State.NOT_MEASURED: "not measured",
}


def share_of(share: float) -> str:
    """A share of the traffic."""
    return exact_percent(round(share, 4))


def claim(look: OnlineLook, metric: OnlineMetric | None) -> str:
    """Say what a look shows: the name, the state, the difference and its interval."""
    name = _name(look, metric)
    if look.name == "sample-ratio":
        return _ratio(look)
    if look.interval is None or look.difference is None:
        return f"{name} {_SHOWN[look.state]} ({look.reason})"
    scale = 1 if look.name == "quality" else 100
    low, high = (scale * end for end in look.interval)
    places = places_for((low, high))
    unit = "" if look.name == "quality" else " points"
    return (
        f"{name} {_SHOWN[look.state]}, {signed(scale * look.difference, places)}{unit} "
        f"{interval((low, high), places)} after {look.n:,}{_margin(look, scale)}"
    )


def _name(look: OnlineLook, metric: OnlineMetric | None) -> str:
    if look.name == "quality" and metric is not None:
        return metric.measured.title
    return {"errors": "errors", "latency": "slow requests"}.get(look.name, look.name)


def _margin(look: OnlineLook, scale: float) -> str:
    return "" if look.margin is None else f", margin {scale * look.margin:g}"


def _ratio(look: OnlineLook) -> str:
    if look.difference is None or look.p_value is None:
        return f"the split is not measured ({look.reason})"
    found = "is not what was asked for" if look.state is State.WORSE else "is as asked for"
    return (
        f"the split of {look.n:,} units {found}: the new version got "
        f"{percent(abs(look.difference))} {'more' if look.difference > 0 else 'less'} of them, "
        f"p = {look.p_value:.2g} at any look"
    )
