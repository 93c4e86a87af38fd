"""Burn rates of a service's promises, over several windows (Google, SRE Workbook, chapter 5).

A burn rate is the share of failed requests over the share that the promise allows: at 1 the error
budget of 30 days lasts 30 days. Each alert wants a long window (enough is lost) and a short one
(it is still being lost). The requests are counted by the router of a local or docker target.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from assay.config import Objectives
from assay.errors import InputError

ROUTER = "router"
"""Envoy's name for the callers' side (``stat_prefix``); a test holds it to the target's."""
BUCKETS = (
    0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 300_000,
    600_000, 1_800_000, 3_600_000,
)  # fmt: skip
"""Upper bounds of Envoy's latency histogram, in milliseconds."""
WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")
ERRORS, SLOW = "availability", "latency"


@dataclass(frozen=True, kw_only=True)
class Burn:
    """How fast the budget is spent before somebody is told; ``page`` wakes a person."""

    long: str
    short: str
    rate: float
    budget: str
    page: bool
    wait: str


BURNS = (
    Burn(long="1h", short="5m", rate=14.4, budget="2 %", page=True, wait="2m"),
    Burn(long="6h", short="30m", rate=6, budget="5 %", page=True, wait="15m"),
    Burn(long="1d", short="2h", rate=3, budget="10 %", page=False, wait="1h"),
    Burn(long="3d", short="6h", rate=1, budget="10 %", page=False, wait="3h"),
)


def record(slo: str, window: str) -> str:
    """Return the name of the recorded share of requests that break a promise."""
    return f"assay:{slo}_errors:ratio_rate{window}"


def recording_rules(model: str, target: str, objectives: Objectives) -> list[dict[str, Any]]:
    """Return the rules that record the shares of failed and of slow requests."""
    where = f'model="{model}",target="{target}",envoy_http_conn_manager_prefix="{ROUTER}"'
    bound = bucket(objectives.latency_ms)
    labels = {"model": model, "target": target}
    rules = []
    for window in WINDOWS:
        failed = (
            f'sum(rate(envoy_http_downstream_rq_xx{{{where},envoy_response_code_class="5"}}'
            f"[{window}]))"
        )
        total = f"sum(rate(envoy_http_downstream_rq_completed{{{where}}}[{window}]))"
        fast = (
            f'sum(rate(envoy_http_downstream_rq_time_bucket{{{where},le=~"{bound:g}([.]0)?"}}'
            f"[{window}]))"
        )
        timed = f"sum(rate(envoy_http_downstream_rq_time_count{{{where}}}[{window}]))"
        for slo, share in ((ERRORS, f"{failed} / {total}"), (SLOW, f"1 - {fast} / {timed}")):
            rules.append({"record": record(slo, window), "expr": share, "labels": labels})
    return rules


def expression(slo: str, burn: Burn, model: str, target: str, objectives: Objectives) -> str:
    """Return when the budget of a promise is spent at a burn's rate, over both its windows."""
    promised = objectives.availability if slo == ERRORS else objectives.latency
    limit = f"({burn.rate:g} * {1 - promised:.10g})"
    chosen = f'{{model="{model}",target="{target}"}}'
    long, short = (f"{record(slo, window)}{chosen}" for window in (burn.long, burn.short))
    return f"{long} > {limit} and {short} > {limit}"


def bucket(latency_ms: float) -> float:
    """Return the bound of Envoy's histogram that is the promise's latency.

    Raises InputError for a latency between two of them: no count says how many were faster.
    """
    if latency_ms in BUCKETS:
        return latency_ms
    shown = ", ".join(f"{bound:g}" for bound in BUCKETS[3:14])
    raise InputError(
        f"objectives.latency_ms is {latency_ms:g}, and the router does not count at that bound.",
        remedy=f"Write one of: {shown}.",
    )
