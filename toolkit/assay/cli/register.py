"""``assay register``: a bundle becomes a version in MLflow's registry."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.cli.credentials import audience_option, credentials_option, take_credentials
from assay.cli.options import config_option
from assay.cli.trust import bundle_options, verified_bundle

if TYPE_CHECKING:
    from assay.packaging.verify import Verified
    from assay.registry.facts import VersionFacts
    from assay.registry.store import Registry


@click.command()
@bundle_options
@click.option(
    "--name",
    help="The registered model. Default: delivery.registered_name of the model, or its name.",
)
@credentials_option
@audience_option
@config_option
def register(
    bundle: Path,
    keys: tuple[Path, ...],
    repository: str | None,
    name: str | None,
    registry_credentials: str | None,
    identity_audience: str | None,
    config: Path,
) -> None:
    """Verify a bundle and put it into MLflow's registry: one model version for each gated tree.

    The bundle is uploaded as artifacts of a run; the version carries the digests, the verdict and
    the signer as tags. Registering the same tree again changes nothing and names the version that
    is there. The server is MLFLOW_TRACKING_URI; without one it is a SQLite file in .assay. Exits 3
    where the server is away: then nothing was registered.

    \b
    MLFLOW_TRACKING_URI=https://mlflow.example assay register --bundle .assay/bundle
    """
    from assay.cli.outputs import write_outputs

    take_credentials(registry_credentials, identity_audience)
    found = verified_bundle(bundle, keys, repository, config)
    facts = version_facts(found, name or registered_name(config, found.bundle.model), bundle)
    made = open_registry().register(facts, bundle)
    write_outputs("register", version=made.version, digest=made.digest)
    said = "registered" if made.created else "was registered already"
    click.echo(f"{facts.name} version {made.version} {said}; artifact digest {made.digest}")


def open_registry() -> Registry:
    """Return the registry that the environment names, or the local one in ``.assay``."""
    from assay.cli.consumer import own_folder
    from assay.registry.store import Registry
    from assay.registry.tracking import limit_waiting, local_uri

    limit_waiting(os.environ)
    given = os.environ.get("MLFLOW_REGISTRY_URI") or os.environ.get("MLFLOW_TRACKING_URI")
    if given:
        return Registry(given)
    folder = own_folder(Path.cwd())
    return Registry(local_uri(folder), artifacts=folder / "mlflow-artifacts")


def registered_name(config: Path, model: str) -> str:
    """Return what a model is called in the registry; without a configuration, its own name."""
    from assay.config import load_config

    if not config.is_file():
        return model
    found = load_config(config).models.get(model)
    delivery = found.delivery if found else None
    return (delivery.registered_name if delivery else None) or model


def version_facts(found: Verified, name: str, folder: Path) -> VersionFacts:
    """Say of a verified bundle what the registry keeps beside it."""
    from assay.evidence import file_digest
    from assay.packaging.bundle import SIGNATURE
    from assay.registry.facts import VersionFacts

    made = found.bundle
    more = {
        "assay.repository": made.repository,
        "assay.commit": made.commit,
        "assay.data_digest": made.data_digest,
        "assay.params_digest": made.params_digest,
        "assay.model_digest": made.model_digest,
        "assay.evidence_digest": made.evidence_digest,
        "assay.environment_digest": made.lineage.environment_digest or "",
        "assay.verdict": made.verdict.state.value,
        "assay.verdict_digest": made.verdict.sha256,
        "assay.signer": f"{found.signer.kind} {found.signer.identity}",
        "assay.signature": file_digest(folder / SIGNATURE),
    }
    return VersionFacts(
        name=name,
        tree=made.tree,
        digest=found.artifact_digest,
        description=made.verdict.sentence[:1000],
        more={tag: value for tag, value in more.items() if value},
    )
