"""`make demo-delivery`: from a merge to production, and back, on this machine.

A consumer's first model is delivered through deliver.yml under real act: judged, packaged, signed,
registered in a real MLflow server, and asked for by a signed intent. A real controller serves it
behind Envoy, under load. Then two pull requests are merged: a good model, which goes through a
canary; and one that the gate takes for a wonder, because a column that it learns from now holds
what nobody knows before the year is over. On live traffic it is bad, and it is taken back.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "toolkit")]

from assay.act.events import PullRequest  # noqa: E402 -- the paths above come first
from assay.act.harness import Harness  # noqa: E402
from assay.act.ports import free_port  # noqa: E402
from assay.act.result import RunResult  # noqa: E402
from assay.act.site import Settings  # noqa: E402
from assay.config import LocalTarget, load_config  # noqa: E402
from assay.packaging.keys import new_key  # noqa: E402
from assay.rollout.targets.local import Local, setup_local  # noqa: E402
from demo.consumer import IGNORED, Consumer, build  # noqa: E402
from demo.run import say  # noqa: E402
from demo.scenarios import DELIVERED, Scenario, replace  # noqa: E402
from demo.traffic import Asked, Traffic  # noqa: E402
from support.mlflow_server import mlflow_server  # noqa: E402

MODEL, TARGET, SLUG = "doctor-visit", "production", "octo/doctor-visit"
DELIVERY = "    delivery: {targets: [staging, production], staging: {features: staging.csv}}\n"
STRATEGY = """\
    delivery:
      targets: [production]
      serving: {log: {seconds: 2}}
      strategy:
        kind: canary
        steps: [{weight: 0.1, bake: 5, requests: 50}, {weight: 0.5, bake: 5, requests: 200}]
        guards: {requests: 50, error_rate: 0.05, latency_ms: 2000, slow_share: 0.2}
        quality: {metric: accuracy, margin: 0.1, planned: 2000}
        standby: 5
