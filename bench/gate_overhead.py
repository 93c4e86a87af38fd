"""Where the time of a gated pull request goes that is not the consumer's tests and training.

Runs the template's own workflow through act twice on one pull request. The first run fills the
caches; the second is counted, so that its steps are warm, but for the environments of the plan
and of the gate, which are made afresh every time because those jobs' word is trusted. A base's
side is all the gate's: it is what comparing costs. Wanted: no action adds more than 1.5 s of its
own to a warm step.

Run with `make bench`, or alone: .venv/bin/python bench/gate_overhead.py
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "toolkit")]

from act.gating import evidence as evidence_of  # noqa: E402 -- the paths above come first
from assay.act.harness import Harness  # noqa: E402
from assay.act.result import JobResult, RunResult, StepResult  # noqa: E402
from assay.act.site import Settings  # noqa: E402
from demo.consumer import build  # noqa: E402
from demo.scenarios import SCENARIOS  # noqa: E402

SCENARIO = "better-model"
MODEL = "doctor-visit"
WANTED = 1.5
LAUNCHER = str(ROOT / "toolkit" / "bin" / "assay")
COMMANDS = ("plan", "test", "train", "check-data", "gate", "publish-report", "report", "compare")


@dataclass(frozen=True, kw_only=True)
class Part:
    """One step of one job: how long it took, and how much of that the consumer's code."""

    job: str
    step: str
    seconds: float
    consumers: float = 0.0

    @property
    def own(self) -> float:
        """What is the gate's."""
        return max(0.0, self.seconds - self.consumers)


def main() -> None:
    """Run, measure, and print the tables."""
    with tempfile.TemporaryDirectory(prefix="assay-overhead-") as scratch:
        folder = Path(scratch)
        run = gated(folder)
        evidence = evidence_of(run, folder / "evidence")
        print_parts(run, list(parts(run, evidence)))
        print_gate(run, evidence, folder)
        print_starts()


def gated(folder: Path) -> RunResult:
    """Run the template's workflow twice on one pull request; return the second run."""
    chosen = [scenario for scenario in SCENARIOS if scenario.name == SCENARIO]
    uv = str(ROOT / "toolkit" / "bin" / "uv")
    consumer = build(folder / "consumer", ROOT / "template-repo", scenarios=chosen, uv=uv)
    settings = Settings(
        repository=consumer.main,
        environ=os.environ,
        scratch=folder / "act",
        slug="octo/doctor-visit",
    )
    with Harness(settings) as harness:
        pull = harness.open_pull_request(chosen[0].branch, title=chosen[0].title)
        event = harness.pull_request_event(pull)
        harness.run("pull-request.yml", event)
        run = harness.run("pull-request.yml", event)
    if run.result != "success":
        sys.exit(f"the run ended with {run.result}: {run.job('Assay gate').log}")
    return run


def parts(run: RunResult, evidence: Path) -> Iterator[Part]:
    """Return each step, with the seconds that its evidence says the consumer's code took."""
    seconds = {
        name: float(json.loads((evidence / MODEL / file).read_text()).get("seconds") or 0)
        for name, file in (("head", "training.json"), ("tests", "tests.json"))
    }
    for job in run.jobs:
        trainings = 0
        for step in steps(job):
            name = short(step)
            consumers = 0.0
            if name == "train":
                trainings += 1
                name = "train, side: base" if trainings == 1 else "train, side: head"
                consumers = seconds["head"] if trainings == 2 else 0.0
            elif name == "test":
                consumers = seconds["tests"]
            yield Part(job=job.name, step=name, seconds=step.seconds, consumers=consumers)


def steps(job: JobResult) -> list[StepResult]:
    """Return the steps that a person wrote."""
    return [step for step in job.steps if step.stage == "Main"]


def short(step: StepResult) -> str:
    """Return what a step uses, without its owner and its commit."""
    return step.name.partition("@")[0].rpartition("/")[2]


def print_parts(run: RunResult, found: list[Part]) -> None:
    """Print every step, and the share of all of the gate's time that it has."""
    between = max(0.0, run.seconds - sum(part.seconds for part in found))
    rest = Part(job="act", step="between the steps", seconds=between)
    overhead = sum(part.own for part in (*found, rest))
    print(f"{'job':<20} {'step':<20} {'all s':>7} {'consumer':>9} {'gate s':>7} {'share':>6}")
    for part in (*found, rest):
        print(
            f"{part.job:<20} {part.step:<20} {part.seconds:7.2f} {part.consumers:9.2f} "
            f"{part.own:7.2f} {part.own / overhead:6.0%}"
        )
    consumers = sum(part.consumers for part in found)
    print(
        f"{'together':<41} {run.seconds:7.2f} {consumers:9.2f} {overhead:7.2f} "
        f"({overhead / run.seconds:.0%} of the run is the gate's)"
    )


def print_gate(run: RunResult, evidence: Path, folder: Path) -> None:
    """Print what the gate's own step is made of; its parts are timed again, one by one."""
    whole = run.job("Assay gate").step("gate").seconds
    fresh = {"ASSAY_FRESH": "true", "RUNNER_TEMP": str(folder / "fresh")}
    (folder / "fresh").mkdir()
    install = timed("--version", **fresh)
    judge_cold = timed("gate", "--evidence", str(evidence), "--publisher", "file", **fresh)
    judge = timed("gate", "--evidence", str(evidence), "--publisher", "file", **fresh)
    rest = max(0.0, whole - install - judge_cold)
    print(f"\nThe gate's step, {whole:.2f} s, timed again part by part:")
    for name, seconds in (
        ("environment, made afresh", install),
        ("first import from it", judge_cold - judge),
        ("start, compare, judge, report", judge),
        ("comment, summary (the rest)", rest),
    ):
        print(f"  {name:<30} {seconds:6.2f} s {seconds / whole:6.0%}")


def print_starts() -> None:
    """Print how long the launcher and the command's own imports take in a warm environment."""
    timed("--version")
    print("\nWhat a warm step adds before its work begins (launcher, Python, the command line):")
    for command in COMMANDS:
        seconds = sorted(timed(command, "--help") for _ in range(3))[1]
        print(f"  {command:<16} {seconds:5.2f} s (wanted: at most {WANTED})")


def timed(*arguments: str, **variables: str) -> float:
    """Run the launcher as a step does, and return its seconds."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ASSAY_")}
    started = time.perf_counter()
    subprocess.run(
        [LAUNCHER, *arguments], env={**kept, **variables}, check=True, capture_output=True
    )
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
