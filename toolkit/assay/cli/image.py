"""``assay image``: the container image of a bundle, built and pushed by digest."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.cli.options import config_option
from assay.cli.trust import bundle_options, verified_bundle

if TYPE_CHECKING:
    from assay.config import ImageParts
    from assay.evidence import PushedImage
    from assay.packaging.bundle import Bundle
    from assay.packaging.image import Recipe
    from assay.packaging.registry_image import ImageRegistry, Login


@click.command()
@bundle_options
@click.option(
    "--image-name",
    required=True,
    metavar="REGISTRY/NAME",
    help="Where it is pushed to, without a tag; {model} is replaced by the model's name.",
)
@click.option(
    "--image-credentials",
    metavar="DOTENV",
    help="USERNAME=… and PASSWORD=… of the container registry; masked. Give them as the variable "
    "ASSAY_IMAGE_CREDENTIALS, never on a command line. Default: whatever docker is logged in with.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(".assay/image"),
    show_default=True,
    help="The folder for image.json: the image by digest.",
)
@config_option
def image(
    bundle: Path,
    keys: tuple[Path, ...],
    repository: str | None,
    image_name: str,
    image_credentials: str | None,
    output: Path,
    config: Path,
) -> None:
    """Verify a bundle, build its container image, push it, and say by which digest it is there.

    What it is made of is `delivery.image` of the model: a base by digest and a lock with hashes.
    The tag is the artifact digest: one image for each version. Where the registry has that
    version's image already, nothing is built and its digest is named. Exits 3 where there is no
    docker, or the registry does not take it.

    \b
    assay image --bundle .assay/bundle --image-name registry.example/churn
    """
    from assay.cli.outputs import write_outputs
    from assay.packaging.registry_image import checked_name, logged_in

    login = _login(image_credentials)
    made = verified_bundle(bundle, keys, repository, config).bundle
    name = checked_name(image_name, made.model)
    parts = _parts(config, made.model)
    recipe = _recipe(parts, config.parent)
    with logged_in(name, login, os.environ) as registry:
        found = _pushed(made, bundle, recipe, registry)
    found.write(output)
    write_outputs("image", image=found.reference)


def _pushed(made: Bundle, folder: Path, recipe: Recipe, registry: ImageRegistry) -> PushedImage:
    from assay.evidence import PushedImage
    from assay.packaging.image import build, write_context

    version = made.digest()
    tag = registry.reference(version)
    digest = registry.existing(version)
    said = "was there already"
    if digest is None:
        said = "pushed"
        with tempfile.TemporaryDirectory(prefix="assay-image-") as scratch:
            built = build(write_context(made, folder, recipe, Path(scratch) / "context"), tag)
        digest = registry.push(built, version)
    reference = f"{registry.name}@{digest}"
    click.echo(f"{reference} {said}; artifact digest {version}")
    return PushedImage(
        model=made.model, artifact_digest=version, reference=reference, tag=tag, base=recipe.base
    )


def _login(dotenv: str | None) -> Login | None:
    """Read the credentials, each value masked in the log first."""
    from assay.cli.credentials import read_credentials
    from assay.errors import InputError
    from assay.packaging.registry_image import Login

    if not dotenv:
        return None
    found = read_credentials(dotenv, name="image-credentials")
    # No program that is started from here needs to have it.
    os.environ.pop("ASSAY_IMAGE_CREDENTIALS", None)
    if set(found) != {"USERNAME", "PASSWORD"} or not all(found.values()):
        raise InputError(
            "the credentials of the container registry are two lines: USERNAME=… and PASSWORD=….",
            remedy="Write both, and nothing else, into the secret image_registry.",
        )
    return Login(username=found["USERNAME"], password=found["PASSWORD"])


def _parts(config: Path, model: str) -> ImageParts:
    from assay.config import load_config
    from assay.errors import InputError, Location

    found = load_config(config).models.get(model)
    parts = found.delivery.image if found and found.delivery else None
    if parts is None:
        raise InputError(
            f"nothing says what the image of {model} is made of.",
            where=Location(file=config.as_posix()),
            remedy=f"Write models.{model}.delivery.image with `base` and `lock` "
            "(docs/packaging.md).",
        )
    return parts


def _recipe(parts: ImageParts, root: Path) -> Recipe:
    from assay.cli.package import recipe_of

    return recipe_of(parts.base, root / parts.lock)
