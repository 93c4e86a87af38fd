"""Metrics and traces to a collector over OTLP, by OpenTelemetry's own SDK and its variables.

Imported only where ``OTEL_EXPORTER_OTLP_ENDPOINT`` (or that of one signal) is set. A collector that
is away stops nothing: what it misses is logged, and gauges are sent again at the next interval.
"""

from __future__ import annotations

import hashlib
import logging
import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import (
    MetricExportResult,
    MetricsData,
    PeriodicExportingMetricReader,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

from assay import __version__
from assay.evidence import Look, Outcome
from assay.report.exposition import Family
from assay.report.numbers import plural
from assay.state import Link

SCOPE = "assay"
CLOSING = 5.0
"""Seconds that a close waits for a collector, whatever the exporters' own limits are."""
_NANOSECONDS = 1_000_000_000


@dataclass(frozen=True, kw_only=True)
class Series:
    """One name with its samples: labels and a finite value. `counter`: it only goes up."""

    name: str
    help: str
    samples: tuple[tuple[Mapping[str, str], float], ...]
    counter: bool = False


def series_of(families: Iterable[Family]) -> Iterator[Series]:
    """Take the gauges of a look for what is exported."""
    for one in families:
        kept = tuple((labels, value) for labels, value in one.samples if value is not None)
        yield Series(name=one.name, help=one.help, samples=kept)


class Telemetry:
    """Exports what ``collect`` gives at each interval, and spans as they are told.

    ``attributes`` are those of the resource, beside service.name; ``say`` hears what failed.
    """

    def __init__(
        self,
        *,
        service: str,
        attributes: Mapping[str, str],
        collect: Callable[[], Iterable[Series]],
        say: Callable[[str], object],
    ) -> None:
        self._heard = heard = _Heard(say)
        logging.getLogger("opentelemetry").addHandler(self._heard)
        logging.getLogger("opentelemetry").propagate = False
        resource = Resource.create(
            {"service.name": service, "service.version": __version__, **attributes}
        )
        self._collect = collect
        self._known: set[str] = set()
        self._last: dict[str, str] = {}
        self._metrics = MeterProvider(
            [PeriodicExportingMetricReader(_MetricExporter(_Reach("metrics", heard)))],
            resource=resource,
            shutdown_on_exit=False,
        )
        self._traces = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._traces.add_span_processor(BatchSpanProcessor(_SpanExporter(_Reach("spans", heard))))
        self._tracer = self._traces.get_tracer(SCOPE, __version__)
        self.refresh()

    def refresh(self) -> None:
        """Take on names that were not there before."""
        meter = self._metrics.get_meter(SCOPE, __version__)
        for one in self._collect():
            if one.name in self._known:
                continue
            self._known.add(one.name)
            observed = [self._observed(one.name)]
            if one.counter:
                meter.create_observable_counter(one.name, observed, description=one.help)
            else:
                meter.create_observable_gauge(one.name, observed, description=one.help)

    def decision(self, link: Link) -> None:
        """Export a decision as a span; those of one intent are one trace.

        The span begins where the decision before it in that trace ended.
        """
        facts = link.facts
        of = str(facts.get("intent") or facts.get("artifact_digest") or link.digest)
        ended = str(facts["wall_time"])
        span = self._tracer.start_span(
            f"decision {facts['kind']}",
            context=_trace_of(of),
            start_time=_time(self._last.get(of, ended)),
            attributes={
                f"assay.{name}": facts[name]
                for name in (
                    "model", "target", "kind", "cause", "sentence", "seq", "generation", "by",
                    "intent", "artifact_digest", "elapsed",
                )
                if facts.get(name) is not None
            },
        )  # fmt: skip
        self._last[of] = ended
        span.end(_time(ended))

    def look(self, look: Look, *, began: datetime, ended: datetime) -> None:
        """Export a look as a span, with an event for each problem."""
        span = self._tracer.start_span(
            "look",
            start_time=_nanoseconds(began),
            attributes={
                "assay.model": look.model,
                "assay.state": look.state.value,
                "assay.sentence": look.sentence,
                "assay.problems": len(look.problems),
                **({"assay.artifact_digest": look.version} if look.version else {}),
            },
        )
        for one in look.problems:
            facts = {"assay.severity": one.severity.value, "assay.sentence": one.sentence}
            span.add_event(one.key, facts, timestamp=_nanoseconds(ended))
        if look.state is Outcome.FAIL:
            span.set_status(Status(StatusCode.ERROR, look.sentence))
        span.end(_nanoseconds(ended))

    @property
    def lost(self) -> bool:
        """Whether something was not taken."""
        return self._heard.failed

    def close(self) -> None:
        """Send what is left, for at most 5 seconds; what is not taken by then is lost, and said."""
        ways = (self._traces.shutdown, lambda: self._metrics.shutdown(CLOSING * 1000))
        ending = [threading.Thread(target=self._ended, args=(way,), daemon=True) for way in ways]
        ends = time.monotonic() + CLOSING
        for thread in ending:
            thread.start()
        for thread in ending:
            thread.join(max(0.0, ends - time.monotonic()))
        if any(thread.is_alive() for thread in ending):
            self._heard.fail(f"the collector gave no answer within {CLOSING:g} s")
        # What a thread that is left behind still logs is for nobody.
        self._heard.silent = True

    def _ended(self, way: Callable[[], object]) -> None:
        try:
            way()
        except Exception as error:  # noqa: BLE001 -- the SDK raises no other class
            self._heard.fail(f"the exporters could not be ended: {str(error)[:200]}")

    def _observed(self, name: str) -> Callable[[CallbackOptions], Iterable[Observation]]:
        def observe(_: CallbackOptions) -> Iterator[Observation]:
            for one in self._collect():
                if one.name == name:
                    for labels, value in one.samples:
                        if math.isfinite(value):
                            yield Observation(value, dict(labels))

        return observe


class _Heard(logging.Handler):
    """Hands what the SDK logs to whoever listens, until it is ``silent``.

    What exporters log is the reason of what they return: :class:`_Reach` says it.
    """

    def __init__(self, say: Callable[[str], object]) -> None:
        super().__init__(logging.WARNING)
        self._say = say
        self._exporter = threading.local()
        self.failed = self.silent = False

    def reason(self) -> str:
        """Take what this thread's exporter logged first since it was asked last: the cause."""
        said: str = self._exporter.__dict__.pop("said", "no reason was given")
        return said

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage().splitlines()[0][:300]
        if record.name.startswith("opentelemetry.exporter."):
            self._exporter.__dict__.setdefault("said", text)
        elif record.levelno >= logging.ERROR:
            self.fail(text)
        elif not self.silent:
            self._say(text)

    def fail(self, text: str) -> None:
        """Something was given up."""
        if not self.silent:
            self.failed = True
            self._say(text)

    def back(self, text: str) -> None:
        """What was given up goes on."""
        if not self.silent:
            self._say(text)


class _Reach:
    """Whether the collector takes one signal: a line for each change, and none for each export."""

    def __init__(self, signal: str, heard: _Heard) -> None:
        self._signal, self._heard = signal, heard
        self._lost = 0

    def told(self, *, taken: bool) -> None:
        """One export ended."""
        why = self._heard.reason()
        if taken and self._lost:
            lost = plural(self._lost, "export")
            self._heard.back(f"the collector takes {self._signal} again; {lost} failed meanwhile")
            self._lost = 0
        elif not taken:
            self._lost += 1
            if self._lost == 1:
                self._heard.fail(f"the collector does not take {self._signal}: {why}")


class _MetricExporter(OTLPMetricExporter):
    def __init__(self, reach: _Reach) -> None:
        super().__init__()
        self._reach = reach

    def export(
        self, metrics_data: MetricsData, timeout_millis: float | None = 10_000, **kwargs: Any
    ) -> MetricExportResult:
        result = super().export(metrics_data, timeout_millis, **kwargs)
        self._reach.told(taken=result is MetricExportResult.SUCCESS)
        return result


class _SpanExporter(OTLPSpanExporter):
    def __init__(self, reach: _Reach) -> None:
        super().__init__()
        self._reach = reach

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = super().export(spans)
        self._reach.told(taken=result is SpanExportResult.SUCCESS)
        return result


def _trace_of(name: str) -> Any:
    """A context whose trace is known by a name, so that another process adds to the same one."""
    digest = hashlib.sha256(name.encode()).digest()
    context = SpanContext(
        trace_id=int.from_bytes(digest[:16], "big"),
        span_id=int.from_bytes(digest[16:24], "big"),
        is_remote=True,
        trace_flags=TraceFlags(TraceFlags.SAMPLED),
    )
    return set_span_in_context(NonRecordingSpan(context))


def _time(moment: str) -> int:
    return _nanoseconds(datetime.fromisoformat(moment))


def _nanoseconds(at: datetime) -> int:
    return int(at.timestamp() * _NANOSECONDS)
