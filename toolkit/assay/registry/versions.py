"""Model versions in MLflow's registry: one for each gated tree, known by its artifact digest.

Everything that says what a version is stands in its tags, written by the one call that creates
it: so a version is there whole or not at all. Importing this takes seconds (MLflow).
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from pathlib import Path

from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from assay.errors import InputError, IntegrityError, Location, OutsideError
from assay.registry.client import experiment_of
from assay.registry.facts import BUNDLE_FILE, DIGEST_TAG, TREE_TAG, Registered, VersionFacts

_FOLDER = "bundle"
_UPLOADED = "assay.uploaded"


def register(
    client: MlflowClient, facts: VersionFacts, folder: Path, *, artifacts: Path | None
) -> Registered:
    """Register the bundle in ``folder``; the same tree again changes nothing.

    The bundle is uploaded first, as artifacts of a run, and the version is created last, with its
    tags: what is interrupted leaves no version, and is taken up again by the next call. Raises
    InputError where the tree is registered with another artifact.
    """
    _ensure_model(client, facts.name)
    there = _of_tree(client, facts)
    if there is not None:
        return there
    run = _uploaded(client, facts, folder, artifacts)
    made = client.create_model_version(
        facts.name,
        source=f"runs:/{run}/{_FOLDER}",
        run_id=run,
        tags=dict(facts.tags),
        description=facts.description,
        await_creation_for=0,
    )
    first = _of_tree(client, facts)
    if first is not None and int(first.version) < int(made.version):
        # Another registration of this tree was faster, a moment ago: theirs stays.
        client.delete_model_version(facts.name, made.version)
        return first
    return Registered(version=str(made.version), digest=facts.digest, created=True)


def version_of(client: MlflowClient, name: str, digest: str) -> ModelVersion | None:
    """Return the version of an artifact digest, or None where it is not registered."""
    return _oldest(client, name, DIGEST_TAG, digest)


def known_versions(client: MlflowClient, name: str) -> frozenset[str]:
    """Return the artifact digests and the numbers of all versions of a model; none for no model."""
    if "'" in name:
        raise InputError(f"{name[:80]!r} cannot be a name in the registry.")
    found: set[str] = set()
    token: str | None = None
    while True:
        page = client.search_model_versions(f"name = '{name}'", page_token=token)
        for one in page:
            found |= {str(one.version), *filter(None, [one.tags.get(DIGEST_TAG)])}
        token = page.token
        if not token:
            return frozenset(found)


def fetch(client: MlflowClient, name: str, digest: str, to: Path) -> Path:
    """Download the bundle of an artifact digest into the new folder ``to``, whole or not at all.

    Only bundle.json is held to the digest here; whoever deploys it verifies the rest. Raises
    InputError where there is no such version, IntegrityError where the store gave another one.
    """
    found = version_of(client, name, digest)
    if found is None or not found.run_id:
        raise InputError(
            f"the registry has no version of {name} with the artifact digest {digest[:16]}….",
            remedy="Register its bundle first: assay register --bundle …",
        )
    scratch: Path | None = None
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(dir=to.parent, prefix=".fetch-"))
        got = Path(client.download_artifacts(found.run_id, _FOLDER, str(scratch)))
        document = got / BUNDLE_FILE
        actual = hashlib.sha256(document.read_bytes()).hexdigest() if document.is_file() else None
        if actual != digest:
            raise IntegrityError(
                f"the store gave another bundle than version {found.version} of {name}.",
                where=Location(file=str(found.source)),
                remedy="Somebody replaced it there: register the bundle again from where it was "
                "packaged.",
            )
        got.rename(to)
    except OSError as error:
        raise OutsideError(
            f"the bundle cannot be kept: {error.strerror or error}.",
            where=Location(file=to.as_posix()),
            remedy="Check the free space, and that the folder is not there already.",
        ) from None
    finally:
        if scratch is not None:
            shutil.rmtree(scratch, ignore_errors=True)
    return to


def _ensure_model(client: MlflowClient, name: str) -> None:
    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def _of_tree(client: MlflowClient, facts: VersionFacts) -> Registered | None:
    found = _oldest(client, facts.name, TREE_TAG, facts.tree)
    if found is None:
        return None
    digest = found.tags.get(DIGEST_TAG, "")
    if digest != facts.digest:
        raise InputError(
            f"the tree {facts.tree[:12]} is registered as version {found.version} of "
            f"{facts.name}, with another artifact ({digest[:16]}…, not {facts.digest[:16]}…).",
            remedy="Deliver that one; or, where it was never served, delete the version and "
            "register again.",
        )
    return Registered(version=str(found.version), digest=digest, created=False)


def _oldest(client: MlflowClient, name: str, tag: str, value: str) -> ModelVersion | None:
    # Names come from a configuration: the quote that would end the literal is not let in.
    if "'" in name or not value.isalnum():
        raise InputError(f"{name[:80]!r} cannot be a name in the registry.")
    asked = f"name = '{name}' and tags.`{tag}` = '{value}'"
    found = [one for one in client.search_model_versions(asked) if one.status == "READY"]
    return min(found, key=lambda one: int(one.version)) if found else None


def _uploaded(
    client: MlflowClient, facts: VersionFacts, folder: Path, artifacts: Path | None
) -> str:
    """Return the run that holds the bundle, uploaded unless an earlier call completed that."""
    experiment = experiment_of(client, f"{facts.name} bundles", artifacts)
    asked = f"tags.`{DIGEST_TAG}` = '{facts.digest}'"
    runs = client.search_runs([experiment], filter_string=asked, max_results=1)
    if runs and runs[0].data.tags.get(_UPLOADED) == "true":
        return str(runs[0].info.run_id)
    run = runs[0] if runs else client.create_run(
        experiment, tags={DIGEST_TAG: facts.digest, TREE_TAG: facts.tree}, run_name=facts.tree[:12]
    )  # fmt: skip
    run_id = str(run.info.run_id)
    client.log_artifacts(run_id, str(folder), _FOLDER)
    client.set_tag(run_id, _UPLOADED, "true")
    client.set_terminated(run_id)
    return run_id
