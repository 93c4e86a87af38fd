"""When log, label feed, monitor, controllers and their journals last showed that they live."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from assay.config import Monitoring
from assay.evidence import Heartbeat
from assay.monitoring.delivered import Sign
from assay.monitoring.times import moment_of


def heartbeats_of(
    monitoring: Monitoring,
    at: datetime,
    *,
    answered: datetime | None,
    first: datetime | None,
    labelled: datetime | None,
    looked: datetime | None,
    signs: Sequence[Sign] = (),
) -> tuple[Heartbeat, ...]:
    """Each is silent when its last sign is too old; None stands for a sign that never came.

    `first` is when predictions began: until labels can be expected, none have to be there. A first
    look has none before it. `signs` are those of delivery.
    """
    beats = [_beat("log", answered, monitoring.silence, at)]
    if monitoring.labels is not None:
        limit = monitoring.labels.silence
        waiting = first is None or (at - first).total_seconds() <= monitoring.labels.delay + limit
        beats.append(_beat("labels", labelled, limit, at, patient=waiting))
    beats.append(_beat("monitor", looked, 2 * monitoring.window, at, patient=True))
    for sign in signs:
        begun = sign.begun
        waiting = begun is not None and (at - begun).total_seconds() <= sign.silent_after
        beats.append(_beat(sign.name, sign.last, sign.silent_after, at, patient=waiting))
    return tuple(beats)


def _beat(
    name: str, last: datetime | None, limit: float, at: datetime, *, patient: bool = False
) -> Heartbeat:
    """`patient`: that nothing came yet is no silence."""
    silent = not patient if last is None else (at - last).total_seconds() > limit
    moment = None if last is None else moment_of(last)
    return Heartbeat(name=name, last=moment, silent_after=limit, silent=silent)
