"""Prediction files for tests: made from columns, read back as columns."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

Columns = Mapping[str, Any]


def write_predictions(path: Path, columns: Columns) -> Path:
    """Write columns as the format that the path's suffix names."""
    if path.suffix == ".parquet":
        pq.write_table(pa.table(dict(columns)), path)
        return path
    lists = {name: np.asarray(values).tolist() for name, values in columns.items()}
    rows = [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)]
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return path
    lines = [",".join(lists), *(",".join(str(value) for value in row.values()) for row in rows)]
    path.write_text("\n".join(lines) + "\n")
    return path


def binary(rows: int = 600, seed: int = 0) -> tuple[dict[str, Any], dict[str, Any]]:
    """Base and head of a binary task with probabilities and two slice columns."""
    random = np.random.default_rng(seed)
    label = (random.random(rows) < 0.35).astype(int)
    region = random.choice(["north", "south"], rows)
    age = random.normal(45, 15, rows)
    sides = []
    for noise in (1.4, 1.0):
        score = 1 / (1 + np.exp(-(2 * label - 1 + noise * random.normal(size=rows))))
        score = np.round(score, 3)
        sides.append(
            {
                "id": np.arange(rows),
                "y_true": label,
                "y_pred": (score >= 0.5).astype(int),
                "y_score": score,
                "region": region,
                "age": age,
            }
        )
    return sides[0], sides[1]


def multiclass(rows: int = 500, seed: int = 1) -> tuple[dict[str, Any], dict[str, Any]]:
    """Base and head of a task with three classes and a probability column for each."""
    random = np.random.default_rng(seed)
    names = np.array(["cat", "dog", "owl"])
    label = random.choice(3, rows, p=[0.5, 0.3, 0.2])
    sides = []
    for strength in (1.0, 1.6):
        logits = random.normal(size=(rows, 3)) + strength * np.eye(3)[label]
        scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        sides.append(
            {
                "id": [f"row-{number}" for number in range(rows)],
                "label": names[label],
                "prediction": names[scores.argmax(axis=1)],
                **{f"proba_{name}": scores[:, place] for place, name in enumerate(names)},
            }
        )
    return sides[0], sides[1]


def regression(rows: int = 3000, seed: int = 2) -> tuple[dict[str, Any], dict[str, Any]]:
    """Base and head of a regression with one slice column."""
    random = np.random.default_rng(seed)
    label = random.gamma(4, 3, rows) + 1
    shop = random.choice(["a", "b", "c"], rows)
    sides = [
        {
            "row_id": np.arange(rows),
            "target": label,
            "pred": label + noise * random.standard_t(8, rows),
            "shop": shop,
        }
        for noise in (1.0, 0.9)
    ]
    return sides[0], sides[1]


def ranking(queries: int = 120, items: int = 12, seed: int = 3) -> tuple[dict[str, Any], ...]:
    """Base and head of a ranking with tied scores, and a slice column of whole queries."""
    random = np.random.default_rng(seed)
    query = np.repeat(np.arange(queries), items)
    relevance = random.choice([0, 1, 2, 3], query.size, p=[0.6, 0.2, 0.15, 0.05])
    relevance[::items] = np.maximum(relevance[::items], 1)
    market = np.repeat(random.choice(["north", "south"], queries), items)
    return tuple(
        {
            "query_id": query,
            "item_id": np.tile(np.arange(items), queries),
            "relevance": relevance,
            "score": np.round(relevance + noise * random.normal(size=query.size)),
            "market": market,
        }
        for noise in (2.0, 1.5)
    )


def label_sets(
    rows: int = 500, labels: int = 6, seed: int = 4
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Base and head of a task in which each row has a set of labels, some of them empty."""
    random = np.random.default_rng(seed)
    names = [f"l{number}" for number in range(labels)]
    true = random.random((rows, labels)) < 1.5 / labels
    site = random.choice(["a", "b"], rows).tolist()

    def sets(marks: Any) -> list[list[str]]:
        return [[name for name, mark in zip(names, row, strict=True) if mark] for row in marks]

    base, head = (
        {
            "id": list(range(rows)),
            "y_true": sets(true),
            "y_pred": sets(np.where(random.random(true.shape) < wrong, ~true, true)),
            "site": site,
        }
        for wrong in (0.1, 0.07)
    )
    return base, head
