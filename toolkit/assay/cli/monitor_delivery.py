"""What a model's controllers and its registry tell a look: signs of life, and known versions.

A controller of this host is read from its state folder, without a network; any other from what it
pushed to ``assay/journal``. What cannot be asked is a note of the look, and never silence.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from assay.errors import AssayError, InputError

if TYPE_CHECKING:
    from assay.cli.chosen import Chosen
    from assay.config import Config
    from assay.monitoring.delivered import Delivered, Sign
    from assay.state import Link


@dataclass
class _Found:
    signs: list[Sign] = field(default_factory=list)
    versions: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)


def folders_of(given: Sequence[str]) -> dict[str, Path]:
    """Read ``TARGET=FOLDER``; raises InputError for what is not so."""
    found = {}
    for one in given:
        target, equals, folder = one.partition("=")
        if not (target and equals and Path(folder).is_dir()):
            raise InputError(
                f"--controller {one[:80]!r} is no TARGET=FOLDER.",
                remedy="Name the target and its controller's state folder: production=/var/lib/x.",
            )
        found[target] = Path(folder)
    return found


def delivered_of(
    read: Config, config: Path, model: str, places: Mapping[str, Path] = MappingProxyType({})
) -> Delivered:
    """Ask every target's controller, and the registry where the environment names one.

    `places` are state folders of controllers of this host, by target.
    """
    from assay.cli.chosen import choose
    from assay.monitoring.delivered import Delivered

    found, chosen = _Found(), read.models[model]
    for target in () if chosen.delivery is None else chosen.delivery.targets:
        try:
            _ask_target(choose(config, model, target, places.get(target)), found)
        except AssayError as error:
            found.notes.append(f"The records of {target} could not be read: {error.message}")
    named = os.environ.get("MLFLOW_REGISTRY_URI") or os.environ.get("MLFLOW_TRACKING_URI")
    if named and (chosen.artifact or chosen.delivery):
        try:
            found.versions |= _registered(read, model)
        except AssayError as error:
            found.notes.append(f"The registry could not be asked for versions: {error.message}")
    return Delivered(
        signs=tuple(found.signs), versions=frozenset(found.versions), notes=tuple(found.notes)
    )


def _ask_target(chosen: Chosen, found: _Found) -> None:
    if (chosen.state / "epoch").is_file():
        _ask_folder(chosen, found)
    else:
        _ask_branch(chosen, found)


def _ask_folder(chosen: Chosen, found: _Found) -> None:
    """A controller of this host: when its files were written last."""
    from assay.monitoring.delivered import JOURNAL_SILENCE, Sign
    from assay.rollout.controller.heartbeat import FILE
    from assay.rollout.controller.outbox import PUSHED
    from assay.state import chain_in

    folder, target = chosen.state, chosen.target_name
    begun = _written(folder / "epoch")
    found.signs += [
        Sign(
            name=f"controller {target}",
            last=_written(folder / FILE),
            silent_after=chosen.delivery.lost_after,
            begun=begun,
        ),
        Sign(
            name=f"journal {target}",
            last=_written(folder / PUSHED),
            silent_after=JOURNAL_SILENCE,
            begun=begun,
        ),
    ]
    journal = folder / "journal.jsonl"
    content = journal.read_bytes() if journal.is_file() else b""
    # A line that is being written right now is none yet.
    whole = content[: content.rfind(b"\n") + 1]
    found.versions |= _decided(chain_in(whole, file=journal.as_posix()))


def _ask_branch(chosen: Chosen, found: _Found) -> None:
    """A controller of another host: what it pushed last."""
    from assay.cli.records import records_remote
    from assay.evidence import Observed
    from assay.github.settings import read_settings
    from assay.monitoring.delivered import JOURNAL_SILENCE, Sign
    from assay.monitoring.times import time_of
    from assay.state import JOURNAL, observed_path, open_records, read_chain

    target, model = chosen.target_name, chosen.model_name
    settings = read_settings(os.environ)
    where = records_remote(chosen, "origin", settings.token if settings.in_actions else None)
    path = observed_path(target, model)
    with open_records(where, JOURNAL) as branch:
        files = branch.read(path).files
        found.versions |= _decided(read_chain(branch, target, model))
    if path not in files:
        found.notes.append(f"No controller of {target} has pushed anything to assay/journal yet.")
        return
    seen = Observed.parse(files[path].decode(errors="replace"), file=path)
    found.signs.append(
        Sign(name=f"journal {target}", last=time_of(seen.wall_time), silent_after=JOURNAL_SILENCE)
    )


def _registered(read: Config, model: str) -> frozenset[str]:
    from assay.cli.register import open_registry

    way = read.models[model].delivery
    name = (way.registered_name if way is not None else None) or model
    return open_registry().known_versions(name)


def _decided(links: Iterable[Link]) -> set[str]:
    """The versions that were let in; one that was refused alone is not known by that."""
    from assay.evidence import DecisionKind

    versions: set[str] = set()
    for link in links:
        facts = link.facts
        versions |= {str(one["artifact_digest"]) for one in facts.get("weights", ())}
        if facts["kind"] != DecisionKind.REJECTED and facts.get("artifact_digest"):
            versions.add(str(facts["artifact_digest"]))
    return versions


def _written(path: Path) -> datetime | None:
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except OSError:
        return None
