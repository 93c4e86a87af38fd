"""A log of requests replayed through a strategy, before one dares it.

Units are assigned by a salted hash as the router would (a bandit's and a shadow's requests are
drawn one by one), once for each replay, so that what depends on the luck of the split is seen to.
Where the log has the outcomes of one version only, those of the new one are assumed: the same with
the changes that were asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from assay.config import Strategy
from assay.evidence import DecisionKind, Labelled, Rollout, ValueSums
from assay.rollout.guards import STICKY
from assay.rollout.quality import sums_of
from assay.rollout.simulation import NEW, SERVING, Course, advance
from assay.rollout.target import Counts
from assay.tables.request_log import Outcomes, RequestLog

Array = NDArray[np.float64]
Places = NDArray[np.int64]
HISTORY = 0.25
"""blue-green: the share of the log before the switch."""


@dataclass(frozen=True, kw_only=True)
class Assumed:
    """How the new version differs, where the log has one version's outcomes."""

    value: float = 0.0
    """Added to the mean of the metric; 0/1 values are turned, others moved."""
    errors: float = 0.0
    """Added to the share of errors."""
    slower: float = 1.0
    """Times as many milliseconds."""


@dataclass(frozen=True, kw_only=True)
class Replay:
    """How one replay ended, or how far it came."""

    course: Course
    ended: float | None
    """Seconds since the log's begin (blue-green: since the switch); None: the log was too short."""
    requests: int
    """That the new version answered."""
    bad: int
    """Of those, the ones that failed or got a worse value, where the serving one would not."""
    labels: int
    """Of both versions, at the end."""

    @property
    def kind(self) -> DecisionKind | None:
        """How it ended; None: not within the log."""
        return self.course.outcome.kind if self.course.outcome is not None else None


@dataclass
class _Run:
    """One replay at work."""

    course: Course
    position: Array
    """Of each request in [0, 1): below the share it goes to the new version."""
    of_unit: Array
    """The same of each unit, where units stay with their version; else empty."""
    seen: NDArray[np.int32]
    """The generation under which each unit was counted last."""
    to_new: NDArray[np.bool_]
    generation: NDArray[np.int32]
    sums: dict[int, tuple[Array, Array]] = field(default_factory=dict)
    """By generation: the sum and the number of values of each unit."""
    requests: int = 0
    bad: int = 0
    ended: float | None = None


def assume(outcomes: Outcomes, how: Assumed, *, seed: int) -> Outcomes:
    """The outcomes of a version that differs from this one as assumed.

    Raises ValueError where the values leave no room for the change.
    """
    rng = np.random.default_rng(seed)
    n = len(outcomes.error)
    error = outcomes.error.copy()
    if how.errors > 0:
        good = 1 - error.mean()
        error |= rng.random(n) < how.errors / max(good, how.errors)
    return Outcomes(
        error=error,
        milliseconds=outcomes.milliseconds * how.slower,
        value=_moved(outcomes.value, how.value, rng),
    )


def _moved(value: Array, change: float, rng: np.random.Generator) -> Array:
    known = value[~np.isnan(value)]
    if change == 0 or known.size == 0:
        return value.copy()
    if not np.isin(known, (0.0, 1.0)).all():
        return value + change
    mean = float(known.mean())
    room = mean if change < 0 else 1 - mean
    if abs(change) > room:
        raise ValueError(f"the metric's mean is {mean:.3g}: it cannot change by {change:+g}")
    turned = rng.random(value.size) < abs(change) / room
    at = 1.0 if change < 0 else 0.0
    return np.where((value == at) & turned, 1.0 - at, value)


def rehearse(
    log: RequestLog,
    new: Outcomes,
    strategy: Strategy,
    *,
    every: float,
    replays: int,
    seed: int = 0,
) -> list[Replay]:
    """Replay the log so often, with a look every so many seconds of it."""
    runs = [_begin(log, strategy, seed + place) for place in range(replays)]
    start = 0.0
    if strategy.kind == "blue-green":
        start = float(log.seconds[-1]) * HISTORY
        _remember(log, strategy, runs, start)
    by_label = np.argsort(log.labelled, kind="stable")
    known = log.labelled[by_label]
    now, last = start, float(log.seconds[-1])
    while now <= last and any(run.ended is None for run in runs):
        running = [run for run in runs if run.ended is None]
        advance([run.course for run in running], every)
        served = np.searchsorted(log.seconds, (now, now + every))
        arrived = by_label[slice(*np.searchsorted(known, (now, now + every)))]
        for run in running:
            if run.course.state.rollout is None:
                run.ended = now - start
                continue
            _serve(run, log, new, slice(*served))
            _label(run, log, new, arrived)
        now += every
    return [_replay(run) for run in runs]


def _begin(log: RequestLog, strategy: Strategy, seed: int) -> _Run:
    rng = np.random.default_rng(seed)
    requests, units = len(log.unit), int(log.unit.max()) + 1
    sticky = strategy.kind in STICKY
    of_unit = rng.random(units if sticky else 0)
    return _Run(
        course=Course.of(strategy),
        position=of_unit[log.unit] if sticky else rng.random(requests),
        # Where nobody comes twice, a unit is its request.
        of_unit=of_unit if units < requests else of_unit[:0],
        seen=np.zeros(units, dtype=np.int32),
        to_new=np.zeros(requests, dtype=np.bool_),
        generation=np.zeros(requests, dtype=np.int32),
    )


