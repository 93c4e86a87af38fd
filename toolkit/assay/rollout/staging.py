"""Is a new version slower, hungrier, or does it fail more under load? Judged from rounds by turns.

Answers of one run are not independent: a pause of the host slows thousands of them, so percentiles
of one long run have no honest interval. The unit here is the round, in which both versions run one
right after the other: r = log(new/serving) of each round, and the mean of r ± t·s/√n over n rounds
(Student's; Box, Hunter and Hunter 2005, *Statistics for Experimenters*, on paired comparisons).
Errors are counted, by the interval of the guards. All claims share the error evenly (Bonferroni).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.stats import t as student

from assay.evidence import LoadLook, LoadRound, LoadTest, Outcome, State
from assay.evidence.load import LoadName, LoadSide
from assay.report.numbers import interval as in_words
from assay.report.numbers import plural
from assay.stats.sequential.look import Look, SequentialInterval
from assay.stats.sequential.rates import Prior, rate_difference_bounds
from assay.verdict.figures import places_for, signed
from assay.verdict.judge import judge
from assay.verdict.sequential import judge_look

FEWEST_ROUNDS = 5
RATIOS: tuple[LoadName, ...] = ("p50", "p95", "p99", "throughput", "memory")
_MORE_IS_BETTER = frozenset({"throughput"})
_WORDS = {
    "p50": "median latency", "p95": "95th percentile", "p99": "99th percentile",
    "throughput": "throughput", "memory": "memory", "errors": "errors",
}  # fmt: skip


def judged(test: LoadTest) -> LoadTest:
    """The same test with its looks, its state and its sentence; rounds in any order.

    `pass` where every claim is better or no-worse, `fail` where one is worse, or not measured,
    `warn` where one is inconclusive. A margin of None asks no claim.
    """
    asked = [name for name in RATIOS if getattr(test.margins, name) is not None]
    confidence = 1 - (1 - test.confidence) / (len(asked) + 1)
    looks = (
        *(_ratio(test, name, confidence) for name in asked),
        _errors(test, confidence),
    )
    state = _outcome(looks)
    return test.model_copy(
        update={"looks": looks, "state": state, "sentence": _sentence(looks, len(test.rounds))}
    )


def replay(test: LoadTest) -> LoadTest:
    """The verdict made again from the rounds; it comes out the same, or was altered."""
    return judged(test.model_copy(update={"looks": (), "state": Outcome.FAIL, "sentence": ""}))


def _values(rounds: Sequence[LoadRound], name: LoadName) -> tuple[list[float], list[float]] | None:
    """The figure in each round, of both; None where a round has it not."""
    sides = [(_figure(each.serving, name), _figure(each.new, name)) for each in rounds]
    known = [(a, b) for a, b in sides if a is not None and b is not None]
    if not known or len(known) < len(sides):
        return None
    return [a for a, _ in known], [b for _, b in known]


def _figure(side: LoadSide, name: LoadName) -> float | None:
    figure: float | None = getattr(side, name)
    return figure


def _ratio(test: LoadTest, name: LoadName, confidence: float) -> LoadLook:
    margin = getattr(test.margins, name)
    found = _values(test.rounds, name)
    if found is None or len(test.rounds) < FEWEST_ROUNDS:
        return LoadLook(
            name=name,
            state=State.NOT_MEASURED,
            confidence=confidence,
            margin=margin,
            reason="not measured in every round" if found is None else "fewer than 5 rounds",
        )
    serving, new = (np.log(np.asarray(side)) for side in found)
    apart = new - serving if name in _MORE_IS_BETTER else serving - new
    n = len(apart)
    reach = student.ppf((1 + confidence) / 2, n - 1) * apart.std(ddof=1) / math.sqrt(n)
    # As a share of the serving one: 1 − ratio of what should be small, ratio − 1 of the other.
    ends = [_relative(float(apart.mean() + side * reach), name) for side in (-1, 1)]
    return LoadLook(
        name=name,
        state=judge((ends[0], ends[1]), margin=margin),
        serving=float(np.exp(serving.mean())),
        new=float(np.exp(new.mean())),
        difference=_relative(float(apart.mean()), name),
        interval=(ends[0], ends[1]),
        confidence=confidence,
        margin=margin,
    )


def _relative(logarithm: float, name: LoadName) -> float:
    """A log ratio that is positive where new is better, as a share of the serving one's."""
    return math.expm1(logarithm) if name in _MORE_IS_BETTER else -math.expm1(-logarithm)


def _errors(test: LoadTest, confidence: float) -> LoadLook:
    margin = test.margins.errors
    sides = [[each.serving for each in test.rounds], [each.new for each in test.rounds]]
    counted = [(sum(s.errors for s in side), sum(s.requests for s in side)) for side in sides]
    (before, n), (after, m) = counted
    if not test.rounds:
        look = Look(n=0, regime="no rounds")
    else:
        prior = Prior.planned(rate=margin, n=m, confidence=confidence)
        low, high = rate_difference_bounds(
            counted[0], counted[1], confidence=confidence, prior=prior
        )
        look = Look(
            n=n + m,
            difference=before / n - after / m,
            interval=SequentialInterval(low=-float(high), high=-float(low), confidence=confidence),
        )
    return LoadLook(
        name="errors",
        state=judge_look(look, margin=margin),
        serving=before / n if n else None,
        new=after / m if m else None,
        difference=look.difference,
        interval=look.interval and (look.interval.low, look.interval.high),
        confidence=confidence,
        margin=margin,
        reason=look.regime,
    )


def _outcome(looks: Sequence[LoadLook]) -> Outcome:
    states = {look.state for look in looks}
    if states & {State.WORSE, State.NOT_MEASURED}:
        return Outcome.FAIL
    return Outcome.WARN if State.INCONCLUSIVE in states else Outcome.PASS


_WORST_FIRST = (State.WORSE, State.NOT_MEASURED, State.INCONCLUSIVE, State.NO_WORSE, State.BETTER)


def _sentence(looks: Sequence[LoadLook], rounds: int) -> str:
    """Name the claim that decided, with its number."""
    look = min(looks, key=lambda each: _WORST_FIRST.index(each.state))
    name = _WORDS[look.name]
    if look.interval is None or look.difference is None:
        return f"Under load {name} is not measured ({look.reason})."
    low, high = (100 * end for end in look.interval)
    places = places_for((low, high))
    unit = "points" if look.name == "errors" else "%"
    more = "" if look.state is not State.NO_WORSE else ", and so is everything else"
    return (
        f"Under load {name} is {look.state.value.replace('-', ' ')}: "
        f"{signed(100 * look.difference, places)} {unit} {in_words((low, high), places)} over "
        f"{plural(rounds, 'round')}, margin {100 * look.margin:g}{more}."
    )
