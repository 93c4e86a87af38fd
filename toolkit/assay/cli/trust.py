"""Whose signatures count, for commands: keys named on the line, or the configuration's."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from assay.packaging.keys import Trusted
    from assay.packaging.verify import Verified

keys_option = click.option(
    "--key",
    "keys",
    type=click.Path(path_type=Path, dir_okay=False),
    multiple=True,
    help="A public key that is trusted; several may be named. Default: delivery.trust of the "
    "configuration.",
)


_bundle_option = click.option(
    "--bundle",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(".assay/bundle"),
    show_default=True,
    help="The bundle's folder.",
)
_repository_option = click.option(
    "--repository",
    metavar="OWNER/NAME",
    help="Whose model the bundle must be. Default: in a job, its own repository.",
)


def bundle_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add what :func:`verified_bundle` asks for: ``bundle``, ``keys`` and ``repository``."""
    return _bundle_option(keys_option(_repository_option(command)))


def verified_bundle(
    bundle: Path, keys: tuple[Path, ...], repository: str | None, config: Path
) -> Verified:
    """Return a bundle that is whole, and signed by someone trusted for this repository.

    Raises IntegrityError where it is not, InputError where nobody is trusted.
    """
    from assay.packaging.verify import verified

    return verified(
        bundle, trusted(keys, config), repository or os.environ.get("GITHUB_REPOSITORY")
    )


def trusted(keys: tuple[Path, ...], config: Path) -> Trusted:
    """Return the trust of a command; keys that are named replace the configuration's.

    Raises InputError where neither names anyone.
    """
    from assay.config import Trust, load_config
    from assay.errors import InputError, Location
    from assay.packaging.keys import PublicKey, Trusted, load_trust, read_key

    if keys:
        parsed = (PublicKey.parse(read_key(path), name=path.as_posix()) for path in keys)
        return Trusted(keys=tuple(parsed))
    delivery = load_config(config).delivery
    found = delivery.trust if delivery else Trust()
    if not found.keys and found.keyless is None:
        raise InputError(
            "nobody's signature is trusted.",
            where=Location(file=config.as_posix()),
            remedy="Name a public key with --key, or under delivery.trust.keys.",
        )
    return load_trust(found, config.parent)
