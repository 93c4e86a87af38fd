"""A consumer's repository in a scratch folder, and what runs its commands."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from assay.training.build import Builder
from assay.training.process import Redactor
from support.repositories import git_variables


@dataclass
class Recorder:
    """A transcript that keeps what it was shown."""

    titles: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    @contextmanager
    def foreign(self, title: str) -> Iterator[Callable[[str], None]]:
        """Keep a group's title and lines."""
        self.titles.append(title)
        yield self.lines.append

    def say(self, text: str) -> None:
        """Keep one of Assay's own lines."""
        self.said.append(text)


def variables(home: Path, **more: str) -> dict[str, str]:
    """A consumer's process variables: this interpreter first on PATH, nobody's settings."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    network = ("SSL_CERT_FILE", "UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL")
    kept = {name: os.environ[name] for name in network if name in os.environ}
    return {**git_variables(home), **kept, "PATH": path, "DVC_NO_ANALYTICS": "1",
            "DVC_SITE_CACHE_DIR": str(home / "dvc-site"), **more}  # fmt: skip


def builder(root: Path, home: Path, secrets: Mapping[str, str] | None = None) -> Builder:
    """A builder whose environments lie in ``home``."""
    declared = dict(secrets or {})
    return Builder(
        root=root,
        cache=home / "environments",
        variables=variables(home, **declared),
        inside=tuple(declared),
        redact=Redactor(tuple(declared.values())),
    )
