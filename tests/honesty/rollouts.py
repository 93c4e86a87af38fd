"""Thousands of rollouts at once, by the code that decides real ones.

All run in lockstep: at each look the counts of all are drawn in arrays, the looks of all are taken
by one call, and each is decided and carried out by the strategy's own code. The same versions are
also judged as people do without it: by one test at a fixed number of labels, and by peeking.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from assay.config import Guards, OnlineMetric, Step, Strategy
from assay.evidence import Cause, DecisionKind, Labelled, ValueSums
from assay.rollout.simulation import NEW, SERVING, Course, advance
from assay.rollout.target import Counts
from assay.stats.sequential.means import FEWEST_EVENTS
from support.rollouts import added

TICK = 10.0
"""Seconds between two looks."""
REQUESTS = 200
"""Between two looks; all are labelled."""
HISTORY = 50_000
"""Labelled requests of the serving version before a blue-green switch."""
RIGHT, ERRORS, SLOW = 0.85, 0.002, 0.02
PAIRED = 0.05
"""Of a shadow's requests, the share that only the serving version gets right, and more if equal."""
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Version:
    """How a version answers."""

    right: float = RIGHT
    errors: float = ERRORS
    slow: float = SLOW


GOOD = Version()
WORSE = Version(right=RIGHT - 0.03)


@dataclass
class Ended:
    """How one rollout ended."""

    kind: DecisionKind
    cause: Cause
    looks: int
    labels: int
    """Of both versions."""
    requests: int
    """That the new version answered."""


def strategy(kind: str, margin: float, *, confidence: float = 0.95) -> Strategy:
    """Steps of half a minute, and a deadline of 1,000 looks."""
    one = {"blue-green": 1.0, "shadow": 0.5, "ab": 0.5, "bandit": 0.5}
    weights = (one[kind],) if kind in one else (0.05, 0.2, 0.5)
    return Strategy(
        kind=kind,  # type: ignore[arg-type]
        steps=tuple(Step(weight=each, bake=3 * TICK, requests=100) for each in weights),
        guards=Guards(error_rate=0.01, slow_share=0.05),
        quality=OnlineMetric(metric="accuracy", margin=margin, planned=10_000),
        confidence=confidence,
        deadline=1_000 * TICK,
    )


def simulate(
    how: Strategy, version: Version, runs: int, *, seed: int, serving: Version = GOOD
) -> list[Ended]:
    """Run that many rollouts of `version` over `serving` to their ends."""
    rng = np.random.default_rng(seed)
    courses = [_begun(rng, how, serving) for _ in range(runs)]
    running = courses
    while running:
        advance(running, TICK)
        running = [course for course in running if course.state.rollout is not None]
        _serve(rng, (serving, version), running)
    return [_end(course) for course in courses]


def _begun(rng: np.random.Generator, how: Strategy, serving: Version) -> Course:
    """A course; before a switch, with what the serving version did, and has of labels."""
    course = Course.of(how)
    if how.kind == "blue-green":
        rates = (serving.errors, serving.slow, serving.right)
        errors, slow, right = (int(rng.binomial(HISTORY, rate)) for rate in rates)
        course.serving = Counts(requests=HISTORY, errors=errors, slow=slow, units=HISTORY)
        sums = added(ValueSums(), right, HISTORY)
        course.labels[1] = Labelled(generation=1, arms={SERVING: sums})
    return course


def _end(course: Course) -> Ended:
    record, rollout = course.outcome, course.last
    assert record is not None
    assert rollout is not None
    seen = sum(
        each.paired.n if each.paired else sum(sums.n for sums in each.arms.values())
        for each in course.labels.values()
        if each.generation > 1
    )
    shadow = rollout.strategy.kind == "shadow"
    requests = 0 if shadow else sum(batch.new.requests for batch in rollout.batches)
    return Ended(record.kind, record.cause, course.looks, seen, requests)


