"""A Kubernetes control plane of the tests' own: a real etcd and a real API server, without nodes.

Both are one Go program (tests/kubernetes/apiserver), built once for its pins and kept in the
user's cache. No controllers run in it: a test writes the statuses that they would write.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
import yaml
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from kubernetes import client

from assay.act.ports import free_port
from assay.act.tools import Toolbox

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "tests" / "kubernetes" / "apiserver"
ARGO = ROOT / "tests" / "kubernetes" / "argo"
_DEFINITIONS = (
    ("sigs.k8s.io/gateway-api", SOURCE, "config/crd/standard"),
    ("github.com/argoproj/argo-rollouts", ARGO, "manifests/crds"),
)
"""Go modules that carry resource definitions: name, the folder that pins it, and where."""
_START_SECONDS = 120
_TOKEN = "of-the-tests"


@dataclass(frozen=True, kw_only=True)
class Built:
    """The program, and the resource definitions of the Gateway API and of Argo Rollouts."""

    program: Path
    definitions: tuple[dict[str, Any], ...]


def build() -> Built:
    """Return the program of these pins, built if it is not in the cache."""
    toolbox = Toolbox.of(ROOT, os.environ, print)
    pins = [SOURCE / name for name in ("go.mod", "go.sum", "main.go")]
    pins += [ARGO / name for name in ("go.mod", "go.sum")]
    digest = hashlib.sha256(b"\0".join(pin.read_bytes() for pin in pins)).hexdigest()[:16]
    place = toolbox.cache / f"control-plane-{digest}"
    go = [str(toolbox.go())]
    variables = {**os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly"}
    toolbox.cache.mkdir(parents=True, exist_ok=True)
    with (toolbox.cache / "control-plane.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (place / "whole").exists():
            place.mkdir(exist_ok=True)
            made = ["build", "-trimpath", "-ldflags=-s -w", "-o", str(place / "control"), "."]
            subprocess.run([*go, *made], cwd=SOURCE, env=variables, check=True)
            for module, source, inside in _DEFINITIONS:
                found = subprocess.run(
                    [*go, "mod", "download", "-json", module],
                    cwd=source, env=variables, check=True, capture_output=True,
                )  # fmt: skip
                folder = Path(json.loads(found.stdout)["Dir"]) / inside
                shutil.copytree(folder, place / "definitions", dirs_exist_ok=True)
            (place / "whole").touch()
    files = sorted((place / "definitions").glob("*.yaml"))
    loaded = [one for file in files for one in yaml.safe_load_all(file.read_text())]
    wanted = ("CustomResourceDefinition",)
    return Built(
        program=place / "control",
        definitions=tuple(one for one in loaded if one and one["kind"] in wanted),
    )


@dataclass(kw_only=True)
class ControlPlane:
    """A control plane that runs; ``kill`` and ``start`` end and start its API server alone."""

    built: Built
    folder: Path
    etcd_port: int
    peer_port: int
    port: int
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where the API answers."""
        return f"https://127.0.0.1:{self.port}"

    @property
    def authority(self) -> Path:
        """The certificate that the API server made for itself."""
        return self.folder / "certificates" / "apiserver.crt"

    def client(self, token: str = _TOKEN) -> client.ApiClient:
        """A client of the cluster: its owner's, or the one whom ``token`` names."""
        configuration = client.Configuration()
        configuration.host = self.url
        configuration.ssl_ca_cert = str(self.authority)
        configuration.api_key = {"authorization": f"Bearer {token}"}
        configuration.retries = False
        return client.ApiClient(configuration)

    def start_etcd(self) -> None:
        """Start etcd."""
        url = f"http://127.0.0.1:{self.etcd_port}"
        peer = f"http://127.0.0.1:{self.peer_port}"
        self._run("etcd", [
            "etcd", "--data-dir", str(self.folder / "etcd"), "--log-level", "error",
            "--listen-client-urls", url, "--advertise-client-urls", url,
            "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
            "--initial-cluster", f"default={peer}", "--unsafe-no-fsync",
        ])  # fmt: skip

    def start(self) -> None:
        """Start the API server, and wait until it answers."""
        key = self.folder / "service-accounts.key"
        self._run("api", [
            f"--etcd-servers=http://127.0.0.1:{self.etcd_port}",
            "--bind-address=127.0.0.1", f"--secure-port={self.port}",
            f"--cert-dir={self.folder / 'certificates'}",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={key}", f"--service-account-signing-key-file={key}",
            "--authorization-mode=RBAC", f"--token-auth-file={self.folder / 'tokens.csv'}",
            "--service-cluster-ip-range=10.0.0.0/24",
        ])  # fmt: skip
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            log = (self.folder / "api.log").read_text(errors="replace")[-3000:]
            assert self.processes["api"].poll() is None, f"the API server ended:\n{log}"
            assert time.monotonic() < deadline, f"the API server does not answer:\n{log}"
            time.sleep(0.1)

    def kill(self) -> None:
        """End the API server as a crash would."""
        self.processes["api"].kill()
        self.processes["api"].wait()

    def end(self) -> None:
        """End both."""
        for process in reversed(self.processes.values()):
            process.kill()
            process.wait()

    def _run(self, name: str, arguments: list[str]) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            command = [str(self.built.program), *arguments]
            self.processes[name] = subprocess.Popen(command, stdout=log, stderr=log)

    def _answers(self) -> bool:
        if not self.authority.exists():
            return False
        headers = {"Authorization": f"Bearer {_TOKEN}"}
        try:
            answer = requests.get(
                f"{self.url}/readyz", headers=headers, verify=str(self.authority), timeout=5
            )
        except (OSError, ValueError):
            return False
        return answer.status_code == 200


@contextmanager
def control_plane(folder: Path) -> Iterator[ControlPlane]:
    """Start one that knows the Gateway API and Argo Rollouts; it ends with the block."""
    built = build()
    etcd, peer, port = free_port(), free_port(), free_port()
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    (folder / "service-accounts.key").write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    )
    (folder / "tokens.csv").write_text(f'{_TOKEN},owner,1,"system:masters"\n')
    plane = ControlPlane(built=built, folder=folder, etcd_port=etcd, peer_port=peer, port=port)
    try:
        plane.start_etcd()
        plane.start()
        _define(plane)
        yield plane
    finally:
        plane.end()


def _define(plane: ControlPlane) -> None:
    """Create the kinds, and wait until they are served."""
    api = client.CustomObjectsApi(plane.client())
    group, version = "apiextensions.k8s.io", "v1"
    for each in plane.built.definitions:
        api.create_cluster_custom_object(group, version, "customresourcedefinitions", each)
    deadline = time.monotonic() + 30
    while True:
        found = api.list_cluster_custom_object(group, version, "customresourcedefinitions")
        served = [
            one
            for each in found["items"]
            for one in (each.get("status") or {}).get("conditions") or []
            if one["type"] == "Established" and one["status"] == "True"
        ]
        if len(served) == len(plane.built.definitions):
            return
        assert time.monotonic() < deadline, "the kinds are not served"
        time.sleep(0.1)
