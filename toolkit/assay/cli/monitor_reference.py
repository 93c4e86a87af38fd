"""In a job: which evidence a look holds production against, by the version that answers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from assay.cli.console import say_aside

if TYPE_CHECKING:
    from assay.config import Monitoring
    from assay.gate.production import Seeking
    from assay.github.settings import Settings

_DIGEST = re.compile(r"[0-9a-f]{64}")
_FOLDER = "reference"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Whose reference is sought: the model, its log from ``root``, and the monitor's ``state``.

    ``known`` are the versions that may answer; empty: any.
    """

    model: str
    monitoring: Monitoring
    root: Path
    state: Path
    at: datetime
    known: frozenset[str] = frozenset()


def found_reference(settings: Settings, wanted: Wanted) -> Path | None:
    """Return a folder with reference.json or comparison.json of the version that answers.

    The log names it by its bundle's digest: that of ``bundle.json``, which the delivery's run keeps
    and which pins tree and evidence. Where the log names none, it is what the default branch's
    newest trusted run judged. None at a terminal, and where nothing is found: that is said.
    """
    from assay.gate.production import Seeking, newest_judged
    from assay.github.publish import client_of
    from assay.monitoring.answering import answering_version

    branch = settings.default_branch
    if not settings.in_actions or settings.token is None or branch is None:
        return None
    version = answering_version(
        wanted.model,
        wanted.monitoring,
        root=wanted.root,
        state=wanted.state,
        at=wanted.at,
        known=wanted.known,
    )
    client = client_of(settings)
    seeking = Seeking(
        client=client,
        model=wanted.model,
        branch=branch,
        folder=wanted.state / _FOLDER,
        say=say_aside,
    )
    try:
        if version is not None and _DIGEST.fullmatch(version):
            return _of_version(seeking, version)
        return newest_judged(seeking)
    finally:
        client.close()


def _of_version(seeking: Seeking, version: str) -> Path | None:
    from assay.errors import AssayError
    from assay.gate.production import KINDS, evidence_of_version, kept
    from assay.github.release_store import find_release
    from assay.packaging.bundle import EVIDENCE, Bundle

    if kept(seeking.folder / version):
        return seeking.folder / version
    try:
        text = find_release(seeking.client, seeking.model, version)
        if text is not None:
            bundle = Bundle.parse(text, file="bundle.json")
            files = {one.file: one.sha256 for one in bundle.files}
            wanted = {kind.FILE: f"{EVIDENCE}/{seeking.model}/{kind.FILE}" for kind in KINDS}
            digests = {name: files[file] for name, file in wanted.items() if file in files}
            return evidence_of_version(seeking, version, bundle.tree, digests)
        why = "no delivery's run keeps its bundle.json any more"
    except AssayError as error:
        why = error.message.rstrip(".")
    say_aside(
        f"What version {version[:12]} was like is not known: {why}. Name its bundle: --reference."
    )
    return None
