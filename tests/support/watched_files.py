"""A model that is watched by files of its own, as a new user has them: a log and labels."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from assay.cli.edge import run
from assay.evidence import Look

START = datetime(2026, 9, 1, tzinfo=UTC)
ROWS, DAYS = 600, 5


def predictions() -> dict[str, list[Any]]:
    """The columns of a log of five days; nine of ten predictions are right."""
    times = [START + timedelta(days=DAYS) * n / ROWS for n in range(ROWS)]
    truth = [n % 2 for n in range(ROWS)]
    said = [one if n % 10 else 1 - one for n, one in enumerate(truth)]
    score = [0.9 if one else 0.1 for one in said]
    ids: list[Any] = list(range(ROWS))
    return {"request_id": ids, "time": times, "prediction": said, "score": score, "truth": truth}


def labels(of: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """Every label, an hour after its prediction."""
    known = [one + timedelta(hours=1) for one in of["time"]]
    return {"request_id": list(of["request_id"]), "label": list(of["truth"]), "known": known}


@dataclass
class Watched:
    """A folder with assay.yaml, a log and labels, and nothing else of Assay's."""

    folder: Path
    monitoring: dict[str, Any] = field(default_factory=dict)
    columns: dict[str, Any] = field(default_factory=dict)
    log: dict[str, list[Any]] = field(default_factory=predictions)

    def __post_init__(self) -> None:
        self.labels = labels(self.log)

    def configure(self) -> None:
        monitoring = {
            "logs": {"source": "log", "score": "score"},
            "labels": {"source": "labels.csv", "time": "known", "delay": 3600},
            "silence": 864_000,
            "quality": {"accuracy": {"margin": 0.02, "reference": 0.9}},
            **self.monitoring,
        }
        model = {
            "predictions": "p.csv", "gates": {"accuracy": {"margin": 0.01}},
            "monitoring": monitoring, **({"columns": self.columns} if self.columns else {}),
        }  # fmt: skip
        text = json.dumps({"version": 1, "models": {"churn": model}})
        (self.folder / "assay.yaml").write_text(text)

    def write(self) -> None:
        """The log as Parquet, the labels as CSV."""
        self.configure()
        (self.folder / "log").mkdir(exist_ok=True)
        kept = {name: values for name, values in self.log.items() if name != "truth"}
        pq.write_table(pa.table(kept), self.folder / "log/a.parquet")
        self.write_labels(self.labels)

    def write_labels(self, columns: dict[str, list[Any]], *, end: str = "\n") -> None:
        rows = zip(*columns.values(), strict=True)
        lines = [",".join(columns), *(",".join(map(str, row)) for row in rows)]
        (self.folder / "labels.csv").write_bytes((end.join(lines) + end).encode())

    def run(self, *more: str, days: float = DAYS + 0.5) -> int:
        at = (START + timedelta(days=days)).isoformat()
        return run([
            "monitor", "--config", str(self.folder / "assay.yaml"), "--at", at,
            "--state", str(self.folder / "state"), "--evidence", str(self.folder / "evidence"),
            "--exit-zero", *more,
        ])  # fmt: skip

    def look(self, *more: str, days: float = DAYS + 0.5) -> Look:
        assert self.run(*more, days=days) == 0
        return Look.read(self.folder / "evidence/churn")


def keys(look: Look) -> set[str]:
    return {problem.key for problem in look.problems}


def counted(look: Look) -> tuple[int, float | None]:
    """Labelled predictions of all windows, and how many were right of them."""
    found = [one for w in look.windows for one in w.quality if one.metric == "accuracy"]
    n = sum(one.n for one in found)
    return n, round(sum((one.value or 0) * one.n for one in found) / n, 3) if n else None
