"""OpenTelemetry for the commands that watch, where its variables name a collector."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from assay.errors import InputError

if TYPE_CHECKING:
    from prometheus_client.registry import Collector

    from assay.alerting.telemetry import Series, Telemetry
    from assay.evidence import Look
    from assay.rollout.controller.service import Service

ENDPOINTS = (
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
)
_SECONDS = 1.0
_LIMIT = {"OTEL_EXPORTER_OTLP_TIMEOUT": "4"}
"""Seconds that an export is tried for, where nobody says so: less than a close waits."""


def wanted(environ: Mapping[str, str]) -> bool:
    """Whether a collector is named, and OpenTelemetry is not turned off."""
    off = environ.get("OTEL_SDK_DISABLED", "").lower() == "true"
    return not off and any(environ.get(name) for name in ENDPOINTS)


def check_exporter(environment: str) -> None:
    """Raise InputError where a collector is named and this environment cannot send to one.

    `environment` is the one that can, and that has what else this command needs.
    """
    if not wanted(os.environ):
        return
    try:
        import assay.alerting.telemetry  # noqa: F401 -- it is only asked whether it can be
    except ImportError as error:
        raise InputError(
            f"a collector is named for OpenTelemetry, and this environment has not got it "
            f"({error.name}).",
            remedy=f"Run it as ASSAY_ENVIRONMENT={environment}, or unset the variable that names "
            "it, such as OTEL_EXPORTER_OTLP_ENDPOINT.",
        ) from None


@contextlib.contextmanager
def observing(
    service: Service, collectors: Sequence[Collector], say: Callable[[str], object]
) -> Iterator[None]:
    """Export a controller's metrics and its decisions meanwhile, in a thread of its own."""
    if not wanted(os.environ):
        yield
        return
    place = service.setup.rules.place
    telemetry = _opened(
        "assay-controller",
        {"assay.model": place.model, "assay.target": place.target},
        lambda: (series for one in collectors for series in _scraped(one)),
        say,
    )
    stop = threading.Event()

    def follow() -> None:
        seen = len(service.controller.store.links)
        while True:
            ends = stop.wait(_SECONDS)
            links = service.controller.store.links
            for link in links[seen:]:
                telemetry.decision(link)
            seen = len(links)
            telemetry.refresh()
            if ends:
                return

    thread = threading.Thread(target=follow, name="telemetry", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        telemetry.close()


def export_look(look: Look, began: datetime, say: Callable[[str], object]) -> None:
    """Export one look's gauges and its span, where a collector is named.

    One that does not take them is said once, after at most the seconds that a close takes.
    """
    if not wanted(os.environ):
        return
    ended = datetime.now(UTC)

    def collect() -> Iterator[Series]:
        from assay.alerting.telemetry import series_of
        from assay.report.look_metrics import look_families

        yield from series_of(look_families(look))

    heard: list[str] = []
    telemetry = _opened("assay-monitor", {"assay.model": look.model}, collect, heard.append)
    telemetry.look(look, began=began, ended=ended)
    telemetry.close()
    if telemetry.lost:
        say(f"this look was not exported, or not all of it, and it counts all the same: {heard[0]}")


def _opened(
    service: str,
    attributes: Mapping[str, str],
    collect: Callable[[], Iterator[Series]],
    say: Callable[[str], object],
) -> Telemetry:
    from assay.alerting.telemetry import Telemetry

    for name, value in _LIMIT.items():
        os.environ.setdefault(name, value)
    return Telemetry(
        service=os.environ.get("OTEL_SERVICE_NAME") or service,
        attributes=attributes,
        collect=collect,
        say=say,
    )


def _scraped(collector: Collector) -> Iterator[Series]:
    """What Prometheus would be shown."""
    from assay.alerting.telemetry import Series

    for family in collector.collect():
        counter = family.type == "counter"
        kept = tuple(
            (sample.labels, float(sample.value))
            for sample in family.samples
            if not counter or sample.name.endswith("_total")
        )
        yield Series(name=family.name, help=family.documentation, samples=kept, counter=counter)