"""
TARGETS = "    staging: {kind: local, port: 8081}\n    production: {kind: local, port: 8080}\n"
SECONDS = 600.0
"""The longest that a controller may take over one version here."""


def main() -> int:
    """Run the demonstration; return 1 where a version did not end as it was expected to."""
    # Ended from outside, it still ends what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = ROOT / "demo" / time.strftime("delivery-%Y%m%d-%H%M%S")
    started = time.monotonic()
    private, public = new_key()
    say(f"Making a consumer repository in {folder} and training its first model ...")
    port = free_port()
    template = template_with_delivery(folder / "template", public, port=port)
    uv = str(ROOT / "toolkit/bin/uv")
    consumer = build(folder / "consumer", template, scenarios=DELIVERED, uv=uv)
    asked = Asked.of(consumer.main)
    ends = {}
    with mlflow_server(folder / "mlflow") as uri:
        settings = delivering(consumer, folder / "act", uri, private)
        with Harness(settings) as harness:
            at = Delivery(harness=harness, folder=folder, registry=uri)
            with at.controller():
                say("\nThe first model, asked for by hand ...")
                at.deliver(by_hand=True)
                at.wait_for("promoted", decisions=1)
                with Traffic(port=port, asked=asked, labels=at.labels).flowing() as traffic:
                    for scenario in DELIVERED:
                        ends[scenario.name] = at.through(scenario)
                    say(f"\n{sum(traffic.answers.values()):,} requests, {traffic.failed} failed.")
                at.show_journal()
    say(f"\nEverything is kept in {folder} ({time.monotonic() - started:.0f} s).\n")
    for scenario in DELIVERED:
        print(f"{scenario.name}: {ends[scenario.name]}")
    return 0 if all(ends[each.name] == each.expected for each in DELIVERED) else 1


def template_with_delivery(folder: Path, public: bytes, *, port: int) -> Path:
    """The template, with a canary that takes seconds and callers that wait for no controller."""
    shutil.copytree(ROOT / "template-repo", folder, ignore=IGNORED)
    config = folder / "assay.yaml"
    replace(config, DELIVERY, STRATEGY)
    replace(config, TARGETS, f"    production: {{kind: local, port: {port}}}\n")
    (folder / "signing.pub").write_bytes(public)
    caller = folder / ".github/workflows/deliver.yml"
    replace(caller, "    with: {", "    with: {wait-minutes: 0, ")
    return folder


def delivering(consumer: Consumer, scratch: Path, registry: str, private: bytes) -> Settings:
    """A GitHub of this machine that knows the signing key and where the registry is."""
    return Settings(
        repository=consumer.main,
        environ=os.environ,
        scratch=scratch,
        slug=SLUG,
        secrets={"ASSAY_SIGNING_KEY": private.decode()},
        variables={"MLFLOW_TRACKING_URI": registry},
        say=say,
    )


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """A consumer on a GitHub of this machine, its registry, and the controller of its target."""

    harness: Harness
    folder: Path
    registry: str
    looks: Path | None = None
    """A folder of looks at the model, whose metrics the controller shows too."""

    @property
    def labels(self) -> Path:
        """Where the truth is written as it becomes known."""
        return self.folder / "labels.csv"

    @property
    def state(self) -> Path:
        """The controller's state folder."""
        return self.folder / "state"

    @contextmanager
    def controller(self) -> Iterator[None]:
        """Run the real controller on a clone of its own."""
        clone = self.folder / "host"
        beside = ("--looks", str(self.looks)) if self.looks else ()
        remote = self.harness.remote
        subprocess.run(
            ["git", "clone", "--quiet", str(remote.path), str(clone)],
            env={**os.environ, **remote.env}, check=True,
        )  # fmt: skip
        with (self.folder / "controller.log").open("w") as log:
            process = subprocess.Popen(
                self._assay(
                    *("controller", "--repository", SLUG, "--labels", str(self.labels)),
                    *("--poll", "2", "--interval", "0.5", "--listen", "127.0.0.1:0", *beside),
                ),
                cwd=clone,
                env=self._environment(),
                stdout=log,
                stderr=subprocess.STDOUT,
            )
            try:
                yield
            finally:
                process.send_signal(signal.SIGTERM)
                process.wait(timeout=60)
                self._end_servers()

    def metrics_port(self) -> int:
        """The port of the controller's /metrics, as its log says; waits for the line."""
        late = time.monotonic() + SECONDS
        while time.monotonic() < late:
            lines = (self.folder / "controller.log").read_text(encoding="utf-8").splitlines()
            for said in (json.loads(line) for line in lines if line.startswith("{")):
                if said.get("event") == "listening":
                    return int(said["port"])
            time.sleep(0.2)
        raise TimeoutError(f"no port in {self.folder / 'controller.log'}")

    def deliver(self, *, by_hand: bool = False) -> None:
        """Run deliver.yml for what main is at."""
        pushed, asked = self.harness.push_event, self.harness.dispatch_event
        show(self.harness.run("deliver.yml", asked("main") if by_hand else pushed("main")))

    def through(self, scenario: Scenario) -> str:
        """Open, gate, merge and deliver a pull request; return how its version ended."""
        say(f"\nPull request '{scenario.title}' ...")
        pull = self.harness.open_pull_request(scenario.branch, title=scenario.title)
        show(self.harness.run("pull-request.yml", self.harness.pull_request_event(pull)))
        before = len(self.ended())
        self.merge(pull)
        self.deliver()
        say("  The controller takes it from here, under load ...")
        return self.wait_for("promoted", "rolled-back", decisions=before + 1)

    def merge(self, pull: PullRequest) -> None:
        """Squash a pull request into main, as a person would."""
        self.harness.merge_pull_request(pull, squash=True)
        say("  Merged.")

    def wait_for(self, *kinds: str, decisions: int) -> str:
        """Wait for so many ends of rollouts; return the kind of the last one."""
        late = time.monotonic() + SECONDS
        while len(found := self.ended()) < decisions:
            if time.monotonic() > late:
                say(f"  No decision within {SECONDS:.0f} s: see {self.folder / 'controller.log'}")
                return "undecided"
            time.sleep(0.5)
        say(f"  {found[-1]['sentence']}")
        kind = str(found[-1]["kind"])
        return kind if kind in kinds else "undecided"

    def ended(self) -> list[dict[str, Any]]:
        """The decisions that ended a rollout, oldest first."""
        return [each for each in self.journal() if each["kind"] in {"promoted", "rolled-back"}]

    def journal(self) -> list[dict[str, Any]]:
        """Every decision of the controller, as its own journal has it."""
        path = self.state / "journal.jsonl"
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]

    def show_journal(self) -> None:
        """Print the chain, and what the registry and the history command make of it."""
        say("\nThe journal:")
        for each in self.journal():
            version = str(each.get("artifact_digest") or "")[:12]
            say(f"  {each['seq']:>3} {each['kind']:<12} {version:<12}  {each['sentence']}")
        command = self._assay("history", MODEL, config=False)
        told = subprocess.run(
            command, cwd=self.folder / "host", env=self._environment(),
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        say(f"\nassay history {MODEL}:\n{told.stdout}{told.stderr}")

    def _assay(self, *arguments: str, config: bool = True) -> list[str]:
        where = ["--target", TARGET, "--state", str(self.state)]
        named = ["--model", MODEL] if config else []
        return [sys.executable, "-m", "assay", *arguments, *where, *named]

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            **self.harness.remote.env,
            "PYTHONPATH": str(ROOT / "toolkit"),
            "MLFLOW_TRACKING_URI": self.registry,
        }

    def _end_servers(self) -> None:
        """End what the controller started, and leaves running for its next life."""
        config = load_config(self.folder / "host" / "assay.yaml")
        model = config.models[MODEL].delivery
        if model is None or config.delivery is None:
            return
        place = config.delivery.targets[TARGET]
        if isinstance(place, LocalTarget):
            setup = setup_local(
                place, model.serving, folder=self.state / "target",
                latency_ms=model.strategy.guards.latency_ms, checkout=ROOT, environ=os.environ,
            )  # fmt: skip
            Local(setup).close()


def show(run: RunResult) -> None:
    """Print how each job of a run ended."""
    for job in run.jobs:
        if job.result != "skipped":
            say(f"  {job.name}: {job.result} ({job.seconds:.0f} s)")
    if run.result != "success":
        say(f"  See {run.log}")


if __name__ == "__main__":
    sys.exit(main())
