"""What a rollout on the local target costs callers: real Envoy, real MLflow scoring servers.

1. 50,000 requests, open loop at under half of the measured capacity, through a whole canary that
   is promoted and a second one that is rolled back. Wanted: no failure, and no request sent more
   than 1 s after a generation was acknowledged is answered by a version that it withdrew.
2. 100 rollbacks: from asking to acknowledged. Wanted: p99 below 500 ms.
3. The router's own time at a fixed rate, beside the server asked directly. Wanted: p50 < 1 ms.
4. Mirroring everything to a shadow that sleeps 1 s, in pairs of blocks with and without. Wanted:
   the upper 95 % bound of the p50's difference below 0.2 ms.

Run with `make bench`, or alone:
.venv/bin/python bench/rollout_traffic.py [--requests 50000] [--parts mirroring] [--pairs 20]
Choose the number of pairs before the first is measured: the bound shrinks with its root, and one
that is asked for again until it fits bounds nothing.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "toolkit"), str(ROOT / "bench")]

from open_loop import Shot, attack, fire  # noqa: E402
from scipy import stats  # noqa: E402 -- the paths above come first

from assay.rollout.target import Release, Route  # noqa: E402
from assay.rollout.targets.local import Local  # noqa: E402
from support.models import probe_model  # noqa: E402
from support.serving import go, local_target, ready, until  # noqa: E402

BODY = json.dumps({"dataframe_split": {"columns": ["a"], "data": [[1.0]]}}).encode()
PAIRS, BLOCK_REQUESTS = 20, 250
ROLLBACKS = 100


@dataclass
class Without:
    """A time in which a version had no traffic: from the acknowledgement to the next request."""

    digest: str
    begin: float
    end: float = float("inf")


@dataclass
class Bench:
    """Two versions behind a router, and a load beside them."""

    folder: Path
    target: Local
    stable: Release
    new: Release
    generation: int = 0
    without: list[Without] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.target.port}/invocations"

    def route(self, weights: dict[str, int], stable: str, **how: object) -> float:
        """Ask, wait for the acknowledgement, and return how many seconds that took."""
        self.generation += 1
        for gone in self.without:
            if weights.get(gone.digest) and gone.end == float("inf"):
                gone.end = time.time()
        began = time.perf_counter()
        self.target.route(Route(generation=self.generation, weights=weights, stable=stable, **how))
        while self.target.observe().applied != self.generation:
            time.sleep(0.002)
        took = time.perf_counter() - began
        now = time.time()
        self.without += [Without(d, now) for d, share in weights.items() if not share]
        return took

    def share(self, new: int) -> float:
        weights = {self.new.digest: new, self.stable.digest: 10_000 - new}
        return self.route(weights, self.stable.digest, sticky=True)


def main() -> None:
    """Print each number beside the one that is wanted."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests", type=int, default=50_000)
    parser.add_argument("--parts", default="overhead,rollbacks,mirroring,rollout")
    parser.add_argument("--pairs", type=int, default=PAIRS, help="of blocks, for mirroring")
    asked = parser.parse_args()
    parts = asked.parts.split(",")
    with tempfile.TemporaryDirectory(prefix="assay-bench-") as scratch:
        folder = Path(scratch)
        stable, new = probe_model(folder / "stable", 0), probe_model(folder / "new", 1)
        target = local_target(folder / "target")
        try:
            target.start(stable)
            target.start(new)
            ready(target, stable.digest, new.digest)
            bench = Bench(folder=folder, target=target, stable=stable, new=new)
            bench.share(0)
            capacity = measure_capacity(bench)
            rate = min(400.0, 0.45 * capacity)
            print(f"capacity {capacity:,.0f} requests/s; the load is {rate:,.0f}/s")
            if "overhead" in parts:
                overhead(bench, rate=min(rate, 100))
            if "rollbacks" in parts:
                rollbacks(bench)
            if "mirroring" in parts:
                mirroring(bench, rate=min(rate, 100), count=asked.pairs)
            if "rollout" in parts:
                rollout(bench, rate=rate, requests=asked.requests)
        finally:
            target.close()


