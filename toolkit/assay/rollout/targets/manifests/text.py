"""Manifests as YAML: the same bytes for the same objects."""

from __future__ import annotations

from collections.abc import Sequence

import yaml

from assay.rollout.targets.manifests.names import Manifest


class _Plain(yaml.SafeDumper):
    """Writes a value that occurs twice twice: anchors are hard to read in a diff."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002
        return True


def as_yaml(manifests: Sequence[Manifest]) -> str:
    """Return the objects as one YAML stream, keys in the order in which they were made."""
    return yaml.dump_all(
        manifests, Dumper=_Plain, sort_keys=False, default_flow_style=False, width=100
    )
