"""MLflow's aliases as a projection of what the journal says serves; nothing ever resolves one."""

from __future__ import annotations

from collections.abc import Mapping

from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from assay.registry.facts import Difference
from assay.registry.versions import version_of


def project(
    client: MlflowClient, name: str, wanted: Mapping[str, str | None], *, repair: bool = True
) -> tuple[Difference, ...]:
    """Set each alias to the version of the artifact digest in ``wanted``; None takes it away.

    Returns what differed, which is what was repaired; without ``repair`` nothing is set. Equal
    aliases are left alone, and so are aliases that ``wanted`` does not name. A digest that is not
    registered takes no alias away: an old one is still truer than none, and the difference says so.
    """
    try:
        found = {
            alias: str(version)
            for alias, version in client.get_registered_model(name).aliases.items()
        }
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        found = {}
    differences = []
    for alias, digest in sorted(wanted.items()):
        version = None
        if digest is not None:
            known = version_of(client, name, digest)
            if known is None:
                differences.append(
                    Difference(
                        alias=alias,
                        found=found.get(alias),
                        wanted=None,
                        registered=False,
                        repaired=False,
                    )
                )
                continue
            version = str(known.version)
        if version == found.get(alias):
            continue
        if repair:
            _set(client, name, alias, version)
        differences.append(
            Difference(alias=alias, found=found.get(alias), wanted=version, repaired=repair)
        )
    return tuple(differences)


def _set(client: MlflowClient, name: str, alias: str, version: str | None) -> None:
    if version is None:
        client.delete_registered_model_alias(name, alias)
    else:
        client.set_registered_model_alias(name, alias, version)
