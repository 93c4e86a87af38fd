"""Shadow: copies of requests are answered by the new version, and nobody gets its answers.

It concludes; it never promotes. Agreement, latency, errors and, once labels come, the metric are
compared on the same requests. What passes is deployed by another strategy.
"""

from __future__ import annotations

from assay.evidence import Move
from assay.rollout.sentences import share_of
from assay.rollout.strategies.reading import Reading
from assay.rollout.strategies.rules import begin, finish


def proceed(reading: Reading) -> Move:
    """The mirror, then the conclusion."""
    if reading.rollout.at < 0:
        share = reading.rollout.strategy.steps[0].weight
        return begin(share, f"{share_of(share)} of the requests are mirrored")
    return finish(reading, kind="conclude")
