"""What a local target is made of, and how it is made from the configuration."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from assay.config.delivery import LocalTarget, Serving
from assay.errors import InputError
from assay.rollout.targets.local.environment import Environments
from assay.rollout.targets.local.processes import Program, Supervised
from assay.rollout.targets.local.programs import Programs
from assay.rollout.targets.local.workers import HOST


@dataclass(frozen=True, kw_only=True)
class Setup:
    """``folder`` keeps its files, ``envoy`` is the program, ``latency_ms`` what is slow."""

    folder: Path
    host: str
    port: int
    serving: Serving
    latency_ms: float
    envoy: Path
    environments: Environments
    environ: Mapping[str, str] = field(repr=False)
    clock: Callable[[], float] = time.monotonic
    supervised: Callable[[Path], Supervised] = Program
    listens: str = HOST
    metrics_port: int = 0


def setup_local(
    config: LocalTarget,
    serving: Serving,
    *,
    folder: Path,
    latency_ms: float,
    checkout: Path,
    environ: Mapping[str, str],
) -> Setup:
    """Take the target's configuration and the checkout of the toolkit; installs Envoy once.

    Raises InputError for a Python that is not there, OutsideError where Envoy cannot be installed.
    """
    python = Path(config.python) if config.python else None
    if python is not None and not python.is_file():
        raise InputError(f"python: {python} is not there.", remedy="Name an interpreter's path.")
    programs = Programs.of(checkout, environ)
    return Setup(
        folder=folder,
        host=config.host,
        port=config.port,
        serving=serving,
        latency_ms=latency_ms,
        envoy=programs.envoy(),
        environments=Environments(
            uv=programs.uv, cache=programs.cache, variables=environ, python=python
        ),
        environ=environ,
        metrics_port=config.metrics_port,
    )
