"""What a shadow answered: counted from its own request logs, for the router does not see it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from assay.rollout.target import Counts
from assay.rollout.targets.local.counts import Ledger, Tally, mirrored
from assay.rollout.targets.local.workers import Workers


@dataclass
class Shadow:
    """The logs of the version that is mirrored to now; ``folder`` keeps their counts."""

    folder: Path
    slow_ms: float
    _ledgers: dict[str, list[Ledger]] = field(default_factory=dict)

    def counts(self, workers: Workers, generation: int) -> Counts:
        """What ``workers`` did of the mirrored requests of ``generation``."""
        digest = workers.release.digest
        if digest not in self._ledgers:
            self._ledgers = {digest: self._open(workers)}
        total = Tally()
        for ledger in self._ledgers[digest]:
            found = ledger.read(generation).get(digest)
            if found is not None:
                total.add(found)
        return total.counts()

    def _open(self, workers: Workers) -> list[Ledger]:
        return [
            Ledger(
                self.folder / f"{workers.release.digest}-{number}",
                files,
                reads=mirrored,
                slow_ms=self.slow_ms,
            )
            for number, files in enumerate(workers.request_logs)
        ]
