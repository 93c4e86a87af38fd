"""How fast a controller goes back: real Envoy, real servers, the real loop with log and journal.

1. Rollbacks by hand with half of the traffic on the new version: from the order to the moment in
   which the router has acknowledged the way back. Wanted: p99 below 500 ms over 100.
2. A version that begins to fail with 50 requests a second of its own: from its first failed answer
   to the decision. Wanted: below 5 s, each time.

Run with `make bench`, or alone:
.venv/bin/python bench/rollback.py [--rollbacks 100] [--breaches 10]
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "toolkit")]

from assay.config.strategy import Step  # noqa: E402 -- the paths above come first
from assay.evidence import Cause, DecisionKind  # noqa: E402
from assay.rollout.records import Order  # noqa: E402
from assay.rollout.target import WHOLE  # noqa: E402
from support.controllers import CANARY, Rig  # noqa: E402
from support.models import probe_model  # noqa: E402
from support.serving import ask, local_target  # noqa: E402

HALF = CANARY.model_copy(update={"steps": (Step(weight=0.5, bake=3600, requests=1),)})
RATE = 100
"""Requests a second, half of them the new version's."""
ROUND = 1.0
HURRY = 0.02
PATIENCE = 120.0


@dataclass
class Bench:
    """A rig on a local target; time is the machine's own."""

    rig: Rig

    def tick(self, seconds: float) -> None:
        """One round, and the pause until the next, as the service makes them."""
        began = time.monotonic()
        self.rig.poll()
        self.rig.controller.tick()
        time.sleep(seconds)
        self.rig.time.pass_by(time.monotonic() - began)

    def until(self, weights: dict[str, int], *, seconds: float) -> None:
        """Tick until the router runs these weights."""
        ends = time.monotonic() + PATIENCE
        while True:
            self.tick(seconds)
            seen, state = self.rig.controller.observed, self.rig.store.state
            if seen and seen.applied == state.generation and seen.weights == weights:
                return
            if time.monotonic() > ends:
                raise SystemExit(f"never {weights}: {state} {self.rig.controller.trouble}")

    def half(self, stable: str, new: str) -> None:
        """Deploy until the new version has half of the traffic; what barred it is cleared."""
        if new in self.rig.store.state.barred:
            self.rig.send("clear", new)
            self.tick(0)
        self.rig.send("deploy", new, strategy=HALF)
        self.until({stable: WHOLE // 2, new: WHOLE // 2}, seconds=HURRY)


def rollbacks(bench: Bench, stable: str, new: str, count: int) -> None:
    """Go back by hand, again and again."""
    took = []
    for _ in range(count):
        bench.half(stable, new)
        began = time.monotonic()
        bench.rig.controller.order(Order(kind="rollback", by="bench", cause=Cause.HAND))
        bench.until({stable: WHOLE}, seconds=HURRY)
        took.append((time.monotonic() - began) * 1000)
    p99 = statistics.quantiles(took, n=100, method="inclusive")[98]
    print(
        f"{count} rollbacks, order to acknowledged: p50 {statistics.median(took):.0f} ms, "
        f"p99 {p99:.0f} ms, longest {max(took):.0f} ms (wanted: p99 < 500 ms)"
    )


def breaches(bench: Bench, stable: str, bad: str, count: int) -> None:
    """Let the guards find a version whose every answer is an error."""
    took = []
    for _ in range(count):
        bench.rig.time.pass_by(2 * 86_400)
        stop = threading.Event()
        callers = [
            threading.Thread(target=_call, args=(bench, stop, place)) for place in range(RATE // 10)
        ]
        bench.half(stable, bad)
        began = time.monotonic()
        for caller in callers:
            caller.start()
        while bench.rig.links[-1].facts["kind"] != DecisionKind.ROLLED_BACK:
            bench.tick(ROUND)
        took.append(time.monotonic() - began - ROUND)
        stop.set()
        for caller in callers:
            caller.join()
        bench.until({stable: WHOLE}, seconds=HURRY)
    print(
        f"{count} guard breaches at {RATE // 2} requests a second of the new version, first answer "
        f"to verdict: median {statistics.median(took):.1f} s, longest {max(took):.1f} s "
        "(wanted: < 5 s)"
    )


def _call(bench: Bench, stop: threading.Event, place: int) -> None:
    """Ten requests a second, each of a unit of its own, whatever comes back."""
    target, asked = bench.rig.target, 0
    while not stop.wait(0.1):
        asked += 1
        ask(target, unit=f"{place}-{asked}")  # type: ignore[arg-type]


def main() -> None:
    """Set up a target with three versions and measure both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rollbacks", type=int, default=100)
    parser.add_argument("--breaches", type=int, default=10)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="assay-bench-") as name:
        folder = Path(name)
        digests = []
        for answer, how in (("one", {}), ("two", {}), ("bad", {"raises": True})):
            release = probe_model(folder / answer, answer, **how)
            (folder / "bundles").mkdir(exist_ok=True)
            release.folder.rename(folder / "bundles" / release.digest)
            digests.append(release.digest)
        stable, new, bad = digests
        target = local_target(folder / "target")
        try:
            bench = Bench(Rig(folder=folder, target=target))  # type: ignore[arg-type]
            bench.rig.send("deploy", stable)
            bench.until({stable: WHOLE}, seconds=HURRY)
            rollbacks(bench, stable, new, given.rollbacks)
            breaches(bench, stable, bad, given.breaches)
        finally:
            target.close()


if __name__ == "__main__":
    main()
