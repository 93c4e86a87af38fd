"""The consumer's container image: built or named, run by the Docker Engine."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping
from pathlib import Path

from assay.errors import Location, OutsideError
from assay.training.environment import Container
from assay.training.process import Ended, Transcript, run_streamed

_SECONDS = 3600.0


def build_image(
    kind: str, source: str, *, root: Path, variables: Mapping[str, str], transcript: Transcript
) -> tuple[Container, str]:
    """Build the image of a Dockerfile, or fetch the one that is named; return it and its digest.

    Raises OutsideError where no Docker Engine runs or the image cannot be had.
    """
    if shutil.which("docker", path=variables.get("PATH")) is None:
        raise OutsideError(
            f"environment.{kind} needs the docker program, and it is not on PATH.",
            remedy="Install Docker Engine on the runner.",
        )
    run = _Docker(root, variables, transcript)
    _engine(run, kind)
    if kind == "dockerfile":
        file = Path(source)
        tag = f"assay-{hashlib.sha256(source.encode()).hexdigest()[:12]}"
        run.must(
            # --force-rm: without BuildKit a step that fails would leave its container behind.
            ["build", "--quiet", "--force-rm", "--tag", tag, "--file", str(file), str(file.parent)],
            f"building {file.name}",
        )
    else:
        tag = source
        if not run.do(["image", "inspect", "--format", "present", tag]).succeeded:
            run.must(["pull", "--quiet", tag], f"fetching {tag}")
    digest = run.must(["image", "inspect", "--format", "{{.Id}}", tag], f"inspecting {tag}")
    return Container(image=tag, mounts=(root,)), digest.removeprefix("sha256:")


def _engine(run: _Docker, kind: str) -> None:
    asked = run.do(["version", "--format", "{{.Server.Version}}"])
    if not asked.succeeded:
        said = asked.why("`docker version`", _SECONDS)
        raise OutsideError(
            f"environment.{kind} needs a running Docker Engine ({said}).",
            remedy="Start it, or name another kind of environment.",
        )


class _Docker:
    """The docker program with this run's variables."""

    def __init__(self, cwd: Path, variables: Mapping[str, str], transcript: Transcript) -> None:
        self._cwd = cwd
        self._variables = variables
        self._transcript = transcript

    def do(self, arguments: list[str]) -> Ended:
        """Run one docker command, showing what it prints."""
        with self._transcript.foreign(f"docker {arguments[0]}") as write:
            return run_streamed(
                ["docker", *arguments],
                cwd=self._cwd,
                variables=self._variables,
                timeout=_SECONDS,
                write=write,
            )

    def must(self, arguments: list[str], doing: str) -> str:
        """Run one docker command and return its last line; raises OutsideError where it fails."""
        ended = self.do(arguments)
        if not ended.succeeded:
            raise OutsideError(
                f"{ended.why(doing, _SECONDS)}.",
                where=Location(file="Dockerfile") if arguments[0] == "build" else None,
            )
        return ended.tail[-1].strip() if ended.tail else ""
