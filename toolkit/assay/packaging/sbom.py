"""The bundle's SBOM: CycloneDX 1.6 of the environment that the model needs.

It is read from the files of the MLflow model directory or from the consumer's lock, never from
what happens to be installed here.
"""

from __future__ import annotations

import uuid

from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.bom_ref import BomRef
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from assay.errors import InputError, Location
from assay.packaging.gated import Gated
from assay.packaging.model_directory import ModelDirectory
from assay.packaging.requirements import Package, conda_packages_of, packages_of

_NAMESPACE = uuid.UUID("9b1b5c1e-7a52-5c6c-9d0e-2f3f1a8f6f54")
_PIP, _CONDA = "requirements.txt", "conda.yaml"


def packages_needed(model: ModelDirectory, lock: tuple[str, str] | None) -> tuple[Package, ...]:
    """Return the packages of a model's environment.

    ``lock`` is the name and the text of the consumer's own lock, which says more than MLflow's
    files: every package, with the digests of its files. Raises InputError where nothing names any.
    """
    if lock is not None:
        return packages_of(lock[1], file=lock[0], python=model.python)
    pip, conda = model.text(_PIP), model.text(_CONDA)
    if pip is not None:
        return packages_of(pip, file=(model.folder / _PIP).as_posix(), python=model.python)
    if conda is not None:
        return conda_packages_of(
            conda, file=(model.folder / _CONDA).as_posix(), python=model.python
        )
    raise InputError(
        "nothing says what packages the model needs.",
        where=Location(file=model.folder.as_posix()),
        remedy="Save the model with its requirements.txt (MLflow writes one), or name a lock with "
        "--lock.",
    )


def sbom_of(gated: Gated, model: ModelDirectory, packages: tuple[Package, ...]) -> str:
    """Return the SBOM as JSON; the same model and packages give the same bytes.

    Without a timestamp, and with a serial number made from the model's digest: nothing in it says
    when it was written, because the bundle's digest must not.
    """
    digest = model.digest
    bom = Bom(serial_number=uuid.uuid5(_NAMESPACE, f"{gated.name} {digest}"))
    bom.metadata.timestamp = None  # type: ignore[assignment]
    bom.metadata.component = Component(
        name=gated.name,
        type=ComponentType.MACHINE_LEARNING_MODEL,
        version=digest[:12],
        bom_ref=BomRef(value=f"model:{digest}"),
        properties=[
            Property(name="assay:model_digest", value=digest),
            Property(name="assay:tree", value=gated.plan.head.tree),
            *(Property(name="mlflow:flavor", value=flavor) for flavor in model.flavors),
            *([Property(name="python", value=model.python)] if model.python else []),
        ],
    )
    components = [_component(package) for package in packages]
    for component in components:
        bom.components.add(component)
    bom.register_dependency(bom.metadata.component, components)
    return JsonV1Dot6(bom).output_as_string(indent=2) + "\n"


def _component(package: Package) -> Component:
    purl = PackageURL(type=package.kind, name=package.name, version=package.version)
    # A lock accepts several files of one version; CycloneDX takes one digest of a kind for one.
    one = [HashType(alg=HashAlgorithm.SHA_256, content=sha) for sha in package.sha256]
    several = [Property(name="assay:accepted_sha256", value=sha) for sha in package.sha256]
    return Component(
        name=package.name,
        version=package.version,
        type=ComponentType.LIBRARY,
        purl=purl,
        bom_ref=BomRef(value=str(purl)),
        hashes=one if len(one) == 1 else [],
        properties=several if len(several) > 1 else [],
    )