def measure_capacity(bench: Bench) -> float:
    """The highest rate of one version at which the median answer stays under 50 ms."""
    best = 0.0
    for rate in (100, 200, 300, 400, 600, 800, 1_200):
        shots = fire(bench.folder, bench.url, BODY, rate=rate, count=rate * 4)
        slowest = sorted(shot.seconds for shot in shots)[len(shots) * 95 // 100]
        if slowest > 0.05 or any(shot.status != 200 for shot in shots):
            break
        best = float(rate)
    return best or 100.0


def rollout(bench: Bench, *, rate: float, requests: int) -> None:
    """A canary to the end, and one that goes back, under one load."""
    stable, new = bench.stable.digest, bench.new.digest
    steps = [
        lambda: bench.share(100),
        lambda: bench.share(1_000),
        lambda: bench.share(5_000),
        lambda: bench.route({new: 10_000, stable: 0}, new, sticky=True),
        lambda: bench.route({stable: 1_000, new: 9_000}, new, sticky=True),
        lambda: bench.route({stable: 5_000, new: 5_000}, new, sticky=True),
        lambda: bench.route({stable: 0, new: 10_000}, new, sticky=True),
    ]
    pause = requests / rate / (len(steps) + 1)
    bench.without.clear()
    took = []
    with attack(bench.folder, bench.url, BODY, rate=rate, count=requests) as running:
        for step in steps:
            _tend(bench.target, pause)
            took.append(step())
    shots = running.shots()
    failed = [shot for shot in shots if shot.status != 200]
    late = _late(shots, bench.without)
    seconds = sorted(shot.seconds for shot in shots)
    print(f"{len(shots):,} requests at {rate:,.0f}/s through a canary and a rollback:")
    print(f"  failed {len(failed)} (wanted 0); p50 {seconds[len(seconds) // 2] * 1e3:.1f} ms, "
          f"p99 {seconds[len(seconds) * 99 // 100] * 1e3:.1f} ms")  # fmt: skip
    print(f"  answered by a withdrawn version, sent > 1 s after: {late} (wanted 0)")
    print(f"  slowest acknowledgement {max(took) * 1e3:.0f} ms")


def _tend(target: Local, seconds: float) -> None:
    """Observe as a controller does, once a second."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        target.observe()
        time.sleep(min(1.0, left))


def _late(shots: list[Shot], without: list[Without]) -> int:
    """Requests sent over a second after a version was withdrawn, and answered by it."""
    return sum(
        shot.version == gone.digest and gone.begin + 1.0 < shot.sent < gone.end
        for shot in shots
        for gone in without
    )


def rollbacks(bench: Bench) -> None:
    """From asking for the way back until the router runs it."""
    took = []
    for _ in range(ROLLBACKS):
        bench.share(5_000)
        took.append(bench.share(0))
    took.sort()
    print(f"{ROLLBACKS} rollbacks, asked to acknowledged: p50 {took[len(took) // 2] * 1e3:.0f} ms, "
          f"p99 {took[len(took) * 99 // 100] * 1e3:.0f} ms (wanted < 500)")  # fmt: skip


def overhead(bench: Bench, *, rate: float) -> None:
    """The same server, asked directly and through the router, in turns."""
    file = bench.target.setup.folder / "versions" / bench.stable.digest / "0.settings.json"
    direct = f"http://127.0.0.1:{json.loads(file.read_text())['port']}/invocations"
    sides: dict[str, list[float]] = {direct: [], bench.url: []}
    for _ in range(6):
        for url, seconds in sides.items():
            shots = fire(bench.folder, url, BODY, rate=rate, count=400)
            seconds += [shot.seconds * 1e3 for shot in shots]
    by, through = (sorted(values) for values in sides.values())
    p50 = statistics.median(through) - statistics.median(by)
    p99 = through[len(through) * 99 // 100] - by[len(by) * 99 // 100]
    print(f"router at {rate:.0f}/s: p50 +{p50:.2f} ms (wanted < 1), p99 +{p99:.2f} ms; "
          f"direct p50 {statistics.median(by):.2f} ms")  # fmt: skip


def mirroring(bench: Bench, *, rate: float, count: int) -> None:
    """Blocks with and without a shadow that sleeps, in turns; the interval is over the pairs."""
    shadow = probe_model(bench.folder / "shadow", 2, sleep=1.0)
    bench.target.start(shadow)
    ready(bench.target, shadow.digest)
    weights = {bench.new.digest: 0, bench.stable.digest: 10_000}
    pairs = []
    for block in range(count):
        medians = {}
        for mirrored in (True, False) if block % 2 else (False, True):
            mirror = (shadow.digest, 10_000) if mirrored else None
            bench.route(weights, bench.stable.digest, mirror=mirror)
            shots = fire(bench.folder, bench.url, BODY, rate=rate, count=BLOCK_REQUESTS)
            medians[mirrored] = statistics.median(shot.seconds * 1e3 for shot in shots)
        pairs.append(medians[True] - medians[False])
    mean, error = statistics.mean(pairs), statistics.stdev(pairs) / len(pairs) ** 0.5
    upper = mean + float(stats.t.ppf(0.95, len(pairs) - 1)) * error
    print(f"mirror to a sleeping shadow: p50 {mean:+.3f} ms, upper 95 % bound {upper:.3f} ms "
          f"(wanted < 0.2; {len(pairs)} pairs)")  # fmt: skip
    bench.share(0)
    bench.target.stop(shadow.digest)
    until(bench.target, lambda seen: shadow.digest not in seen.backends)
    go(bench.target, Route(generation=bench.generation + 1, weights=weights,
                           stable=bench.stable.digest))  # fmt: skip
    bench.generation += 1


if __name__ == "__main__":
    main()
