"""A real Airflow on this machine: API server, scheduler and DAG processor, SQLite, free ports."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import requests

from assay.act.ports import free_port
from assay.act.tools import Toolbox
from assay.training.build import Builder
from support.consumers import Recorder
from support.waiting import until as _until

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "a-password-of-tests"
_PARTS = {
    "api-server": ("api-server",),
    "scheduler": ("scheduler", "--skip-serve-logs"),
    "dag-processor": ("dag-processor",),
}
_SECONDS = 240.0
until = partial(_until, seconds=_SECONDS, every=0.25)


def programs() -> Path:
    """Return the folder of Airflow's programs, in an environment made from its lock once."""
    toolbox = Toolbox.of(ROOT, os.environ, print)
    builder = Builder(
        root=ROOT,
        cache=toolbox.cache,
        variables=dict(os.environ),
        uv=str(ROOT / "toolkit" / "bin" / "uv"),
    )
    return builder.locked(ROOT / "requirements" / "airflow.txt", Recorder())


@dataclass(kw_only=True)
class Site:
    """An Airflow that runs in ``folder``; ``start`` and ``kill`` take the name of a part."""

    folder: Path
    programs: Path
    port: int = field(default_factory=free_port)
    log_port: int = field(default_factory=free_port)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def dags(self) -> Path:
        return self.folder / "dags"

    def variables(self) -> dict[str, str]:
        path = f"{self.programs}:{ROOT / '.venv' / 'bin'}:{os.environ['PATH']}"
        kept = {name: os.environ[name] for name in ("SSL_CERT_FILE", "TZ") if name in os.environ}
        return {
            **kept,
            "PATH": path,
            "HOME": str(self.folder),
            "DVC_NO_ANALYTICS": "1",
            "AIRFLOW_HOME": str(self.folder),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__PARALLELISM": "2",
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{self.url}/execution/",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "assay:admin",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(self.folder / "passwords"),
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(self.port),
            "AIRFLOW__API__BASE_URL": self.url,
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__API__SECRET_KEY": self.secret,
            "AIRFLOW__API_AUTH__JWT_SECRET": self.secret,
            # A task outlives the server that is killed under it, for as long as a test takes.
            "AIRFLOW__WORKERS__MAX_FAILED_HEARTBEATS": "1000",
            "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(self.log_port),
            "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "5",
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        }

    @property
    def secret(self) -> str:
        file = self.folder / "secret"
        if not file.exists():
            file.write_text(secrets.token_hex(32))
        return file.read_text()

    def make(self) -> None:
        self.dags.mkdir(parents=True)
        (self.folder / "passwords").write_text(json.dumps({"assay": PASSWORD}))
        done = subprocess.run(
            [self.programs / "airflow", "db", "migrate"],
            env=self.variables(), capture_output=True, text=True, check=False, timeout=_SECONDS,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]

    def start(self, part: str) -> None:
        with (self.folder / f"{part}.log").open("ab") as log:
            self.processes[part] = subprocess.Popen(
                [str(self.programs / "airflow"), *_PARTS[part]],
                cwd=self.folder,
                env=self.variables(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def kill(self, part: str) -> None:
        process = self.processes.pop(part)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def ask(self, method: str, path: str, **more: Any) -> requests.Response:
        login = {"username": "assay", "password": PASSWORD}
        token = requests.post(f"{self.url}/auth/token", json=login, timeout=30).json()
        headers = {"Authorization": f"Bearer {token['access_token']}"}
        return requests.request(
            method, f"{self.url}/api/v2{path}", headers=headers, timeout=30, **more
        )

    def runs(self, dag: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.ask("GET", f"/dags/{dag}/dagRuns").json()["dag_runs"]
        return found

    def answers(self) -> bool:
        try:
            return requests.get(f"{self.url}/api/v2/version", timeout=5).ok
        except requests.RequestException:
            return False

    def has(self, dag: str) -> bool:
        return self.ask("GET", f"/dags/{dag}").status_code == 200


@contextmanager
def airflow_site(folder: Path) -> Iterator[Site]:
    """Start an Airflow that keeps everything in ``folder``, and end it after."""
    site = Site(folder=folder, programs=programs())
    site.make()
    try:
        for part in _PARTS:
            site.start(part)
        until(site.answers)
        yield site
    finally:
        for part in list(site.processes):
            site.kill(part)
