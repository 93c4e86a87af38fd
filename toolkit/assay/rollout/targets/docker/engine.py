"""The Docker Engine's HTTP API over its Unix socket: the six calls that a target needs."""

from __future__ import annotations

import http.client
import json
import socket
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from assay.errors import InputError, OutsideError

_SCHEME = "unix://"
_SECONDS = 60.0


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("docker", timeout=_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(_SECONDS)
        self.sock.connect(str(self._path))


@dataclass(frozen=True, kw_only=True)
class Engine:
    """A Docker Engine at a Unix socket. Every method raises OutsideError where it refuses."""

    path: Path

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Engine:
        """The engine that DOCKER_HOST names. Raises InputError where that is no Unix socket."""
        host = environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock"
        if not host.startswith(_SCHEME):
            raise InputError(
                f"DOCKER_HOST is {host}: the docker target needs the engine of its own host.",
                remedy="Name a Unix socket: unix:///var/run/docker.sock.",
            )
        return cls(path=Path(host.removeprefix(_SCHEME)))

    def create(self, name: str, settings: Mapping[str, Any]) -> None:
        """Make a container of the image in ``settings``, which must be on the host."""
        self._ask("POST", f"/containers/create?name={quote(name)}", settings)

    def start(self, name: str) -> None:
        """Start a container that was made."""
        self._ask("POST", f"/containers/{quote(name)}/start")

    def inspect(self, name: str) -> dict[str, Any] | None:
        """What the engine knows of a container; None where there is none of this name."""
        found = self._ask("GET", f"/containers/{quote(name)}/json", missing_is_fine=True)
        return json.loads(found) if found else None

    def kill(self, name: str, number: int) -> None:
        """Send a signal to a container; nothing where it does not run."""
        path = f"/containers/{quote(name)}/kill?signal={number}"
        self._ask("POST", path, missing_is_fine=True)

    def remove(self, name: str) -> None:
        """Remove a container, running or not."""
        path = f"/containers/{quote(name)}?force=1&v=1"
        self._ask("DELETE", path, missing_is_fine=True)

    def logs(self, name: str) -> bytes:
        """The last lines that a container printed."""
        path = f"/containers/{quote(name)}/logs?stdout=1&stderr=1&tail=50"
        return b"".join(_frames(self._ask("GET", path, missing_is_fine=True)))

    def _ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        missing_is_fine: bool = False,
    ) -> bytes:
        connection = _Connection(self.path)
        headers = {"Content-Type": "application/json"}
        try:
            connection.request(method, path, json.dumps(body) if body else None, headers)
            answer = connection.getresponse()
            found = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise OutsideError(
                f"no Docker Engine answers at {self.path}: {error}.",
                remedy="Start it, and let the controller's user open its socket.",
            ) from error
        finally:
            connection.close()
        # 304: it is so already; 409: it does not run (kill), or is being removed.
        if missing_is_fine and answer.status in {404, 409}:
            return b""
        if answer.status >= 400:
            raise OutsideError(f"the Docker Engine answers {answer.status}: {_message(found)}")
        return found


def _message(body: bytes) -> str:
    try:
        return str(json.loads(body)["message"])
    except (ValueError, KeyError, TypeError):
        return body.decode(errors="replace")[:300]


def _frames(stream: bytes) -> Iterator[bytes]:
    """The engine puts eight bytes before each piece: which stream, and how long."""
    place = 0
    while place + 8 <= len(stream):
        (length,) = struct.unpack(">I", stream[place + 4 : place + 8])
        yield stream[place + 8 : place + 8 + length]
        place += 8 + length
