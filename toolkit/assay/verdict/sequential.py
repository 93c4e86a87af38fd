"""What one look at a running comparison shows, in the five states of every verdict."""

from __future__ import annotations

from assay.evidence import State
from assay.stats.sequential.look import Look
from assay.verdict.judge import judge


def judge_look(look: Look, *, margin: float | None, must_improve: bool = False) -> State:
    """Name what a look shows about the difference so far.

    Only a sequential interval can be judged here, and only once or a thousand times alike: the
    sequence covers at all looks together. `inconclusive` means that the comparison goes on; at
    its deadline it is no reason to promote.
    """
    if look.interval is None:
        return State.NOT_MEASURED if look.n == 0 else State.INCONCLUSIVE
    ends = (look.interval.low, look.interval.high)
    return judge(ends, margin=margin, must_improve=must_improve)
