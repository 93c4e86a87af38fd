"""``assay package``: a model that passed, as one signed folder."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.cli.options import evidence_option, model_option

if TYPE_CHECKING:
    from assay.packaging.build import Sign, Wanted
    from assay.packaging.bundle import Bundle
    from assay.packaging.gated import Gated
    from assay.packaging.image import Recipe


@click.command()
@model_option
@evidence_option
@click.option(
    "--artifact",
    type=click.Path(path_type=Path),
    help="The MLflow model directory that was judged. Default: the model's artifact: in the rules.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(".assay/bundle"),
    show_default=True,
    help="The folder to write; it must not exist.",
)
@click.option(
    "--repository",
    metavar="OWNER/NAME",
    help="Whose model it is. Default: the repository of the run that judged it.",
)
@click.option(
    "--signing-key",
    metavar="PEM",
    help="The private key (ECDSA P-256): a file, or the PEM text itself as the variable "
    "ASSAY_SIGNING_KEY.",
)
@click.option(
    "--keyless",
    is_flag=True,
    help="Sign with the job's own identity by Sigstore; needs id-token: write.",
)
@click.option(
    "--lock",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The model's requirements with versions, for the SBOM. Default: MLflow's own files.",
)
@click.option(
    "--base",
    metavar="NAME@SHA256:...",
    help="For an image: what it builds on, with Python and pip, by digest.",
)
@click.option(
    "--image-context",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write the image's Dockerfile and files into this folder. Needs --base, and a --lock with "
    "hashes that holds what the server imports.",
)
@click.option(
    "--image", metavar="NAME:TAG", help="Also build the image with docker (buildx where it is)."
)
@click.option(
    "--replay/--no-replay",
    default=True,
    show_default=True,
    help="First compute comparison and verdict again from the evidence.",
)
def package(
    model: str | None,
    evidence: Path,
    artifact: Path | None,
    output: Path,
    repository: str | None,
    signing_key: str | None,
    keyless: bool,
    lock: Path | None,
    base: str | None,
    image_context: Path | None,
    image: str | None,
    replay: bool,
) -> None:
    """Bundle a model that passed: its files, card, SBOM, evidence, and a signature over all.

    Refuses where the verdict is fail (exit 1), where the artifact is not the one that the verdict
    was about (exit 4), and where it is no MLflow model directory (exit 2). It runs nothing of the
    model: no job that signs unpickles. The same evidence and artifact give the same bundle.json,
    whose SHA-256 is the artifact digest that everything downstream names the version by.

    \b
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out signing.pem
    openssl pkey -in signing.pem -pubout -out signing.pub
    assay package --signing-key signing.pem
    assay verify --bundle .assay/bundle --key signing.pub
    """
    from assay.packaging.build import Wanted

    sign = _signer(signing_key, keyless=keyless)
    recipe = recipe_of(base, lock) if image or image_context else None
    gated = _judged(evidence, model, replay=replay)
    planned = next(found for found in gated.plan.models if found.name == gated.name)
    wanted = Wanted(
        evidence=evidence,
        artifact=artifact or _named(planned.path, planned.rules.artifact),
        output=output,
        repository=_repository(repository, gated.plan.event.repository),
        model=gated.name,
        lock=lock,
    )
    made = _packaged(wanted, sign)
    if recipe is not None:
        _write_image(made, output, recipe, image_context, image)


def _packaged(wanted: Wanted, sign: Sign) -> Bundle:
    from assay.cli.outputs import write_outputs
    from assay.packaging.build import package as build

    made = build(wanted, sign)
    write_outputs("package", bundle=wanted.output.as_posix(), digest=made.digest())
    click.echo(
        f"{wanted.output}: {made.model} of tree {made.tree[:12]}, {made.verdict.state.value}"
    )
    click.echo(f"artifact digest: {made.digest()}")
    return made


def _write_image(
    made: Bundle, folder: Path, recipe: Recipe, context: Path | None, tag: str | None
) -> None:
    from assay.packaging.image import build, write_context

    place = context or folder.with_name(f"{folder.name}-image")
    write_context(made, folder, recipe, place)
    click.echo(f"{place}: the Dockerfile and what it copies")
    if tag:
        click.echo(f"image {tag}: {build(place, tag)}")


def _judged(evidence: Path, model: str | None, *, replay: bool) -> Gated:
    from assay.cli.console import print_error
    from assay.errors import VerdictFailed
    from assay.gate.replay import replay_differences
    from assay.gate.verify import verify as check
    from assay.packaging.gated import read_gated

    check(evidence)
    try:
        gated = read_gated(evidence, model)
    except VerdictFailed as failed:
        # The edge says nothing of a failed verdict: the gate has said it all. Here nobody has.
        print_error(failed)
        raise
    if replay:
        replay_differences(evidence)
    return gated


def _signer(signing_key: str | None, *, keyless: bool) -> Sign:
    from assay.errors import InputError
    from assay.packaging.keys import public_key_of, read_private_key
    from assay.packaging.signing import sign_keyless, sign_with_key

    if keyless and not signing_key:
        return sign_keyless
    if not signing_key or keyless:
        raise InputError(
            "a bundle is signed by one of a key and the job's identity.",
            remedy="Name --signing-key, or --keyless in a GitHub job with id-token: write.",
        )
    if signing_key.lstrip().startswith("-----BEGIN"):
        pem = signing_key.encode()
        public_key_of(pem, name="ASSAY_SIGNING_KEY")
    else:
        pem = read_private_key(Path(signing_key))
    return partial(sign_with_key, private_pem=pem)


def recipe_of(base: str | None, lock: Path | None) -> Recipe:
    """Return what an image is made of; raises InputError where base or lock is not named."""
    from importlib.util import find_spec

    from assay.errors import InputError
    from assay.packaging.image import Recipe
    from assay.rollout.targets.local.environment import SERVING_NEEDS

    spec = find_spec("assay.rollout.serving")
    if base is None or lock is None or spec is None or spec.origin is None:
        raise InputError(
            "an image is made from a base and a lock.",
            remedy="Name --base name@sha256:… and --lock, a requirements file with hashes.",
        )
    server = Path(spec.origin).parent
    return Recipe(base=base, lock=lock, server=server, needs=SERVING_NEEDS["mlflow"])


def _named(path: str, artifact: str | None) -> Path:
    from assay.errors import InputError

    if artifact is None:
        raise InputError(
            "nothing says where the model is.",
            remedy="Name its folder with --artifact, or as artifact: in assay.yaml.",
        )
    return Path(path) / artifact


def _repository(given: str | None, judged: str | None) -> str:
    from assay.errors import InputError

    found = given or judged or os.environ.get("GITHUB_REPOSITORY")
    if not found:
        raise InputError(
            "nothing says whose model it is.",
            remedy="Name the repository: --repository owner/name.",
        )
    return found
