"""Where a version is served, which one it is, and what it promised: all that staging asks about."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from assay.errors import InputError, IntegrityError, Location, OutsideError

if TYPE_CHECKING:
    from assay.cli.stage_parts import Sought
    from assay.packaging.bundle import Bundle
    from assay.rollout.load_test import Contender
    from assay.rollout.smoke.client import Client
    from assay.rollout.smoke.promised import Promised
    from assay.rollout.targets.local.looking import Running
    from assay.tables.scored_rows import Sample

_DIGEST = re.compile(r"[0-9a-f]{64}")
_BEYOND = 5.0
"""Seconds that a client waits longer than the server may take."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """One served version; ``running`` are the versions of a local target, by digest."""

    address: str
    digest: str
    folder: Path
    bundle: Bundle
    seconds: float
    running: dict[str, Running]
    previous: str | None = None
    """What the controller says served before; None also where it was not asked."""
    first: bool = False
    """Nothing served here before."""

    def client(self, address: str | None = None) -> Client:
        """A client of the version, or of another address."""
        from assay.rollout.smoke.client import Client

        return Client(address=address or self.address, seconds=self.seconds)


def place_of(sought: Sought) -> Place:
    """Find the version and its address.

    Raises InputError where the options do not say enough, OutsideError where nothing runs here,
    IntegrityError for a bundle that is not what it says.
    """
    from assay.config.delivery import DockerTarget, LocalTarget
    from assay.rollout.targets.local.looking import look

    chosen = sought.chosen
    seconds = chosen.way.serving.request_seconds + _BEYOND
    if sought.url is not None:
        return _place_at(sought.url, sought.bundle, seconds)
    if not isinstance(chosen.target, LocalTarget | DockerTarget):
        raise InputError(
            f"a {chosen.target.kind} target does not say where it serves.",
            remedy="Name the address with --url, and the version's bundle with --bundle.",
        )
    seen = look(chosen.state / "target")
    digest, previous, first = _asked_for(sought, seen.ever)
    if digest not in seen.versions:
        raise OutsideError(
            f"version {digest[:12]} does not run at {chosen.target_name}.",
            remedy="See what does: assay status.",
        )
    folder = seen.versions[digest].bundle
    host = chosen.target.host
    return Place(
        address=f"http://{'127.0.0.1' if host in {'0.0.0.0', '::'} else host}:{seen.port}",  # noqa: S104
        digest=digest,
        folder=folder,
        bundle=_read(folder),
        seconds=seconds,
        running=seen.versions,
        previous=previous,
        first=first,
    )


def _place_at(url: str, bundle: Path | None, seconds: float) -> Place:
    """A version whose address and bundle are named."""
    from assay.rollout.smoke.client import normal_address

    if bundle is None:
        raise InputError(
            "nothing says which version --url should serve.",
            remedy="Name its bundle with --bundle.",
        )
    read = _read(bundle)
    return Place(
        address=normal_address(url),
        digest=read.digest(),
        folder=bundle,
        bundle=read,
        seconds=seconds,
        running={},
    )


def _asked_for(sought: Sought, ever: frozenset[str]) -> tuple[str, str | None, bool]:
    """The version's digest, the one before it, and whether there was never one.

    Another user than the controller's may not ask it: the bundle then says which version, and the
    target's files whether another one ever ran here.
    """
    from assay.rollout.controller.talk import ask

    named = _read(sought.bundle).digest() if sought.bundle is not None else None
    try:
        status = ask(sought.chosen.state, {"do": "status"})
    except OutsideError:
        if named is None:
            raise
        return named, None, not ever - {named}
    rollout, stable = status["rollout"], status["stable"]
    newest = named or (rollout["candidate"] if rollout else stable)
    if newest is None:
        raise OutsideError(
            "nothing serves here yet.", remedy="Deploy a version first: assay deploy."
        )
    before = status["previous"] if newest == stable else stable
    return str(newest), before, before is None


def promised_of(sought: Sought, place: Place) -> Promised:
    """Read what the bundle says of its model, and draw the test rows.

    Raises InputError for rows that do not fit, and IntegrityError where the predictions are not
    those that the verdict was about.
    """
    from assay.packaging.bundle import model_folder
    from assay.packaging.model_directory import FILE, read_model_directory
    from assay.rollout.smoke.promised import QUESTIONS, Promised
    from assay.rollout.smoke.signature import EXAMPLES, read_example, read_inputs

    model = read_model_directory(model_folder(place.folder))
    for name in (FILE, *EXAMPLES):
        if (model.folder / name).is_file():
            _hold(place, f"model/{name}")
    inputs = read_inputs(model)
    sample: Sample | None = None
    why = "The model's signature has no named columns to send rows by."
    if inputs:
        rows = _rows_of(sought, place)
        if isinstance(rows, str):
            why = rows
        else:
            sample = _sample(sought, rows, inputs)
    return Promised(
        model=place.bundle.model,
        artifact_digest=place.digest,
        inputs=inputs,
        example=read_example(model),
        sample=sample,
        why_none=why,
        tolerance=sought.chosen.way.staging.tolerance,
        demanded=QUESTIONS if sought.demanded is None else sought.demanded,
    )


def _sample(sought: Sought, rows: tuple[Path, Path], inputs: Sequence[object]) -> Sample:
    from assay.rollout.smoke.signature import Input
    from assay.tables.scored_rows import read_scored_rows

    model = sought.chosen.model
    columns = [each for each in inputs if isinstance(each, Input)]
    return read_scored_rows(
        *rows,
        required=[each.name for each in columns if each.required],
        optional=[each.name for each in columns if not each.required],
        names=model.columns,
        id_column=model.data.id if model.data else None,
        most=sought.chosen.way.staging.rows,
    )


def _rows_of(sought: Sought, place: Place) -> tuple[Path, Path] | str:
    """The files of test rows and of their judged predictions, or why there are none."""
    from assay.evidence import Training, file_digest

    chosen, model = sought.chosen, sought.chosen.model
    folder = chosen.root / model.path
    declared = chosen.way.staging.features
    default = model.data.test if model.data else None
    features = sought.features or (folder / declared if declared else None)
    if features is None and default is not None and (folder / default).is_file():
        features = folder / default
    if features is None:
        where = f"{default} is not here" if default else "the configuration names none"
        return f"There are no test rows ({where}): name them with --features."
    _hold(place, f"evidence/{place.bundle.model}/{Training.FILE}")
    training = Training.read(place.folder / "evidence" / place.bundle.model)
    kept = training.predictions
    if kept is None:
        return "The bundle's training.json names no predictions."
    predictions = sought.predictions or sought.evidence / place.bundle.model / kept.file
    if not predictions.is_file():
        if sought.predictions is not None:
            raise InputError(
                "there is no such predictions file.",
                where=Location(file=predictions.as_posix()),
            )
        return f"The gate's predictions are not at {predictions}: name them with --predictions."
    if file_digest(predictions) != kept.sha256:
        raise IntegrityError(
            "these are not the predictions that the verdict was about.",
            where=Location(file=predictions.as_posix()),
            remedy="Take them from the evidence of the run that judged this version.",
        )
    return features, predictions


def contenders_of(
    sought: Sought, place: Place, bodies: Sequence[bytes]
) -> tuple[Contender, Contender]:
    """The serving version and the new one, each at an address where it alone answers.

    Raises InputError where nothing says where the serving one is, OutsideError where it is gone.
    """
    from assay.rollout.load_test import Contender

    def running(digest: str) -> Contender:
        one = place.running[digest]
        return Contender(digest=digest, client=place.client(one.address), memory=one.memory)

    if place.digest in place.running:
        new = running(place.digest)
    else:
        new = Contender(digest=place.digest, client=place.client(), memory=lambda: None)
    if sought.serving_url is not None:
        client = place.client(sought.serving_url)
        version = (client.score(bodies[0]).version if bodies else None) or ""
        if not _DIGEST.fullmatch(version):
            raise OutsideError(
                f"{client.address} names no version in its answers, so nothing says what serves.",
                remedy="Name the address of a version that Assay serves.",
            )
        return Contender(digest=version, client=client, memory=lambda: None), new
    others = sorted(place.running.keys() - {place.digest})
    if place.previous in others or len(others) == 1:
        return running(place.previous if place.previous in others else others[0]), new
    if place.running and not others:
        raise OutsideError(
            "no other version runs here to compare with.",
            remedy="The one before stays ready for strategy.standby seconds: stage in that time, "
            "or name another address with --serving-url.",
        )
    raise InputError(
        "nothing says which version to compare with under load.",
        remedy="Name its address with --serving-url, or leave the load test out with "
        "--parts smoke,tests.",
    )


def _read(folder: Path) -> Bundle:
    from assay.packaging.bundle import Bundle

    bundle = Bundle.read(folder)
    written = (folder / Bundle.FILE).read_bytes()
    if hashlib.sha256(written).hexdigest() != bundle.digest():
        raise IntegrityError(
            "the document was written again by hand.",
            where=Location(file=(folder / Bundle.FILE).as_posix()),
        )
    return bundle


def _hold(place: Place, name: str) -> None:
    """Raise IntegrityError where a file is not the one that bundle.json names."""
    from assay.evidence import file_digest

    listed = {one.file: one.sha256 for one in place.bundle.files}
    if listed.get(name) != file_digest(place.folder / name):
        raise IntegrityError(
            "this file is not the one that bundle.json names.",
            where=Location(file=(place.folder / name).as_posix()),
            remedy="Take the bundle from the registry again.",
        )
