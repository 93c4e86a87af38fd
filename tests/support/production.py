"""A model in production: its prediction log and its late labels, as files."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from assay.config import Model, parse_config
from assay.evidence import Look, Reference
from assay.monitoring.look import Task, take_look

START = datetime(2026, 9, 1, tzinfo=UTC)
VERSION = "a" * 64
DAY = 86_400

LOG = pa.schema(
    [
        ("request_id", pa.string()),
        ("row", pa.int32()),
        ("version", pa.string()),
        ("assigned", pa.string()),
        ("mirrored", pa.bool_()),
        ("time", pa.timestamp("us", tz="UTC")),
        ("input", pa.string()),
        ("output", pa.string()),
    ]
)


@dataclass
class Production:
    """A folder with ``logs/`` (the delivery target's log) and ``labels.csv``."""

    folder: Path
    seed: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict)
    """What else stands under `monitoring`."""
    rows: list[dict[str, Any]] = field(default_factory=list)
    """Every prediction with its truth: the oracle's input."""

    def __post_init__(self) -> None:
        self.random = np.random.default_rng(self.seed)
        (self.folder / "logs").mkdir(parents=True, exist_ok=True)
        self.labels: list[tuple[str, Any, datetime]] = []

    def day(self, number: int, n: int = 300, *, wrong: float = 0.1, version: str = VERSION) -> None:
        """Log one day: a file of `n` predictions, of which about `wrong` are."""
        truth = self.random.random(n) < 0.4
        said = np.where(self.random.random(n) < wrong, ~truth, truth)
        seconds = np.sort(self.random.uniform(0, DAY, n))
        found = []
        for place in range(n):
            score = self.random.uniform(0.5, 1) if said[place] else self.random.uniform(0, 0.5)
            found.append(
                {
                    "request_id": f"r{number}-{place}",
                    "row": 0,
                    "version": version,
                    "assigned": version,
                    "mirrored": False,
                    "time": START + timedelta(days=number, seconds=float(seconds[place])),
                    "input": json.dumps({"plan": "pro" if place % 3 else "free"}),
                    "output": json.dumps({"prediction": int(said[place]), "score": float(score)}),
                    "label": int(truth[place]),
                    "said": int(said[place]),
                    "score": float(score),
                }
            )
        self.rows += found
        self.write_log(f"{number:03}.parquet", found)

    def write_log(self, name: str, rows: Sequence[Mapping[str, Any]]) -> Path:
        """Write a file of the log."""
        path = self.folder / "logs" / name
        listed = [{key: row[key] for key in LOG.names} for row in rows]
        pq.write_table(pa.Table.from_pylist(listed, schema=LOG), path)
        return path

    def label(self, rows: Sequence[Mapping[str, Any]], *, days: float = 1.0) -> None:
        """Let the true labels of these predictions become known, so many days later."""
        self.labels += [
            (row["request_id"], row["label"], row["time"] + timedelta(days=days)) for row in rows
        ]
        self.write_labels()

    def write_labels(self) -> None:
        """Write all labels again."""
        with (self.folder / "labels.csv").open("w", newline="") as stream:
            out = csv.writer(stream)
            out.writerow(["request_id", "label", "known"])
            out.writerows((id_, label, known.isoformat()) for id_, label, known in self.labels)

    def model(self) -> Model:
        """The model with its monitoring."""
        monitoring = {
            "logs": {"source": "logs", "score": "score"},
            "labels": {"source": "labels.csv", "time": "known", "delay": 2 * DAY},
            "quality": {"accuracy": {"margin": 0.02, "reference": 0.9}},
            **self.settings,
        }
        model = {
            "predictions": "p.csv",
            "gates": {"accuracy": {"margin": 0.01}},
            "monitoring": monitoring,
        }
        text = json.dumps({"version": 1, "models": {"m": model}})
        return parse_config(text, file="assay.yaml").models["m"]

    def look(
        self, day: float, *, replayed: bool = True, reference: Reference | None = None
    ) -> Look:
        """Look so many days after the start."""
        model = self.model()
        assert model.monitoring is not None
        quality = model.monitoring.quality
        task = Task(
            name="m",
            model=model,
            monitoring=model.monitoring,
            root=self.folder,
            state=self.folder / "state",
            at=START + timedelta(days=day),
            promised={name: one.reference or 0.0 for name, one in quality.items()},
            replayed=replayed,
            reference=reference,
        )
        return take_look(task, self.folder / "evidence" / "m")