def _serve(
    rng: np.random.Generator, versions: tuple[Version, Version], courses: Sequence[Course]
) -> None:
    """Answer the requests up to the next look, of all rollouts in one draw each."""
    running = [(course, course.batch) for course in courses if course.batch is not None]
    if not running:
        return
    shares = np.array([batch.share for _, batch in running])
    new = rng.binomial(REQUESTS, shares)
    rollout = running[0][0].state.rollout
    shadow = rollout is not None and rollout.strategy.kind == "shadow"
    old = np.full_like(new, REQUESTS) if shadow else REQUESTS - new
    drawn = [
        np.stack([n, *(rng.binomial(n, rate) for rate in (how.errors, how.slow, how.right))])
        for n, how in zip((old, new), versions, strict=True)
    ]
    pairs = rng.multinomial(new, _pairs(*versions)) if shadow else np.zeros((len(new), 3), int)
    columns = zip(running, drawn[0].T.tolist(), drawn[1].T.tolist(), pairs.tolist(), strict=True)
    for (arm, batch), before, after, pair in columns:
        arm.serving, arm.new = _more(arm.serving, before), _more(arm.new, after)
        found = arm.labels.get(batch.generation, Labelled(generation=batch.generation))
        if shadow:
            found = Labelled(generation=batch.generation, paired=_paired(found.paired, pair))
        else:
            sums = {
                digest: added(found.arms.get(digest, ValueSums()), values[3], values[0])
                for digest, values in ((SERVING, before), (NEW, after))
            }
            found = Labelled(generation=batch.generation, arms=sums)
        arm.labels[batch.generation] = found


def _pairs(serving: Version, new: Version) -> list[float]:
    """Probabilities that only the new one is right, only the serving one, or neither nor."""
    apart = serving.right - new.right
    lost = PAIRED + max(0.0, apart)
    won = lost - apart
    return [won, lost, 1 - won - lost]


def _more(before: Counts, values: list[int]) -> Counts:
    n, errors, slow, _ = values
    return Counts(
        requests=before.requests + n,
        errors=before.errors + errors,
        slow=before.slow + slow,
        units=before.units + n,
    )


def _paired(before: ValueSums | None, pair: list[int]) -> ValueSums:
    """Sums of −1, 0 and 1."""
    before = before or ValueSums()
    won, lost, _ = pair
    n, events = before.n + sum(pair), before.events + won + lost
    mean = (before.mean * before.n + won - lost) / n
    return ValueSums(n=n, mean=mean, squares=events - n * mean**2, events=events)


@dataclass(frozen=True)
class Judged:
    """How a stream of labels at an even split is judged without a sequence."""

    promoted: int
    back: int
    labels: float
    """Of both versions, in the mean; half as many requests went to the new one."""


def fixed_horizon(
    version: Version, margin: float, runs: int, *, seed: int, power: float = 0.9
) -> Judged:
    """One look at the number of labels that shows equal versions to be no worse with this power."""
    needed = 4 * RIGHT * (1 - RIGHT) * ((norm.ppf(0.975) + norm.ppf(power)) / margin) ** 2
    each = int(np.ceil(needed / 2))
    rng = np.random.default_rng(seed)
    lower, _ = _fixed(
        rng.binomial(each, RIGHT, runs), rng.binomial(each, version.right, runs), each
    )
    promoted = int((lower > -margin).sum())
    return Judged(promoted=promoted, back=runs - promoted, labels=2.0 * each)


def peeking(version: Version, margin: float, runs: int, *, seed: int, looks: int = 400) -> Judged:
    """A fixed 95 % interval, looked at every 200 labels until it says something."""
    rng = np.random.default_rng(seed)
    half = REQUESTS // 2
    right = [
        np.cumsum(rng.binomial(half, rate, (runs, looks)), axis=1)
        for rate in (RIGHT, version.right)
    ]
    n = np.arange(1, looks + 1) * half
    lower, upper = _fixed(right[0], right[1], n)
    began = np.minimum(n - right[0], n - right[1]) >= FEWEST_EVENTS
    good, bad = (lower > -margin) & began, (upper < 0) & ~(lower > -margin) & began
    said = good | bad
    first = np.where(said.any(axis=1), said.argmax(axis=1), looks - 1)
    rows = np.arange(runs)
    return Judged(
        promoted=int(good[rows, first].sum()),
        back=int((~good[rows, first]).sum()),
        labels=float((2 * n[first]).mean()),
    )


def _fixed(
    before: Ints, after: Ints, n: int | Ints
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A Wald interval of the difference of two shares of n."""
    p, q = before / n, after / n
    reach = norm.ppf(0.975) * np.sqrt((p * (1 - p) + q * (1 - q)) / n)
    return q - p - reach, q - p + reach
