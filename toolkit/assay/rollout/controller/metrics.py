"""OpenMetrics of a controller, made when a scraper asks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from assay.rollout.controller.loop import Controller

CONTENT_TYPE = CONTENT_TYPE_LATEST
_SINGLE = {
    "epoch": "Life of the controller; goes up at each start.",
    "generation": "Of the route that was asked for.",
    "applied_generation": "Of the route that the router acknowledged.",
    "decisions_unpushed": "Decisions that assay/journal does not have yet.",
    "decisions_unwritten": "Decisions that the write-ahead log alone holds: the disk is full.",
    "log_room_bytes": "Reserved in the write-ahead log for rollbacks.",
    "journal_diverged": "1 while assay/journal holds what this controller did not write.",
    "rollout_step": "Step of the rollout in flight, from 0; -1 without one.",
    "tick_age_seconds": "Since the last round ended.",
}


class Metrics(Collector):
    """Collects from the controller; ``status`` is what `assay status` gets.

    ``beside`` are collectors whose families are shown with the controller's.
    """

    def __init__(
        self,
        controller: Controller,
        status: Callable[[], dict[str, Any]],
        beside: Iterable[Collector] = (),
    ) -> None:
        self._controller, self._status = controller, status
        self._registry = CollectorRegistry(auto_describe=False)
        for collector in (self, *beside):
            self._registry.register(collector)

    def text(self) -> bytes:
        """Return the exposition."""
        made: bytes = generate_latest(self._registry)  # type: ignore[no-untyped-call]
        return made

    def collect(self) -> Iterator[Metric]:
        """Yield every family."""
        status, store = self._status(), self._controller.store
        rollout = status["rollout"]
        values = {
            "epoch": status["epoch"],
            "generation": status["generation"],
            "applied_generation": status["applied"] or 0,
            "decisions_unpushed": max(0, status["decisions"] - status["journal"]["pushed"]),
            "decisions_unwritten": store.unwritten,
            "log_room_bytes": store.room,
            "journal_diverged": int(status["journal"]["state"] == "diverged"),
            "rollout_step": -1 if rollout is None else rollout["step"],
            "tick_age_seconds": status["age"] if status["age"] is not None else float("inf"),
        }
        for name, value in values.items():
            yield GaugeMetricFamily(f"assay_controller_{name}", _SINGLE[name], value=value)
        yield self._by_version(
            "assay_controller_weight", "Share of the traffic, of 10,000.", status["weights"]
        )
        ready = {digest: int(one["ready"]) for digest, one in status["versions"].items()}
        yield self._by_version("assay_controller_ready", "1 where a version can answer.", ready)
        kinds = Counter(link.facts["kind"] for link in store.links)
        decisions = CounterMetricFamily(
            "assay_controller_decisions", "Decisions in the chain.", labels=["kind"]
        )
        for kind, count in sorted(kinds.items()):
            decisions.add_metric([kind], count)
        yield decisions
        yield CounterMetricFamily(
            "assay_controller_alerts",
            "Times a person should have looked, in this life.",
            self._controller.alerted,
        )

    @staticmethod
    def _by_version(name: str, what: str, values: dict[str, int]) -> Metric:
        family = GaugeMetricFamily(name, what, labels=["artifact_digest"])
        for digest, value in sorted(values.items()):
            family.add_metric([digest], value)
        return family
