"""``assay test``: the model's own tests, in the model's own environment."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.cli.console import on_github, printable
from assay.cli.consumer import chosen_model, environment_options, open_consumer
from assay.cli.options import config_option, evidence_option, exit_zero_option, model_option

if TYPE_CHECKING:
    from assay.evidence import TestRun


@click.command("test")
@config_option
@model_option
@evidence_option
@environment_options
@exit_zero_option
def test(
    config: Path,
    model: str | None,
    evidence: Path,
    python_version: str | None,
    environment_cache: Path | None,
    training_secrets: str | None,
    exit_zero: bool,
) -> None:
    """Run the model's own tests and keep the outcome as evidence.

    The command of `tests:` runs in the model's environment; pytest's failures become
    annotations. Writes <model>/tests.json into the evidence folder. Exits 1 unless the tests
    passed.
    """
    from assay.cli.outputs import write_outputs
    from assay.errors import AssayError, VerdictFailed
    from assay.evidence import StageState, TestRun
    from assay.training.tests import run_tests

    consumer = open_consumer(
        config,
        python_version=python_version,
        environment_cache=environment_cache,
        declared={"training-secrets": training_secrets},
    )
    name, chosen = chosen_model(consumer.config, model)
    if chosen.tests is None:
        click.echo(f"{name}: the configuration says that it has no tests.")
        return
    target = evidence / name
    folder = consumer.folder(chosen)
    try:
        environment = consumer.tools.builder.build(chosen, folder, consumer.transcript)
        run = run_tests(
            name,
            chosen.tests,
            environment,
            folder=folder,
            root=consumer.repository.root,
            scratch=consumer.scratch,
            transcript=consumer.transcript,
        )
    except AssayError as error:
        reason = consumer.tools.builder.redact(str(error))
        state = StageState.NOT_MEASURED
        command = chosen.tests.command
        TestRun(model=name, state=state, reason=reason, command=command).write(target)
        if not exit_zero:
            raise
        run = TestRun(model=name, state=state, reason=reason, command=command)
    run.write(target)
    write_outputs("test", state=run.state.value)
    _print(run)
    if run.state is not StageState.PASSED and not exit_zero:
        raise VerdictFailed(f"the tests of {name}: {run.state.value}")


def _print(run: TestRun) -> None:
    if on_github():
        from assay.github.commands import Annotation, annotation_lines

        found = [
            Annotation(
                level="error",
                title=f"Test failed: {failure.name}",
                message=failure.message,
                file=failure.file,
                line=failure.line,
            )
            for failure in run.failures
        ]
        for line in annotation_lines(found):
            click.echo(line)
    else:
        for failure in run.failures:
            place = f"{failure.file}:{failure.line}: " if failure.file else ""
            first = failure.message.splitlines()[0] if failure.message else ""
            click.echo(printable(f"{place}{failure.name}: {first}"))
    counts = f"{run.passed} passed, {run.failed} failed, {run.errors} errors, {run.skipped} skipped"
    why = f" ({run.reason})" if run.reason else ""
    click.echo(printable(f"{run.model}: tests {run.state.value}: {counts}{why}"))
