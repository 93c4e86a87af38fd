"""The environment the consumer's commands run in, once it is there."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from assay.training.process import Ended, Redactor, Transcript, run_streamed
from assay.training.variables import ALWAYS

SHELL = ("bash", "-euo", "pipefail", "-c")
"""Commands of the configuration are bash: the first that fails ends the line."""


@dataclass(frozen=True, kw_only=True)
class Container:
    """A container image; ``mounts`` appear inside under the paths they have outside."""

    image: str
    mounts: tuple[Path, ...]

    def arguments(self, name: str, cwd: Path, variables: Iterable[str]) -> list[str]:
        """Return the ``docker run`` of a shell command; variables go by name, not by value."""
        mounts = [part for place in self.mounts for part in ("--volume", f"{place}:{place}")]
        named = [part for variable in sorted(set(variables)) for part in ("--env", variable)]
        return [
            "docker", "run", "--rm", "--init", "--name", name,
            "--user", f"{os.getuid()}:{os.getgid()}",
            "--workdir", cwd.as_posix(), *mounts, *named,
            "--entrypoint", SHELL[0], self.image, *SHELL[1:],
        ]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ConsumerEnvironment:
    """Runs shell commands as the consumer would.

    ``variables`` is the whole environment of a process; ``inside`` names those that also exist
    inside a container. ``digest`` is that of the lock it was built from, ``path`` the folders put
    first on PATH, ``last`` those put last.
    """

    kind: str
    variables: Mapping[str, str] = field(repr=False)
    inside: tuple[str, ...] = ()
    digest: str | None = None
    python: str | None = None
    path: tuple[Path, ...] = ()
    last: tuple[Path, ...] = ()
    prefix: tuple[str, ...] = ()
    container: Container | None = None
    redact: Redactor = field(default_factory=Redactor, repr=False)

    def run(
        self,
        command: str,
        *,
        cwd: Path,
        timeout: float,
        transcript: Transcript,
        extra: Mapping[str, str] | None = None,
        title: str | None = None,
    ) -> Ended:
        """Run ``command`` in ``cwd`` with bash; its output goes to ``transcript``.

        ``extra`` are further variables. Raises OutsideError where it cannot be started.
        """
        added = dict(extra or {})
        variables = self._process_variables(added)
        name = f"assay-{secrets.token_hex(8)}"
        ended: Ended | None = None
        with transcript.foreign(title or command) as write:
            try:
                ended = run_streamed(
                    self._arguments(command, name, cwd, added),
                    cwd=cwd,
                    variables=variables,
                    timeout=timeout,
                    write=write,
                )
            finally:
                if self.container is not None and (ended is None or ended.code is None):
                    _remove_container(name, cwd, variables, write)
        tail = tuple(self.redact(line) for line in ended.tail)
        return Ended(code=ended.code, seconds=ended.seconds, tail=tail)

    def find(self, program: str) -> str | None:
        """Return where ``program`` is found in this environment; None inside a container."""
        if self.container is not None:
            return None
        return shutil.which(program, path=self._process_variables({})["PATH"])

    def _arguments(self, command: str, name: str, cwd: Path, extra: Mapping[str, str]) -> list[str]:
        if self.container is None:
            return [*self.prefix, *SHELL, command]
        visible = (*self.inside, *extra, *ALWAYS, "HOME")
        return [*self.container.arguments(name, cwd, visible), command]

    def _process_variables(self, extra: Mapping[str, str]) -> dict[str, str]:
        inherited = self.variables.get("PATH", os.defpath)
        path = os.pathsep.join([*map(str, self.path), inherited, *map(str, self.last)])
        found = {**self.variables, **extra, "PATH": path}
        if self.container is not None:
            # The image knows no home for this user; the client keeps its own configuration.
            home = self.variables.get("HOME", "")
            found.setdefault("DOCKER_CONFIG", f"{home}/.docker")
            found["HOME"] = "/tmp"  # noqa: S108 -- inside the container
        return found


def _remove_container(
    name: str, cwd: Path, variables: Mapping[str, str], write: Callable[[str], None]
) -> None:
    """End a container whose client was stopped, and wait until it is gone.

    Most end with their client; one that ignores its signals does not.
    """

    def show(line: str) -> None:
        if "No such container" not in line:
            write(line)

    run_streamed(
        ["docker", "rm", "--force", "--volumes", name],
        cwd=cwd,
        variables=variables,
        timeout=60,
        write=show,
    )
