"""A real container registry (CNCF Distribution) on loopback, and a base image to build on."""

from __future__ import annotations

import base64
import http.client
import io
import json
import os
import shutil
import subprocess
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from assay.act.ports import free_port
from support.docker_engine import docker, engine, import_python_image

USERNAME, PASSWORD = "pusher", "pushes-and-pulls"
"""Worth nothing anywhere else; HASHED is bcrypt of the password."""
HASHED = "$2b$05$XEk.fK6IN12yu.Upx/M4S.J3N6koJF7oIwffwsZRINualCUleztXe"
CREDENTIALS = f"USERNAME={USERNAME}\nPASSWORD={PASSWORD}\n"
_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
_START_SECONDS = 60


@dataclass(frozen=True)
class ContainerRegistry:
    """Where it listens, for whoever knows the password."""

    address: str

    def manifest(self, name: str, reference: str) -> tuple[str, dict[str, Any]]:
        """The digest that the registry gives a tag or a digest, and the manifest."""
        answer, body = self._get(f"/v2/{name}/manifests/{reference}")
        return answer.headers["Docker-Content-Digest"], json.loads(body)

    def labels(self, name: str, reference: str) -> dict[str, str]:
        """The labels in the configuration of an image."""
        config = self.manifest(name, reference)[1]["config"]["digest"]
        found: dict[str, str] = json.loads(self._get(f"/v2/{name}/blobs/{config}")[1])["config"][
            "Labels"
        ]
        return found

    def tags(self, name: str) -> list[str]:
        """Every tag of a repository."""
        found: list[str] = json.loads(self._get(f"/v2/{name}/tags/list")[1])["tags"]
        return found

    def _get(self, path: str) -> tuple[http.client.HTTPResponse, bytes]:
        connection = http.client.HTTPConnection(self.address, timeout=20)
        word = base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()
        connection.request(
            "GET", path, headers={"Authorization": f"Basic {word}", "Accept": _MANIFEST}
        )
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        assert answer.status == http.HTTPStatus.OK, (path, answer.status, body[:300])
        return answer, body


def image_parts(host: str) -> tuple[str, str]:
    """A base and the text of a lock that an image can be made of, with an engine at ``host``."""
    names = ("mlflow-skinny", "pandas", "pyarrow", "uvicorn")
    lock = "".join(f"{name}==1.0 --hash=sha256:{'b' * 64}\n" for name in names)
    return base_with_pip(host), lock


@contextmanager
def container_registry(folder: Path) -> Iterator[ContainerRegistry]:
    """Start one that keeps everything in ``folder``, and end it after; skip where there is none."""
    program = shutil.which("docker-registry")
    if program is None:
        pytest.skip("there is no container registry here: apt-get install docker-registry")
    folder.mkdir(parents=True)
    address = f"127.0.0.1:{free_port()}"
    (folder / "people").write_text(f"{USERNAME}:{HASHED}\n")
    settings = {
        "version": "0.1",
        "storage": {"filesystem": {"rootdirectory": str(folder / "data")}},
        "http": {"addr": address, "secret": "of this test alone"},
        "auth": {"htpasswd": {"realm": "tests", "path": str(folder / "people")}},
    }
    (folder / "config.yml").write_text(yaml.safe_dump(settings))
    log = folder / "log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [program, "serve", str(folder / "config.yml")], stdout=output, stderr=output
        )
    try:
        _await(address, process, log)
        yield ContainerRegistry(address)
    finally:
        process.terminate()
        process.wait(timeout=30)


@contextmanager
def image_engine() -> Iterator[str]:
    """A Docker Engine's DOCKER_HOST, for as long as the block lasts; skip where there is none."""
    if shutil.which("docker") is None:
        pytest.skip("there is no Docker Engine here: apt-get install docker.io")
    with engine(os.getuid()) as found:
        yield found


def _await(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        connection = http.client.HTTPConnection(address, timeout=5)
        try:
            connection.request("GET", "/v2/")
            if connection.getresponse().status == http.HTTPStatus.UNAUTHORIZED:
                return
        except OSError:
            time.sleep(0.1)
        finally:
            connection.close()


def base_with_pip(host: str) -> str:
    """Make a base image and return its id; its pip only notes what it was asked.

    There is no index to install from inside a build here.
    """
    import_python_image(host, "assay-tests/base:1")
    files = {
        "Dockerfile": "FROM assay-tests/base:1\nCOPY pip.py /usr/local/lib/python/pip.py\n"
        "ENV PYTHONPATH=/usr/local/lib/python\n",
        "pip.py": "import sys\nopen('/asked', 'w').write(' '.join(sys.argv[1:]))\n",
    }
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(text), 0o644
            tar.addfile(entry, io.BytesIO(text.encode()))
    docker(host, "build", "--tag", "assay-tests/base:2", "-", stdin=packed.getvalue())
    return docker(host, "image", "inspect", "--format", "{{.Id}}", "assay-tests/base:2")
