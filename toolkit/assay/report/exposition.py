"""Families of gauges as text that OpenMetrics and Prometheus's own format both read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

Sample = tuple[Mapping[str, str], float | None]
"""Labels and a value; None is not there."""


@dataclass(frozen=True, kw_only=True)
class Family:
    """Gauges of one name."""

    name: str
    help: str
    samples: tuple[Sample, ...]


def exposition(families: Iterable[Family]) -> str:
    """Return the families as a whole file; those without a sample are left out."""
    lines = []
    for family in families:
        lines += family_lines(family.name, family.help, family.samples)
    return "\n".join([*lines, "# EOF"]) + "\n"


def family_lines(name: str, text: str, samples: Iterable[Sample]) -> list[str]:
    """Return the lines of one family, or none where it has no sample."""
    found = [
        f"{name}{{{_labels(labels)}}} {float(value)!r}"
        for labels, value in samples
        if value is not None
    ]
    return [f"# TYPE {name} gauge", f"# HELP {name} {text}", *found] if found else []


def _labels(labels: Mapping[str, str]) -> str:
    return ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
