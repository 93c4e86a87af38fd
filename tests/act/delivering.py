"""A toy consumer that delivers: its files, and what its runs leave on the remote."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from mlflow import MlflowClient

from assay.act.remote import Remote as GitRemote
from assay.act.result import RunResult
from assay.config import LocalTarget, load_config
from assay.packaging.keys import Trusted, new_key, public_key_of
from assay.rollout.controller.chain import Place
from assay.rollout.controller.intake import Rules
from assay.rollout.targets.local import Local, setup_local
from assay.state import (
    DESIRED,
    JOURNAL,
    Link,
    Remote,
    Signed,
    open_records,
    read_chain,
    read_intents,
)
from support.waiting import until as _until

from .gating import ROOT, TOY, Gated

DELIVER, ROLLOUT = "deliver.yml", "rollout.yml"
PRIVATE, PUBLIC = new_key()
SECRETS = {"ASSAY_SIGNING_KEY": PRIVATE.decode()}
SLUG, MODEL = "octo/toy", "toy"
SHIPPED = Path(__file__).with_name("shipped")
until = partial(_until, seconds=120.0, every=0.5)
"""Waits longer than a controller takes for what takes it a few seconds, on a busy machine."""


def caller(name: str, settings: str) -> str:
    """The template's caller with ``settings`` handed over beside its own."""
    text = (ROOT / "template-repo/.github/workflows" / name).read_text(encoding="utf-8")
    assert "    with: {" in text
    return text.replace("    with: {", f"    with: {{{settings}, ")


def delivering(
    ports: Mapping[str, int], *, approval: tuple[str, ...] = (), **settings: str
) -> dict[str, str | bytes]:
    """Lay a delivery to the targets of ``ports``, in their order, over the toy.

    ``settings`` are what each of the two callers hands over: ``deliver`` and ``rollout``.
    """
    config = (TOY / "assay.yaml").read_text(encoding="utf-8")
    section = f"    artifact: model\n    delivery: {{targets: [{', '.join(ports)}]}}\n"
    targets = "".join(
        f"    {name}: {{kind: local, port: {port}, python: {sys.executable}}}\n"
        for name, port in ports.items()
    )
    return {
        "assay.yaml": config.replace("    tests: null\n", f"    tests: null\n{section}")
        + f"delivery:\n  targets:\n{targets}"
        + f"  trust: {{keys: [signing.pub]}}\n  approval: [{', '.join(approval)}]\n",
        "train.py": (SHIPPED / "train.py").read_bytes(),
        "limit.txt": "1000\n",
        "signing.pub": PUBLIC,
        ".gitignore": "model/\npredictions.csv\n",
        f".github/workflows/{DELIVER}": caller(DELIVER, settings["deliver"]),
        f".github/workflows/{ROLLOUT}": caller(ROLLOUT, settings["rollout"]),
    }


def deliver(gated: Gated, before: str) -> RunResult:
    """Run deliver.yml for what main was moved to from ``before``."""
    return gated.harness.run(DELIVER, gated.harness.push_event("main", before=before))


def logs(run: RunResult) -> str:
    """Everything that the jobs of a run said."""
    return "\n".join(f"== {job.name}: {job.result}\n{job.log}" for job in run.jobs)


def records(gated: Gated) -> Remote:
    """The remote with both branches."""
    remote = gated.harness.remote
    return Remote(address=str(remote.path), environment=remote.env)


def intents(gated: Gated, target: str = "production") -> tuple[Signed, ...]:
    """What was asked of a target, oldest first."""
    with open_records(records(gated), DESIRED) as branch:
        return read_intents(branch, target, MODEL)


def decisions(gated: Gated, target: str) -> tuple[Link, ...]:
    """What a target's controller decided, as its journal's branch has it."""
    with open_records(records(gated), JOURNAL) as branch:
        return read_chain(branch, target, MODEL)


def rules(target: str = "production", *, approval: bool = False) -> Rules:
    """What a target's controller demands of an intent."""
    return Rules(
        place=Place(target=target, model=MODEL),
        trusted=Trusted(keys=(public_key_of(PRIVATE),)),
        repository=SLUG,
        approval=approval,
    )


def versions(uri: str) -> list[Any]:
    """The model's versions in the registry."""
    return list(MlflowClient(uri, registry_uri=uri).search_model_versions(f"name='{MODEL}'"))


@contextmanager
def controller(remote: GitRemote, folder: Path, target: str, registry: str) -> Iterator[None]:
    """Run the real controller of a target on a clone of its own; end it, and what it serves."""
    clone, state = folder / "clone", folder / "state"
    folder.mkdir(parents=True)
    kept = {key: value for key, value in os.environ.items() if not key.startswith("GITHUB_")}
    environment = {
        **kept,
        **remote.env,
        "PYTHONPATH": str(ROOT / "toolkit"),
        "MLFLOW_TRACKING_URI": registry,
    }
    words = ["git", "clone", "--quiet", str(remote.path), str(clone)]
    subprocess.run(words, env=environment, check=True)
    command = [
        *(sys.executable, "-m", "assay", "controller", "--target", target, "--model", MODEL),
        *("--repository", SLUG, "--state", str(state), "--listen", "off"),
        *("--poll", "2", "--interval", "0.5"),
    ]
    with (folder / "controller.log").open("w") as log:
        process = subprocess.Popen(
            command, cwd=clone, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=60)
            _end_servers(clone, target, state)


def _end_servers(clone: Path, target: str, state: Path) -> None:
    """A controller leaves running what it serves, for its next life."""
    config = load_config(clone / "assay.yaml")
    way = config.models[MODEL].delivery
    assert way is not None
    assert config.delivery is not None
    place = config.delivery.targets[target]
    assert isinstance(place, LocalTarget)
    setup = setup_local(
        place, way.serving, folder=state / "target", checkout=ROOT, environ=os.environ,
        latency_ms=way.strategy.guards.latency_ms,
    )  # fmt: skip
    Local(setup).close()