def _remember(log: RequestLog, strategy: Strategy, runs: list[_Run], until: float) -> None:
    """blue-green: what the serving version did, and has of labels, before the switch."""
    past = slice(0, int(np.searchsorted(log.seconds, until)))
    known = log.serving.value[past][log.labelled[past] <= until]
    known = known[~np.isnan(known)]
    for run in runs:
        run.course.serving = _more(Counts(), log.serving, _places(past), strategy)
        run.course.labels[1] = Labelled(generation=1, arms={SERVING: _sums(known, strategy)})


def _places(part: slice) -> Places:
    return np.arange(part.start, part.stop)


def _serve(run: _Run, log: RequestLog, new: Outcomes, part: slice) -> None:
    """Send the requests of one tick where the route says."""
    batch, rollout = run.course.batch, run.course.state.rollout
    if batch is None or rollout is None:
        return
    places = _places(part)
    chosen = run.position[part] < batch.share
    run.to_new[part], run.generation[part] = chosen, batch.generation
    shadow = rollout.strategy.kind == "shadow"
    ours, theirs = places[chosen], places if shadow else places[~chosen]
    course = run.course
    course.new = _more(course.new, new, ours, rollout.strategy, _fresh(run, log, ours))
    course.serving = _more(
        course.serving, log.serving, theirs, rollout.strategy, _fresh(run, log, theirs)
    )
    if not shadow:
        run.requests += ours.size
        run.bad += int(_worse(log.serving, new, ours, rollout.strategy).sum())


def _worse(serving: Outcomes, new: Outcomes, at: Places, how: Strategy) -> NDArray[np.bool_]:
    failed = new.error[at] & ~serving.error[at]
    if how.quality is None:
        return failed
    sign = 1 if how.quality.measured.higher_is_better else -1
    with np.errstate(invalid="ignore"):
        lost: NDArray[np.bool_] = failed | (sign * (new.value[at] - serving.value[at]) < 0)
    return lost


def _more(before: Counts, outcomes: Outcomes, at: Places, how: Strategy, units: int = 0) -> Counts:
    slow = outcomes.milliseconds[at] > how.guards.latency_ms
    return replace(
        before,
        requests=before.requests + at.size,
        errors=before.errors + int(outcomes.error[at].sum()),
        slow=before.slow + int((slow | outcomes.error[at]).sum()),
        units=before.units + units,
    )


def _fresh(run: _Run, log: RequestLog, at: Places) -> int:
    """Units that are seen for the first time under the running generation."""
    generation = run.course.state.generation
    units = np.unique(log.unit[at])
    fresh = int((run.seen[units] != generation).sum())
    run.seen[units] = generation
    return fresh


def _label(run: _Run, log: RequestLog, new: Outcomes, arrived: Places) -> None:
    """Take in the values that became known, under the generation that their request had."""
    rollout = run.course.state.rollout
    if rollout is None or rollout.strategy.quality is None:
        return
    answered = run.generation[arrived] > 0
    both = ~np.isnan(log.serving.value[arrived]) & ~np.isnan(new.value[arrived])
    arrived = arrived[answered & both]
    for generation in np.unique(run.generation[arrived]).tolist():
        at = arrived[run.generation[arrived] == generation]
        run.course.labels[generation] = _labelled(run, rollout, log, new, at)


def _labelled(run: _Run, rollout: Rollout, log: RequestLog, new: Outcomes, at: Places) -> Labelled:
    """The labels of one generation with those at `at`, all of which are its."""
    generation = int(run.generation[at[0]])
    how, before = rollout.strategy, run.course.labels.get(generation)
    before = before or Labelled(generation=generation)
    if how.kind == "shadow":
        at = at[run.to_new[at]]
        apart = new.value[at] - log.serving.value[at]
        paired = _joined(before.paired, _sums(apart, how, usual=0.0))
        return Labelled(generation=generation, paired=paired)
    ours = run.to_new[at]
    values = np.where(ours, new.value[at], log.serving.value[at])
    if not run.of_unit.size:
        parts = ((SERVING, values[~ours]), (NEW, values[ours]))
        arms = {arm: _joined(before.arms.get(arm), _sums(part, how)) for arm, part in parts}
        return Labelled(generation=generation, arms=arms)
    nothing = np.zeros(run.of_unit.size), np.zeros(run.of_unit.size)
    totals, counts = run.sums.setdefault(generation, nothing)
    np.add.at(totals, log.unit[at], values)
    np.add.at(counts, log.unit[at], 1)
    seen = counts > 0
    share = next(each.share for each in rollout.batches if each.generation == generation)
    means, mine = totals[seen] / counts[seen], run.of_unit[seen] < share
    arms = {SERVING: _sums(means[~mine], how), NEW: _sums(means[mine], how)}
    return Labelled(generation=generation, arms=arms)


def _sums(values: Array, how: Strategy, *, usual: float | None = None) -> ValueSums:
    if usual is None:
        usual = 1.0 if how.quality is not None and how.quality.metric == "accuracy" else 0.0
    if values.size == 0:
        return ValueSums()
    mean = float(values.mean())
    return ValueSums(
        n=values.size,
        mean=mean,
        squares=float(((values - mean) ** 2).sum()),
        events=int((values != usual).sum()),
    )


def _joined(before: ValueSums | None, more: ValueSums) -> ValueSums:
    both = sums_of(before) + sums_of(more)
    return ValueSums(n=both.n, mean=both.mean, squares=both.squares, events=both.events)


def _replay(run: _Run) -> Replay:
    labels = sum(
        each.paired.n if each.paired else sum(arm.n for arm in each.arms.values())
        for generation, each in run.course.labels.items()
        if generation > 1
    )
    return Replay(
        course=run.course, ended=run.ended, requests=run.requests, bad=run.bad, labels=labels
    )
