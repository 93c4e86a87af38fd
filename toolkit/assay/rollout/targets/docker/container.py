"""A scoring server in a container: what :class:`Supervised` asks for, by the engine's means."""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.errors import OutsideError
from assay.rollout.targets.docker.engine import Engine
from assay.rollout.targets.local.processes import Launch

_RECORD = "assay.record"
_MOST_PROCESSES = 1_024


@dataclass(frozen=True, kw_only=True)
class Image:
    """What containers are made of."""

    name: str
    network: str


@dataclass(frozen=True, kw_only=True)
class Container:
    """The container of one record; its name follows from the record's path, so it is found again.

    Nobody else's container is touched: the label must name the record too.
    """

    engine: Engine
    image: Image
    record: Path

    @property
    def name(self) -> str:
        """Unique on this host."""
        return f"assay-{hashlib.sha256(str(self.record).encode()).hexdigest()[:24]}"

    def start(self, launch: Launch) -> None:
        """Start it anew; what the one before said last is kept in the log."""
        if self._ours():
            with contextlib.suppress(OSError, OutsideError):
                launch.log.write_bytes(self.engine.logs(self.name))
            self.engine.remove(self.name)
        self.engine.create(self.name, self._settings(launch))
        self.engine.start(self.name)

    def alive(self) -> bool:
        """Whether it runs."""
        found = self._ours()
        return bool(found and found["State"]["Running"])

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to its first process."""
        if self.alive():
            self.engine.kill(self.name, number)

    def forget(self) -> None:
        """Remove it."""
        if self._ours():
            self.engine.remove(self.name)

    def _ours(self) -> dict[str, Any] | None:
        found = self.engine.inspect(self.name)
        if found is None or found["Config"]["Labels"].get(_RECORD) != str(self.record):
            return None
        return found

    def _settings(self, launch: Launch) -> dict[str, Any]:
        """No right, nothing writable but its logs, no more memory of the host than a process."""
        binds = [f"{place}:{place}:ro" for place in launch.reads]
        binds += [f"{place}:{place}" for place in launch.writes]
        host: dict[str, Any] = {
            "Binds": binds,
            "NetworkMode": self.image.network,
            "ReadonlyRootfs": True,
            "Tmpfs": {"/tmp": "rw,noexec,nosuid,size=256m"},  # noqa: S108 -- the container's own
            "CapDrop": ["ALL"],
            "SecurityOpt": ["no-new-privileges"],
            "PidsLimit": _MOST_PROCESSES,
            "LogConfig": {"Type": "json-file", "Config": {"max-size": "16m", "max-file": "1"}},
        }
        settings: dict[str, Any] = {
            "Image": self.image.name,
            "Entrypoint": launch.command[:1],
            "Cmd": launch.command[1:],
            "WorkingDir": str(launch.cwd),
            "User": f"{os.getuid()}:{os.getgid()}",
            "Env": ["HOME=/tmp"],
            "Labels": {_RECORD: str(self.record)},
            "StopTimeout": 60,
            "HostConfig": host,
        }
        if self.image.network != "host":
            port = f"{launch.port}/tcp"
            settings["ExposedPorts"] = {port: {}}
            host["PortBindings"] = {port: [{"HostIp": "127.0.0.1", "HostPort": str(launch.port)}]}
        return settings
