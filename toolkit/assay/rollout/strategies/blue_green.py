"""Blue-green: all traffic at once, the old version ready beside it until the new one has baked.

Nothing is compared at the same time: the guards stand against what the old version did before the
switch. Where it has served nothing there is no comparison, and at the deadline it goes back.
"""

from __future__ import annotations

from assay.evidence import Move
from assay.rollout.strategies.reading import Reading
from assay.rollout.strategies.rules import begin, finish


def proceed(reading: Reading) -> Move:
    """The switch, then the end of the old version's standby."""
    if reading.rollout.at < 0:
        return begin(1.0, "the whole traffic switches, the old version stays ready")
    return finish(reading)
