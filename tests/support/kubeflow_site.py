"""The stand-in for Kubeflow's server as a process, in the environment of the kfp SDK."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from assay.act.ports import free_port
from assay.act.tools import Toolbox
from assay.training.build import Builder
from support.airflow_site import ROOT, until
from support.consumers import Recorder

STAND_IN = Path(__file__).with_name("kubeflow_stand_in.py")


def builder(cache: Path | None = None) -> Builder:
    """What makes the SDK's environment, once for a lock."""
    return Builder(
        root=ROOT,
        cache=cache or Toolbox.of(ROOT, os.environ, print).cache,
        variables=dict(os.environ),
        uv=str(ROOT / "toolkit" / "bin" / "uv"),
        kfp_lock=ROOT / "requirements" / "kfp.txt",
    )


@dataclass(kw_only=True)
class Site:
    """The stand-in, which keeps its runs in ``folder``."""

    folder: Path
    programs: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [str(self.programs / "python"), str(STAND_IN), str(self.port), str(self.folder)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PATH": f"{self.programs}:{os.environ['PATH']}"},
            )
        until(self.answers)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def end(self) -> None:
        self.kill()
        for file in self.folder.glob("run-*.pid"):
            with suppress(ProcessLookupError):
                os.killpg(int(file.read_text()), signal.SIGKILL)

    def answers(self) -> bool:
        try:
            return requests.get(f"{self.url}/apis/v2beta1/healthz", timeout=5).status_code < 500
        except requests.RequestException:
            return False

    def runs(self) -> list[dict[str, Any]]:
        return [json.loads(file.read_text()) for file in sorted(self.folder.glob("run-*.json"))]


@contextmanager
def kubeflow_site(folder: Path) -> Iterator[Site]:
    """Start a stand-in that keeps everything in ``folder``, and end it with its runs after."""
    folder.mkdir(parents=True)
    made = builder()
    assert made.kfp_lock is not None
    site = Site(folder=folder, programs=made.locked(made.kfp_lock, Recorder()))
    try:
        site.start()
        yield site
    finally:
        site.end()
