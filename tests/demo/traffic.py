"""Live traffic for the demo: people ask the router, and what was true is known a moment later."""

from __future__ import annotations

import http.client
import importlib
import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

SENDERS = 4
LATE = 1.0
"""Seconds until the truth of an answer is known."""


@dataclass(frozen=True)
class Asked:
    """What people ask, as the model's features, and what turned out to be true."""

    rows: list[list[float]]
    columns: list[str]
    truth: list[int]

    @classmethod
    def of(cls, consumer: Path) -> Asked:
        """The test rows of a consumer that has trained, as they would be known in January."""
        sys.path.insert(0, str(consumer))
        model = importlib.import_module("doctor_visit.model")
        test = model.labelled(pd.read_parquet(consumer / "data" / "test.parquet"))
        features = model.matrix(test, list(model.FEATURES))
        return cls(
            rows=features.to_numpy().tolist(),
            columns=list(features.columns),
            truth=test["visit"].astype(int).tolist(),
        )


@dataclass
class Traffic:
    """Requests at a steady rate until it is stopped; `answers` counts them by status."""

    port: int
    asked: Asked
    labels: Path
    rate: float = 60.0
    answers: Counter[int | str] = field(default_factory=Counter)
    _stop: threading.Event = field(default_factory=threading.Event)
    _known: list[tuple[float, str, int]] = field(default_factory=list)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def flowing(self) -> Iterator[Traffic]:
        """Send while the block runs."""
        self.labels.write_text("request_id,label\n", encoding="ascii")
        threads = [threading.Thread(target=self._send, args=(place,)) for place in range(SENDERS)]
        threads.append(threading.Thread(target=self._tell))
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            for thread in threads:
                thread.join()

    def _send(self, place: int) -> None:
        rng = np.random.default_rng(place)
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        due, count = time.monotonic(), 0
        while not self._stop.is_set():
            chosen, count = int(rng.integers(len(self.asked.rows))), count + 1
            name = f"live-{place}-{count}"
            status = self._ask(connection, name, self.asked.rows[chosen])
            with self._guard:
                self.answers[status] += 1
                if status == http.HTTPStatus.OK:
                    known = (time.monotonic() + LATE, name, self.asked.truth[chosen])
                    self._known.append(known)
            due = max(due + SENDERS / self.rate, time.monotonic() - 1)
            self._stop.wait(max(0.0, due - time.monotonic()))
        connection.close()

    def _ask(
        self, connection: http.client.HTTPConnection, name: str, row: list[float]
    ) -> int | str:
        body = json.dumps({"dataframe_split": {"columns": self.asked.columns, "data": [row]}})
        headers = {
            "content-type": "application/json",
            "x-request-id": name,
            "x-assay-unit": f"member-{name}",
        }
        try:
            connection.request("POST", "/invocations", body, headers)
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            return type(error).__name__
        return answer.status

    def _tell(self) -> None:
        while not self._stop.wait(0.5):
            with self._guard:
                now = time.monotonic()
                due = [known for known in self._known if known[0] <= now]
                self._known = [known for known in self._known if known[0] > now]
            with self.labels.open("a", encoding="ascii") as file:
                file.writelines(f"{name},{truth}\n" for _, name, truth in due)

    @property
    def failed(self) -> int:
        """Requests that were not answered well."""
        return sum(count for status, count in self.answers.items() if status != http.HTTPStatus.OK)
