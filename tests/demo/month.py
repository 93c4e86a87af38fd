"""A month of traffic in simulated time: who asks when, what is true, when that becomes known.

Requests are drawn with replacement from the real rows of the experiment; the answers are those of
the real model. It has learned from seven in ten of those rows, so its live accuracy begins a little
above what the test set promised (0.724 and 0.715), and is found to fall a little later than it
would be. Everything follows from a seed. In both worlds something changes at one moment:

- ``covariate``: members of the 25 % plan ask four times as often as they did. What is true of a
  person stays, so the model is as good as it was.
- ``concept``: members with an individual deductible do not see a doctor any more, unless they
  went more than five times a year. Who asks stays as it was, so no input moves.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from assay.rollout.serving.predictions import SCHEMA

START = datetime(2026, 1, 5, tzinfo=UTC)
"""A Monday."""
DAYS = 28
CHANGE = START + timedelta(days=14, hours=9)
RATE = 480
"""Requests an hour, on the mean of a week."""
LATE = (6 * 86_400, 7 * 86_400)
"""Seconds between which a label comes after its prediction."""
NEVER = 0.04
"""Share of the labels that never come."""
HIT = "individual deductible"
"""The plan whose members a concept drift hits."""
KEPT = {"predictions": timedelta(days=16), "labels": timedelta(days=2)}
"""How long files stay: a look reads 15 days of the log again, and has its own ledger of labels."""
_NIGHT, _WEEKEND = 0.8, 0.6
_STAMP = "%Y%m%dT%H%M"


@dataclass(frozen=True, kw_only=True)
class World:
    """What changes at the moment of the change.

    ``what`` says it for a person; ``weight`` gives each row of the population how often it is
    drawn, ``visits`` how often each member truly sees a doctor; both only after :data:`CHANGE`.
    """

    name: str
    what: str
    weight: Callable[[pd.DataFrame], np.ndarray]
    visits: Callable[[pd.DataFrame], np.ndarray]


def _evenly(population: pd.DataFrame) -> np.ndarray:
    return np.ones(len(population))


def _as_recorded(population: pd.DataFrame) -> np.ndarray:
    return population["visits"].to_numpy(dtype="int64")


def _more_of_one_plan(population: pd.DataFrame) -> np.ndarray:
    return np.where(population["plan"] == "25%", 4.0, 1.0)


def _fewer_visits_in_one_plan(population: pd.DataFrame) -> np.ndarray:
    visits = _as_recorded(population)
    return np.where((population["plan"] == HIT) & (visits <= 5), 0, visits)


COVARIATE = World(
    name="harmless-drift",
    what="members of the 25 % plan ask four times as often",
    weight=_more_of_one_plan,
    visits=_as_recorded,
)
CONCEPT = World(
    name="concept-drift",
    what="members with an individual deductible hardly see a doctor",
    weight=_evenly,
    visits=_fewer_visits_in_one_plan,
)
BEFORE = World(name="before", what="nothing changes", weight=_evenly, visits=_as_recorded)
"""The two weeks that both have in common."""


def rate(hour: datetime) -> float:
    """The expected requests of one hour: fewer at night, and fewer on Saturday and Sunday."""
    day = 1 + _NIGHT * math.sin((hour.hour - 8) / 24 * 2 * math.pi)
    week = _WEEKEND if hour.weekday() >= 5 else (7 - 2 * _WEEKEND) / 5
    return RATE * day * week


def draw(population: pd.DataFrame, world: World, hour: datetime) -> pd.DataFrame:
    """The requests of one hour: ``row`` of the population, ``time``, ``visits``, ``known``.

    ``known`` is when the label comes, NaT where it never does; times are UTC, in microseconds.
    """
    world = world if hour >= CHANGE else BEFORE
    rng = np.random.default_rng([int(hour.timestamp()), *world.name.encode()])
    count = int(rng.poisson(rate(hour)))
    weight = world.weight(population)
    rows = rng.choice(len(population), size=count, p=weight / weight.sum())
    begin = int(hour.timestamp()) * 1_000_000
    time = np.sort(begin + rng.integers(0, 3_600_000_000, size=count))
    known = pd.Series(time + (rng.uniform(*LATE, size=count) * 1e6).astype("int64"))
    known = known.where(rng.uniform(size=count) >= NEVER)
    return pd.DataFrame(
        {
            "request_id": [f"{hour:%m%d%H}-{number:05d}" for number in range(count)],
            "row": rows,
            "time": pd.to_datetime(time, unit="us", utc=True),
            "visits": world.visits(population)[rows],
            "known": pd.to_datetime(known.astype("Int64"), unit="us", utc=True),
        }
    )


@dataclass(kw_only=True)
class Replay:
    """One world's month, written below ``folder`` as production would leave it.

    ``predictions`` has the delivery target's log, ``labels`` what became known.
    """

    world: World
    folder: Path
    population: pd.DataFrame
    version: str
    now: datetime = START
    asked: list[pd.DataFrame] = field(default_factory=list)

    def run_to(self, until: datetime) -> None:
        """Let time pass in whole hours; one log file and one of labels of all that happened."""
        begin, hours = self.now, []
        while self.now < until:
            hours.append(draw(self.population, self.world, self.now))
            self.now += timedelta(hours=1)
        made = pd.concat(hours, ignore_index=True)
        self.asked.append(made)
        write_log(made, self.population, self.version, self._file("predictions", begin, "parquet"))
        labels = self.known_between(begin, until)
        if len(labels):
            write_labels(labels, self._file("labels", begin, "csv"))
        for kind, kept in KEPT.items():
            for file in (self.folder / kind).glob("*.*"):
                if file.name < f"{until - kept:{_STAMP}}":
                    file.unlink()

    def known_between(self, begin: datetime, until: datetime) -> pd.DataFrame:
        """The requests whose label came in [begin, until), in the order in which they came."""
        # The oldest label is a week old.
        recent = self.asked[-math.ceil(LATE[1] / (self.now - begin).total_seconds()) - 1 :]
        table = pd.concat(recent, ignore_index=True)
        came = table[(table["known"] >= begin) & (table["known"] < until)]
        return came.sort_values("known", kind="stable")

    def write_feed(self, file: Path, columns: list[str]) -> int:
        """Write what is known by now as rows of the experiment; return how many requests.

        Of a person who was asked about several times the latest label is the last row.
        """
        table = pd.concat(self.asked, ignore_index=True)
        known = table[table["known"] < self.now].sort_values("known", kind="stable")
        rows = self.population.iloc[known["row"]].assign(visits=known["visits"].to_numpy())
        rows[columns].to_csv(file, index=False)
        return len(known)

    def _file(self, kind: str, begin: datetime, ending: str) -> Path:
        file = self.folder / kind / f"{begin:{_STAMP}}.{ending}"
        file.parent.mkdir(parents=True, exist_ok=True)
        return file


def write_log(asked: pd.DataFrame, population: pd.DataFrame, version: str, file: Path) -> None:
    """Write requests as the delivery target logs them (assay/predictions/1)."""
    chosen, count = population.iloc[asked["row"]], len(asked)
    columns = {
        "request_id": asked["request_id"],
        "row": np.zeros(count, dtype="int32"),
        "unit": chosen["member"],
        "version": [version] * count,
        "assigned": [version] * count,
        "generation": np.ones(count, dtype="int64"),
        "mirrored": np.zeros(count, dtype=bool),
        "time": asked["time"],
        "input": chosen["input"],
        "output": chosen["output"],
    }
    arrays = [pa.array(columns[each.name], type=each.type) for each in SCHEMA]
    pq.write_table(pa.Table.from_arrays(arrays, schema=SCHEMA), file, compression="zstd")


def write_labels(known: pd.DataFrame, file: Path) -> None:
    """Write labels with the moment at which they became known."""
    rows = {
        "request_id": known["request_id"],
        "label": (known["visits"] > 0).astype("int64"),
        "known_at": known["known"].dt.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
    }
    pd.DataFrame(rows).to_csv(file, index=False)
