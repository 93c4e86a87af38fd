"""What the registry is told of a version, as plain data; importing this loads no MLflow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

BUNDLE_FILE = "bundle.json"
TREE_TAG = "assay.tree"
DIGEST_TAG = "assay.artifact_digest"


@dataclass(frozen=True, kw_only=True)
class VersionFacts:
    """A version to register: its name, the tree it is of, its artifact digest, and its tags."""

    name: str
    tree: str
    digest: str
    description: str = ""
    more: Mapping[str, str] = field(default_factory=dict)

    @property
    def tags(self) -> dict[str, str]:
        """Everything that the registry keeps of it."""
        return {**self.more, TREE_TAG: self.tree, DIGEST_TAG: self.digest}


@dataclass(frozen=True, kw_only=True)
class Registered:
    """A version in the registry; ``created`` is False where it was there already."""

    version: str
    digest: str
    created: bool


@dataclass(frozen=True, kw_only=True)
class Difference:
    """An alias that was not what the journal says, by version numbers; None: no alias.

    ``registered`` is False where the version that is wanted is not there to be named;
    ``repaired`` also where only the difference was asked for.
    """

    alias: str
    found: str | None
    wanted: str | None
    repaired: bool
    registered: bool = True

    def __str__(self) -> str:
        """One sentence for the journal."""
        was = f"was version {self.found}" if self.found else "was not set"
        if not self.registered:
            return f"the alias {self.alias} {was}; what should have it is not registered"
        if not self.repaired:
            says = f"version {self.wanted}" if self.wanted else "none"
            return f"the alias {self.alias} {was}; the journal says {says}"
        now = f"is version {self.wanted} now" if self.wanted else "is taken away now"
        return f"the alias {self.alias} {was} and {now}"
