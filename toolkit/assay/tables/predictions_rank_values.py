"""Per-query values of ranking metrics, as SQL over what predictions_ranking makes."""

from __future__ import annotations

from collections.abc import Callable

from assay.config import Metric

_PER_RANK = {"precision": "1 / {k}", "recall": "1 / relevant"}


def rank_value(metric: Metric) -> Callable[[str], str] | None:
    """Return what writes a ranking metric's per-query value for a side; None for other metrics."""
    family, _, after = metric.name.partition("@")
    cut = int(after) if after.isdecimal() else None
    if family == "mrr":
        return _reciprocal
    if family == "hit_rate" and cut is not None:
        return lambda side: _hit(side, cut)
    if family == "ndcg":
        return lambda side: f"{_gain(f'{side}_gains', cut)} / {_gain('ideal', cut)}"
    if family in _PER_RANK and cut is not None:
        share = _PER_RANK[family].format(k=cut)
        return lambda side: f"list_sum({side}_hits[1:{cut}]) * {share}"
    return None


def _gain(gains: str, cut: int | None) -> str:
    """Discounted cumulative gain: Σ gain / log2(rank + 1) (Järvelin and Kekäläinen 2002)."""
    kept = gains if cut is None else f"{gains}[1:{cut}]"
    return f"list_sum(list_transform({kept}, lambda gain, place: gain / log2(place + 1)))"


def _reciprocal(side: str) -> str:
    """Expected 1 / (rank of the first relevant item).

    In a group of t items with r relevant ones, the first relevant one is the j-th with chance
    C(t − j, r − 1) / C(t, r).
    """
    tied, found, above = f"{side}_tied", f"{side}_found", f"{side}_above"
    chance = _ratio(f"{tied} - j", f"{found} - 1", tied, found)
    return (
        f"CASE WHEN {tied} = {found} THEN 1 / ({above} + 1) ELSE "
        f"list_sum(list_transform(range(1, {tied} - {found} + 2), "
        f"lambda j: {chance} / ({above} + j))) END"
    )


def _hit(side: str, cut: int) -> str:
    """Chance that one of the first ``cut`` items is relevant: 1 − C(t − r, m) / C(t, m)."""
    tied, found, above = f"{side}_tied", f"{side}_found", f"{side}_above"
    free = f"({cut} - {above})"
    none = _ratio(f"{tied} - {found}", free, tied, free)
    return (
        f"CASE WHEN {free} <= 0 THEN 0.0 WHEN {free} > {tied} - {found} THEN 1.0 "
        f"ELSE 1 - {none} END"
    )


def _ratio(n: str, k: str, below_n: str, below_k: str) -> str:
    """C(n, k) / C(below_n, below_k)."""
    return f"exp({_log_binomial(n, k)} - ({_log_binomial(below_n, below_k)}))"


def _log_binomial(n: str, k: str) -> str:
    return f"lgamma({n} + 1) - lgamma({k} + 1) - lgamma(({n}) - ({k}) + 1)"
