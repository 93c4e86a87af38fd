"""Runs the parts of staging one after the other, and sums them up."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from assay.cli.stage_places import Place, place_of, promised_of
from assay.errors import AssayError, InputError, OutsideError
from assay.evidence import (
    LoadTest,
    Outcome,
    SmokeTest,
    StageState,
    StagingPart,
    StagingReport,
    State,
    TestRun,
)
from assay.evidence.staging import SmokeName, outcome_of

if TYPE_CHECKING:
    from assay.cli.chosen import Chosen
    from assay.rollout.load_test import Contender
    from assay.rollout.smoke.promised import Promised

Name = Literal["smoke", "tests", "load"]
_LOAD_STATES: dict[Outcome, Literal["passed", "warned", "failed"]] = {
    Outcome.PASS: "passed",
    Outcome.WARN: "warned",
    Outcome.FAIL: "failed",
}


@dataclass(frozen=True, kw_only=True)
class Sought:
    """What the command line asks for."""

    chosen: Chosen
    config: Path
    parts: tuple[str, ...]
    folder: Path
    evidence: Path
    url: str | None
    serving_url: str | None
    bundle: Path | None
    features: Path | None
    predictions: Path | None
    python_version: str | None
    environment_cache: Path | None
    training_secrets: str | None
    demanded: frozenset[SmokeName] | None = None
    """Questions of the smoke test that must be measured; None: all of them."""


@dataclass(kw_only=True)
class Found:
    """The report, the documents that there are, and what kept a part from being measured."""

    report: StagingReport
    smoke: SmokeTest | None = None
    tests: TestRun | None = None
    load: LoadTest | None = None
    trouble: AssayError | None = None


def sought_of(parts: tuple[str, ...], output: Path, **given: Any) -> Sought:
    """Read the configuration, and put the options together."""
    from assay.cli.chosen import choose

    config = given["config"]
    names = (given.pop(name) for name in ("model", "target", "state"))
    chosen = choose(config, *names)
    return Sought(chosen=chosen, parts=parts, folder=output / chosen.model_name, **given)


def found_of(sought: Sought) -> Found:
    """Run what is asked for, and leave documents in ``sought.folder``.

    Raises InputError and IntegrityError before anything is asked of a server.
    """
    place = place_of(sought)
    promised = promised_of(sought, place)
    for name in (SmokeTest.FILE, TestRun.FILE, LoadTest.FILE, StagingReport.FILE):
        (sought.folder / name).unlink(missing_ok=True)
    run = _Run(sought=sought, place=place, promised=promised)
    parts = (run.part("smoke", run.smoke), run.part("tests", run.tests), run.part("load", run.load))
    report = StagingReport(
        model=sought.chosen.model_name,
        target=sought.chosen.target_name,
        artifact_digest=place.digest,
        serving_digest=run.load_test.serving if run.load_test else None,
        state=outcome_of(parts),
        parts=parts,
        inputs={
            document.FILE: document.digest()
            for document in (run.smoke_test, run.test_run, run.load_test)
            if document is not None
        },
    )
    report.write(sought.folder)
    return Found(
        report=report,
        smoke=run.smoke_test,
        tests=run.test_run,
        load=run.load_test,
        trouble=run.trouble,
    )


class _Run:
    """The parts, and what they left."""

    def __init__(self, *, sought: Sought, place: Place, promised: Promised) -> None:
        self.sought, self.place, self.promised = sought, place, promised
        self.smoke_test: SmokeTest | None = None
        self.test_run: TestRun | None = None
        self.load_test: LoadTest | None = None
        self.trouble: AssayError | None = None

    def part(self, name: Name, run: Callable[[], StagingPart]) -> StagingPart:
        """Run one part; what keeps it from being measured is in its sentence, and raised last."""
        if name not in self.sought.parts:
            return StagingPart(name=name, state="left-out", sentence="Left out by --parts.")
        if isinstance(self.trouble, OutsideError):
            why = "Not asked: the part before got no answer."
            return StagingPart(name=name, state="not-measured", sentence=why)
        try:
            return run()
        except AssayError as error:
            self.trouble = self.trouble or error
            return StagingPart(name=name, state="not-measured", sentence=error.message)

    def smoke(self) -> StagingPart:
        from assay.rollout.smoke.checks import not_measured, smoke_test

        client = self.place.client()
        try:
            found = smoke_test(client, self.promised)
        except OutsideError as error:
            self.smoke_test = not_measured(client.address, self.promised, error)
            self.smoke_test.write(self.sought.folder)
            raise
        self.smoke_test = found
        found.write(self.sought.folder)
        worst = next(
            (check for check in found.checks if check.state is found.state), found.checks[0]
        )
        sentence = _passed(found) if found.state is StageState.PASSED else worst.sentence
        return StagingPart(name="smoke", state=found.state.value, sentence=sentence)

    def tests(self) -> StagingPart:
        declared = self.sought.chosen.way.staging.tests
        if declared is None:
            why = "The configuration declares none (delivery.staging.tests)."
            return StagingPart(name="tests", state="left-out", sentence=why)
        self.test_run = found = _run_tests(self.sought, self.place)
        found.write(self.sought.folder)
        sentence = found.reason or f"{found.passed} passed, {found.failed + found.errors} failed."
        return StagingPart(name="tests", state=found.state.value, sentence=sentence)

    def load(self) -> StagingPart:
        load = self.sought.chosen.way.staging.load
        if load is None:
            why = "The configuration asks for none (delivery.staging.load)."
            return StagingPart(name="load", state="left-out", sentence=why)
        if self.place.first:
            why = "This is the first version here: there is none to compare with."
            return StagingPart(name="load", state="left-out", sentence=why)
        from assay.cli.stage_places import contenders_of
        from assay.rollout.load_test import load_test
        from assay.rollout.smoke.checks import load_bodies

        bodies = load_bodies(self.promised)
        serving, new = contenders_of(self.sought, self.place, bodies)
        self.load_test = found = load_test(
            serving,
            new,
            bodies=bodies,
            load=load,
            generator=_generator(self.sought, serving, new),
            say=click.echo,
        )
        found.write(self.sought.folder)
        missing = {look.state for look in found.looks} & {State.WORSE, State.NOT_MEASURED}
        unmeasured = missing == {State.NOT_MEASURED}
        state = "not-measured" if unmeasured else _LOAD_STATES[found.state]
        return StagingPart(name="load", state=state, sentence=found.sentence)


def _passed(found: SmokeTest) -> str:
    """The sentence of a test that passed; what was not measured, and not demanded, is named."""
    left = [one.name for one in found.checks if one.state is StageState.NOT_MEASURED]
    if not left:
        return f"All {len(found.checks)} questions are answered as they should be."
    return (
        f"{len(found.checks) - len(left)} questions are answered as they should be; not measured: "
        f"{', '.join(left)}."
    )


def _run_tests(sought: Sought, place: Place) -> TestRun:
    """Run the declared command in the model's own environment; it gets nothing of ours but these.

    Raises InputError and OutsideError where that environment cannot be made.
    """
    from assay.cli.consumer import open_consumer
    from assay.config.stages import Tests
    from assay.training.tests import run_tests

    chosen = sought.chosen
    declared = chosen.way.staging.tests
    assert declared is not None  # noqa: S101 -- asked by the caller
    consumer = open_consumer(
        sought.config,
        python_version=sought.python_version,
        environment_cache=sought.environment_cache,
        declared={"training-secrets": sought.training_secrets},
    )
    folder = consumer.folder(chosen.model)
    environment = consumer.tools.builder.build(chosen.model, folder, consumer.transcript)
    told = {"ASSAY_URL": place.address, "ASSAY_VERSION": place.digest}
    return run_tests(
        chosen.model_name,
        Tests(command=declared.command, timeout=declared.timeout),
        replace(
            environment,
            variables={**environment.variables, **told},
            inside=(*environment.inside, *told),
        ),
        folder=folder,
        root=consumer.repository.root,
        scratch=consumer.scratch,
        transcript=consumer.transcript,
    )


def _generator(sought: Sought, *sides: Contender) -> Any:
    from assay.act.tools import Toolbox
    from assay.cli.controller_setup import CHECKOUT
    from assay.rollout.load_test import Generator

    if len({side.digest for side in sides}) != len(sides):
        raise InputError(
            "the version would be compared with itself.",
            remedy="Name another version's address with --serving-url.",
        )
    toolbox = Toolbox.of(CHECKOUT, os.environ, click.echo)
    return Generator(
        program=toolbox.vegeta(), request_seconds=sought.chosen.way.serving.request_seconds
    )
