"""How a controller is kept running: a systemd unit, a container, a Kubernetes manifest; hardened.

Each runs two processes that live and die apart: the controller and its watchdog.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from string import Template
from typing import Literal

from assay.errors import InputError
from assay.rollout.controller.chain import Place

Kind = Literal["systemd", "container", "kubernetes"]
KINDS: tuple[Kind, ...] = ("systemd", "container", "kubernetes")
_FILES: dict[Kind, dict[str, str]] = {
    "systemd": {
        "assay-controller-$name.service": "controller.service",
        "assay-watchdog-$name.service": "watchdog.service",
    },
    "container": {"Dockerfile": "Dockerfile", "compose.yaml": "compose.yaml"},
    "kubernetes": {"assay-controller-$name.yaml": "kubernetes.yaml"},
}
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-:@+=")


@dataclass(frozen=True, kw_only=True)
class Installation:
    """What the files are made from. ``checkout`` is where this toolkit lies on the host."""

    place: Place
    config: str
    checkout: str
    state: str
    user: str = "assay"
    image: str = "assay-controller:local"
    namespace: str = "default"
    environment: str = "delivery"
    """Which of the toolkit's environments: the one with the client of a cluster, or the other."""


def rendered(kind: Kind, made: Installation) -> dict[str, str]:
    """Return the files of one kind, by name.

    Raises InputError for a value that a unit or a manifest would read as something else.
    """
    values = {
        "name": f"{made.place.target}-{made.place.model}".replace("_", "-").replace(".", "-"),
        "target": made.place.target,
        "model": made.place.model,
        "config": made.config,
        "folder": made.config.rpartition("/")[0] or ".",
        "checkout": made.checkout,
        "state": made.state,
        "user": made.user,
        "image": made.image,
        "namespace": made.namespace,
        "environment": made.environment,
    }
    for name, value in values.items():
        if not value or not _PLAIN.issuperset(value):
            raise InputError(
                f"the {name} {value[:80]!r} cannot stand in a unit or a manifest.",
                remedy="Use letters, digits and / . _ - : @ + = only.",
            )
    folder = files("assay.rollout.controller") / "units"
    return {
        Template(name).substitute(values): Template(
            (folder / source).read_text(encoding="utf-8")
        ).substitute(values)
        for name, source in _FILES[kind].items()
    }
