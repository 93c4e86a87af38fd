"""What a rehearsal found, for people and for programs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import mean, median
from typing import Any

from assay.config import Strategy
from assay.evidence import DecisionKind
from assay.report.numbers import duration, percent, plural
from assay.rollout.rehearsal import Replay
from assay.rollout.sentences import share_of
from assay.tables.request_log import RequestLog

_GOOD = {DecisionKind.PROMOTED, DecisionKind.CONCLUDED}


def lines_of(
    log: RequestLog, strategy: Strategy, found: Sequence[Replay], *, assumed: bool
) -> Iterator[str]:
    """The rehearsal in words."""
    units = int(log.unit.max()) + 1
    yield (
        f"{_named(strategy)}, over {plural(len(log.unit), 'request')} of "
        f"{plural(units, 'unit')} in {duration(float(log.seconds[-1]))}."
    )
    if assumed:
        yield "The new version is assumed: the serving one, with the changes that were named."
    yield ""
    yield "Decisions of the first replay:"
    for record in found[0].course.records:
        yield f"  {duration(record.elapsed):>8}  {record.kind.value:<11}  {record.sentence}"
    if found[0].ended is None:
        yield f"  {'':>8}  undecided    The log ends first: {_waits(found[0])}."
    yield ""
    yield f"{plural(len(found), 'replay')}, each with another split:"
    counted = Counter(_outcome(each) for each in found)
    for outcome, count in sorted(counted.items()):
        yield f"  {outcome}: {count} ({percent(count / len(found))})"
    ended = [each.ended for each in found if each.ended is not None]
    if ended:
        yield f"  decided after {_spread(ended, duration)}"
    if strategy.quality is not None:
        yield f"  labels at the end: {_spread([each.labels for each in found])}"
    yield f"  requests that the new version answered: {_spread([each.requests for each in found])}"
    yield (
        f"  of those, worse than the serving version's answer: {mean(e.bad for e in found):,.1f} "
        "expected (failed, or a worse value)"
    )


def as_document(log: RequestLog, strategy: Strategy, found: Sequence[Replay]) -> str:
    """The same as JSON."""
    document: dict[str, Any] = {
        "strategy": strategy.model_dump(mode="json"),
        "requests": len(log.unit),
        "units": int(log.unit.max()) + 1,
        "seconds": float(log.seconds[-1]),
        "expected_bad_requests": mean(each.bad for each in found),
        "replays": [
            {
                "outcome": _outcome(each),
                "seconds": each.ended,
                "labels": each.labels,
                "requests": each.requests,
                "bad_requests": each.bad,
                "decisions": [
                    {
                        "seconds": record.elapsed,
                        "kind": record.kind.value,
                        "cause": record.cause.value,
                        "sentence": record.sentence,
                    }
                    for record in each.course.records
                ],
            }
            for each in found
        ],
    }
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False)


def _named(strategy: Strategy) -> str:
    shares = " → ".join(share_of(step.weight) for step in strategy.steps)
    quality = strategy.quality
    judged = "guards alone"
    if quality is not None:
        asked = "must improve" if quality.margin is None else f"margin {quality.margin:g}"
        judged = f"{quality.measured.title}, {asked}"
    return f"{strategy.kind}: {shares}; {judged}; deadline {duration(strategy.deadline)}"


def _outcome(replay: Replay) -> str:
    record = replay.course.outcome
    if record is None:
        return "undecided"
    if record.kind in _GOOD:
        return record.kind.value
    return f"{record.kind.value} by {record.cause.value}"


def _waits(replay: Replay) -> str:
    rollout = replay.course.state.rollout
    if rollout is None or not rollout.batches:
        return "nothing was routed"
    return f"{duration(rollout.elapsed)} at {share_of(rollout.batches[-1].share)} of the traffic"


def _spread(values: Sequence[float], show: Any = "{:,.0f}".format) -> str:
    middle = f"{show(median(values))}"
    if min(values) == max(values):
        return middle
    return f"{middle} (median; {show(min(values))} to {show(max(values))})"
