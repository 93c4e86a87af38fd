"""``assay trial``: try a bundle behind a router of its own, before any target has it."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.cli.options import config_option
from assay.cli.trust import keys_option

if TYPE_CHECKING:
    from assay.config.delivery import LocalTarget, Serving
    from assay.evidence import LoadTest
    from assay.rollout.target import Release
    from assay.rollout.trial.run import Trial


@click.command()
@click.option(
    "--bundle",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(".assay/bundle"),
    show_default=True,
    help="The bundle to try.",
)
@click.option(
    "--serving-bundle",
    type=click.Path(path_type=Path, file_okay=False),
    help="The version that serves now: the load test goes to both, by turns, and compares them.",
)
@click.option(
    "--integration",
    metavar="COMMAND",
    help="Your integration tests, run by the shell with ASSAY_STAGING_URL; exit 0 passes.",
)
@click.option(
    "--rounds",
    type=click.IntRange(5, 100),
    default=8,
    show_default=True,
    help="Rounds of the load test; both versions once in each.",
)
@click.option(
    "--rate",
    type=click.FloatRange(min=0.1),
    default=50,
    show_default=True,
    help="Requests a second, open loop: at most half of what the host can do.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(0.2, 600),
    default=3,
    show_default=True,
    help="How long each version is asked in a round.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(".assay/trial"),
    show_default=True,
    help="The folder for load.json.",
)
@keys_option
@click.option("--repository", metavar="OWNER/NAME", help="Whose model the bundles must be.")
@config_option
def trial(
    bundle: Path,
    serving_bundle: Path | None,
    integration: str | None,
    rounds: int,
    rate: float,
    seconds: float,
    output: Path,
    keys: tuple[Path, ...],
    repository: str | None,
    config: Path,
) -> None:
    """Serve a bundle on this host and try it: smoke test, your integration tests, a load test.

    The smoke test sends the model's own input example; the answer must come from this version, have
    a finite prediction for each row and, where the model directory holds output_example.json, be
    what the pipeline evaluated offline. The load test compares latency (p50, p95, p99), throughput,
    memory and errors with the serving version's, round by round. It runs the model's code: give
    this job no secret. Exits 1 where anything is worse or wrong.

    \b
    assay trial --bundle .assay/bundle --serving-bundle ../production --key signing.pub
    """
    from assay.cli.outputs import write_outputs
    from assay.cli.trust import trusted
    from assay.evidence import Outcome
    from assay.packaging.bundle import Bundle
    from assay.packaging.verify import verified
    from assay.rollout.target import Release
    from assay.rollout.trial.run import Load

    trust = trusted(keys, config)

    def release(folder: Path) -> Release:
        digest = verified(folder, trust, repository).artifact_digest
        return Release(digest=digest, folder=folder.resolve())

    new = release(bundle)
    serving = release(serving_bundle) if serving_bundle else None
    wrong: list[str] = []
    test: LoadTest | None = None
    with _router(config, Bundle.read(bundle).model) as router:
        router.start(new, *([serving] if serving else []))
        wrong += router.smoke(new)
        if not wrong and integration:
            wrong += _integration(integration, router.address)
        if not wrong and serving is not None:
            test = router.load(new, serving, Load(rounds=rounds, rate=rate, seconds=seconds))
            test.write(output)
            click.echo(f"{test.state.value}: {test.sentence}")
    failed = bool(wrong) or (test is not None and test.state is Outcome.FAIL)
    state = "fail" if failed else test.state.value if test else "pass"
    write_outputs("trial", state=state)
    _end(wrong, test, failed=failed)


def _end(wrong: list[str], test: LoadTest | None, *, failed: bool) -> None:
    from assay.cli.console import print_error
    from assay.errors import VerdictFailed

    if failed:
        error = VerdictFailed(" ".join(wrong) or (test.sentence if test else ""))
        # The edge says nothing of a failed verdict, because the gate has said it all.
        print_error(error)
        raise error
    click.echo("The version answers its example as it should.")


def _integration(command: str, address: str) -> list[str]:
    """Run the consumer's own tests against the version that is served."""
    ended = subprocess.run(  # noqa: S602 -- a person's own command line, as in train.command
        command, shell=True, check=False, env={**os.environ, "ASSAY_STAGING_URL": address}
    )
    return [f"the integration tests ended with {ended.returncode}."] if ended.returncode else []


@contextmanager
def _router(config: Path, model: str) -> Iterator[Trial]:
    from assay.cli.controller_setup import CHECKOUT
    from assay.rollout.targets.local import Local, setup_local
    from assay.rollout.trial.run import Trial

    serving, target = _how(config, model)
    with tempfile.TemporaryDirectory(
        prefix="assay-trial-", dir=os.environ.get("RUNNER_TEMP")
    ) as at:
        local = Local(
            setup_local(
                target,
                serving,
                folder=Path(at),
                latency_ms=500,
                checkout=CHECKOUT,
                environ=os.environ,
            )
        )
        try:
            yield Trial(local, start_seconds=serving.start_seconds)
        finally:
            local.close()


def _how(config: Path, model: str) -> tuple[Serving, LocalTarget]:
    """How the configuration serves the model; at any free port of this host."""
    from assay.config import load_config
    from assay.config.delivery import LocalTarget, Serving

    if not config.is_file():
        return Serving(), LocalTarget(port=0)
    loaded = load_config(config)
    found = loaded.models.get(model)
    way = found.delivery if found else None
    targets = loaded.delivery.targets.values() if loaded.delivery else ()
    python = next((t.python for t in targets if isinstance(t, LocalTarget) and t.python), None)
    return (way.serving if way else Serving()), LocalTarget(port=0, python=python)
