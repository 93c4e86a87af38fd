"""The local target with its scoring servers in containers of the host's Docker Engine.

Envoy stays a process of the host. A container gets the bundle read-only, folders for its logs, no
capability, and no variable of the controller's.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from assay.config.delivery import DockerTarget, Serving
from assay.rollout.targets.docker.container import Container, Image
from assay.rollout.targets.docker.engine import Engine
from assay.rollout.targets.local.environment import Environments
from assay.rollout.targets.local.programs import Programs
from assay.rollout.targets.local.setup import Setup
from assay.rollout.targets.local.workers import HOST

__all__ = ["setup_docker"]


def setup_docker(
    config: DockerTarget,
    serving: Serving,
    *,
    folder: Path,
    latency_ms: float,
    checkout: Path,
    environ: Mapping[str, str],
) -> Setup:
    """What :class:`assay.rollout.targets.local.Local` is made of, for a docker target.

    Raises InputError where DOCKER_HOST is no Unix socket, OutsideError where Envoy cannot be
    installed.
    """
    engine = Engine.of(environ)
    image = Image(name=config.image, network=config.network)
    programs = Programs.of(checkout, environ)

    def supervised(record: Path) -> Container:
        return Container(engine=engine, image=image, record=record)

    return Setup(
        folder=folder.resolve(),
        host=config.host,
        port=config.port,
        serving=serving,
        latency_ms=latency_ms,
        envoy=programs.envoy(),
        # The image has what the model needs; nothing is built here.
        environments=Environments(
            uv=programs.uv, cache=programs.cache, variables=environ, python=Path(config.python)
        ),
        environ=environ,
        supervised=supervised,
        metrics_port=config.metrics_port,
        listens=HOST if config.network == "host" else "0.0.0.0",  # noqa: S104 -- its own
    )
