"""``assay trial``: try a bundle behind a router of its own, before any target has it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.cli.consumer import environment_options
from assay.cli.options import config_option, evidence_option
from assay.cli.trust import keys_option

if TYPE_CHECKING:
    from assay.cli.chosen import Chosen
    from assay.rollout.trial import Trial

_PARTS = ("smoke", "tests", "load")


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
    help="Your integration tests, in the model's environment with ASSAY_URL and ASSAY_VERSION. "
    "Default: delivery.staging.tests.",
)
@evidence_option
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(".assay/trial"),
    show_default=True,
    help="Where staging.json, smoke.json, tests.json and load.json go, below the model's name.",
)
@keys_option
@click.option("--repository", metavar="OWNER/NAME", help="Whose model the bundles must be.")
@environment_options
@config_option
def trial(
    bundle: Path,
    serving_bundle: Path | None,
    *,
    integration: str | None,
    output: Path,
    keys: tuple[Path, ...],
    repository: str | None,
    config: Path,
    **given: Path | str | None,
) -> None:
    """Serve a bundle on this host and try it: smoke test, your integration tests, a load test.

    Asks what `assay stage` asks, by the same `delivery.staging`, at a router of its own. Of the
    smoke test, the version and the model's own input example must be measured. Signature and
    offline predictions are where they can be: with named columns; with test rows and the gate's
    predictions here, or output_example.json in the model directory. It runs the model's code: give
    this job no secret. Exits 1 where anything is worse or wrong.

    \b
    assay trial --bundle .assay/bundle --serving-bundle ../production --key signing.pub
    """
    from assay.cli.stage import conclude
    from assay.cli.stage_parts import Sought, found_of
    from assay.cli.trust import trusted
    from assay.packaging.bundle import Bundle
    from assay.packaging.verify import verified
    from assay.rollout.target import Release

    trust = trusted(keys, config)

    def release(folder: Path) -> Release:
        digest = verified(folder, trust, repository).artifact_digest
        return Release(digest=digest, folder=folder.resolve())

    new = release(bundle)
    serving = [release(serving_bundle)] if serving_bundle else []
    with _router(config, Bundle.read(bundle).model, integration) as (chosen, router):
        router.start(new, *serving)
        router.switch(new.digest)
        sought = Sought(
            chosen=chosen, config=config, parts=_PARTS, folder=output / chosen.model_name,
            url=None, serving_url=None, bundle=bundle, features=None, predictions=None,
            demanded=frozenset({"version", "example"}), **given,  # type: ignore[arg-type]
        )  # fmt: skip
        found = found_of(sought)
    conclude("trial", sought, found)


@contextmanager
def _router(config: Path, model: str, integration: str | None) -> Iterator[tuple[Chosen, Trial]]:
    """A local target at any free port, in a folder that lasts no longer than the block."""
    from assay.cli.controller_setup import CHECKOUT
    from assay.config.delivery import LocalTarget
    from assay.rollout.targets.local import Local, setup_local
    from assay.rollout.trial import Trial

    with tempfile.TemporaryDirectory(
        prefix="assay-trial-", dir=os.environ.get("RUNNER_TEMP")
    ) as at:
        chosen = _chosen(config, model, Path(at), integration)
        assert isinstance(chosen.target, LocalTarget)  # noqa: S101 -- made just above
        serving = chosen.way.serving
        local = Local(
            setup_local(
                chosen.target,
                serving,
                folder=chosen.state / "target",
                latency_ms=chosen.way.strategy.guards.latency_ms,
                checkout=CHECKOUT,
                environ=os.environ,
            )
        )
        try:
            yield chosen, Trial(local, start_seconds=serving.start_seconds)
        finally:
            local.close()


def _chosen(config: Path, model: str, state: Path, integration: str | None) -> Chosen:
    """The model as the configuration serves it, at a target that is this host."""
    from assay.cli.chosen import choose
    from assay.config import load_config
    from assay.config.delivery import LocalTarget
    from assay.config.staging import StagingTests

    loaded = load_config(config)
    known = loaded.models.get(model)
    at = known.delivery.targets[0] if known and known.delivery else None
    chosen = choose(config, model, at, state)
    targets = chosen.delivery.targets.values()
    python = next((t.python for t in targets if isinstance(t, LocalTarget) and t.python), None)
    staging = chosen.way.staging
    if integration:
        staging = staging.model_copy(update={"tests": StagingTests(command=integration)})
    return replace(
        chosen,
        way=chosen.way.model_copy(update={"staging": staging}),
        target_name="trial",
        target=LocalTarget(port=0, python=python),
    )
