"""A log of five weeks with nights: what one window is compared with, and what comes of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from assay.config import Columns
from assay.config.monitoring import DriftRule
from assay.evidence.monitoring import Reference
from assay.monitoring.drift_look import Log, drift_in, estimate_in
from assay.monitoring.profile import make_reference
from assay.monitoring.seasons import DAY, WEEK, spans_of
from assay.tables.source import open_tables
from support.data_files import write_parquet

HOUR = 3_600
NOW = 5 * WEEK


def test_spans() -> None:
    hour = (NOW - HOUR, NOW)
    spans = spans_of(hour, first=NOW - 15 * DAY, weeks=4)
    assert spans is not None
    assert spans.week == (NOW - WEEK, NOW)
    assert spans.earlier == ((hour[0] - WEEK, NOW - WEEK), (hour[0] - 2 * WEEK, NOW - 2 * WEEK))
    assert spans_of(hour, first=NOW - 6 * DAY, weeks=4) is None
    young = spans_of(hour, first=NOW - 7 * DAY, weeks=4)
    assert young is not None
    assert young.earlier == ()
    month = (NOW - 30 * DAY, NOW)
    long = spans_of(month, first=0, weeks=0)
    assert long is not None
    assert long.week == month


def rows(seed: int, times: np.ndarray, *, late: float = 0.0) -> dict[str, np.ndarray]:
    """Nights are one deviation higher; the last hour moves by `late`."""
    rng = np.random.default_rng(seed)
    night = (times % DAY) >= 20 * HOUR
    x = rng.normal(0, 1, times.size) + night + late * (times >= NOW - HOUR)
    score = 1 / (1 + np.exp(-x))
    return {
        "at": times,
        "x": x,
        "score": score,
        "answer": (score > 0.5).astype(int),
        "label": (rng.random(times.size) < score).astype(int),
    }


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    folder = tmp_path_factory.mktemp("reference")
    made = rows(1, np.linspace(0, WEEK, 8_000))
    del made["at"]
    made["prediction"] = made.pop("answer")
    path = write_parquet(folder / "p.parquet", made)
    return make_reference(model="m", predictions=path, data=None, columns=Columns())


@pytest.mark.parametrize(("late", "moved"), [(0.0, False), (1.0, True)])
def test_one_hour(tmp_path: Path, reference: Reference, late: float, moved: bool) -> None:
    times = np.linspace(0, NOW, 200_000, endpoint=False)
    path = write_parquet(tmp_path / "log.parquet", rows(2, times, late=late))
    names = {"prediction": "answer", "score": "score", "label": "label"}
    with open_tables({"log": path}) as engine:
        log = Log(engine=engine, source="log", at='"at"', names=names)
        window = (NOW - HOUR, NOW)
        drifts = drift_in(log, window, reference=reference, rule=DriftRule(), first=0)
        young = drift_in(log, window, reference=reference, rule=DriftRule(), first=NOW - HOUR)
        accuracy, *_ = estimate_in(log, window, reference=reference)
        nothing = estimate_in(log, (NOW, NOW + HOUR), reference=reference)
        empty = drift_in(log, (NOW, NOW + HOUR), reference=reference, rule=DriftRule(), first=0)
    found = {(each.column, each.against) for each in drifts if each.moved}
    assert (("x", "same hours") in found) is moved
    assert moved or not found
    assert young == ()
    assert {each.role for each in drifts} == {"feature", "prediction", "score", "label"}
    score = 1 / (1 + np.exp(-rows(2, times, late=late)["x"][times >= NOW - HOUR]))
    assert accuracy.value == pytest.approx(np.maximum(score, 1 - score).mean(), abs=0.02)
    assert accuracy.estimated
    assert all(quality.value is None for quality in nothing)
    assert not any(each.against == "same hours" for each in empty)
