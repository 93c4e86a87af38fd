"""An OTLP receiver that stands in for a collector: it decodes the protocol's own messages."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from support.listening import listening


@dataclass
class Collector:
    """What came; ``down`` makes it answer 503."""

    uri: str = ""
    down: bool = False
    asked: int = 0
    spans: list[Span] = field(default_factory=list)
    values: dict[tuple[str, tuple[tuple[str, str], ...]], float] = field(default_factory=dict)
    resources: list[dict[str, str]] = field(default_factory=list)

    def take(self, path: str, body: bytes) -> None:
        """Decode a request."""
        if path.endswith("/v1/traces"):
            traces = ExportTraceServiceRequest.FromString(body)
            for one in traces.resource_spans:
                self._resource(one.resource.attributes)
                for scope in one.scope_spans:
                    self.spans += scope.spans
            return
        for group in ExportMetricsServiceRequest.FromString(body).resource_metrics:
            self._resource(group.resource.attributes)
            for scope in group.scope_metrics:
                for metric in scope.metrics:
                    kind = metric.gauge if metric.HasField("gauge") else metric.sum
                    for point in kind.data_points:
                        labels = tuple(
                            sorted((one.key, one.value.string_value) for one in point.attributes)
                        )
                        known = point.HasField("as_double")
                        value = point.as_double if known else float(point.as_int)
                        self.values[metric.name, labels] = value

    def value(self, name: str, /, **labels: str) -> float | None:
        return self.values.get((name, tuple(sorted(labels.items()))))

    def _resource(self, attributes: object) -> None:
        self.resources.append(
            {one.key: one.value.string_value for one in attributes}  # type: ignore[attr-defined]
        )


@contextmanager
def collector() -> Iterator[Collector]:
    """Give a receiver on a free port."""
    made = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            made.asked += 1
            if not made.down:
                made.take(self.path, body)
            self.send_response(503 if made.down else 200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", "0")
            self.end_headers()

    with listening(Handler) as made.uri:
        yield made


def attributes(span: Span) -> dict[str, str]:
    """The text attributes of a span."""
    return {one.key: one.value.string_value for one in span.attributes}
