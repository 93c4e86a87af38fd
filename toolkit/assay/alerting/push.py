"""Gauges of looks to a Pushgateway, and to whoever scrapes a process of ours."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from urllib.error import URLError

from prometheus_client import CollectorRegistry, push_to_gateway
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from assay.errors import AssayError, InputError, OutsideError
from assay.evidence import Look
from assay.report.exposition import Family
from assay.report.look_metrics import look_families, merged

JOB = "assay-monitor"
_TIMEOUT = 20


class Gauges(Collector):
    """Collects what ``families`` gives when it is asked."""

    def __init__(self, families: Callable[[], Iterable[Family]]) -> None:
        self._families = families

    def collect(self) -> Iterator[Metric]:
        """Yield every family."""
        for one in self._families():
            made = GaugeMetricFamily(one.name, one.help)
            for labels, value in one.samples:
                if value is not None:
                    made.add_sample(one.name, dict(labels), value)
            yield made


def looks_in(*folders: Path) -> Gauges:
    """Return the gauges of the looks below folders (``MODEL/monitor.json``), read at each scrape.

    The first folder that has a look of a model has the word on it. A look that cannot be read is
    left out: its timestamp goes, and ``AssayMonitorSilent`` tells.
    """

    def families() -> Iterable[Family]:
        found: dict[str, tuple[Family, ...]] = {}
        for folder in folders:
            for file in sorted(folder.glob(f"*/{Look.FILE}")):
                try:
                    look = Look.read(file.parent)
                except AssayError:
                    continue
                found.setdefault(look.model, look_families(look))
        return merged(found.values())

    return Gauges(families)


def push(address: str, model: str, families: Iterable[Family]) -> None:
    """Replace a model's group at a Pushgateway by these gauges.

    Raises InputError for an address that is none, and OutsideError where it is away.
    """
    if not address.startswith(("http://", "https://")):
        raise InputError("the Pushgateway's address does not begin with http:// or https://.")
    known = tuple(families)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Gauges(lambda: known))
    try:
        push_to_gateway(
            address, job=JOB, registry=registry, grouping_key={"model": model}, timeout=_TIMEOUT
        )
    except (URLError, OSError, ValueError) as error:
        raise OutsideError(
            f"the Pushgateway did not take the metrics ({type(error).__name__}: "
            f"{str(error)[:120]}).",
            remedy="The next look pushes again; a scraper sees the age of the last one.",
        ) from None
