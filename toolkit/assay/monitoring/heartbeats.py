"""When the log, the label feed and the monitor itself last showed that they live."""

from __future__ import annotations

from datetime import datetime

from assay.config import Monitoring
from assay.evidence import Heartbeat
from assay.monitoring.times import moment_of


def heartbeats_of(
    monitoring: Monitoring,
    at: datetime,
    *,
    answered: datetime | None,
    first: datetime | None,
    labelled: datetime | None,
    looked: datetime | None,
) -> tuple[Heartbeat, ...]:
    """Each is silent when its last sign is too old; None stands for a sign that never came.

    `first` is when predictions began: until labels can be expected, none have to be there. A first
    look has none before it.
    """
    beats = [_beat("log", answered, monitoring.silence, at)]
    if monitoring.labels is not None:
        limit = monitoring.labels.silence
        waiting = first is None or (at - first).total_seconds() <= monitoring.labels.delay + limit
        beats.append(_beat("labels", labelled, limit, at, patient=waiting))
    beats.append(_beat("monitor", looked, 2 * monitoring.window, at, patient=True))
    return tuple(beats)


def _beat(
    name: str, last: datetime | None, limit: float, at: datetime, *, patient: bool = False
) -> Heartbeat:
    """`patient`: that nothing came yet is no silence."""
    silent = not patient if last is None else (at - last).total_seconds() > limit
    moment = None if last is None else moment_of(last)
    return Heartbeat(name=name, last=moment, silent_after=limit, silent=silent)
