"""Say what a person can do about a DVC remote that could not be read."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

ATTEMPTS = {"AWS_MAX_ATTEMPTS": "3"}
"""How often DVC asks S3: botocore's own five tries, with back-off, wait long on a dead endpoint.

EC2's metadata service stays on: a self-hosted runner may have its credentials from there.
"""

_VARIABLES = {
    "s3": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS",
    "azure": "AZURE_STORAGE_CONNECTION_STRING",
    "gdrive": "GDRIVE_CREDENTIALS_DATA",
    "oss": "OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET",
}
_REFUSED = re.compile(
    r"credential|forbidden|unauthori[sz]ed|access ?denied|authenticat|anonymous caller"
    r"|permission denied|\b40[13]\b|InvalidAccessKeyId|SignatureDoesNotMatch|ExpiredToken"
    r"|token .*expired",
    re.IGNORECASE,
)
_ERROR = "ERROR: "
_SUMMARY = "failed to pull data from the cloud"
_LONGEST = 300


def cause(tail: Iterable[str]) -> str | None:
    """Return DVC's own word on why a transfer failed, None where it printed no error.

    The first error names the cause; the last often only counts the files.
    """
    errors = [line.removeprefix(_ERROR).strip() for line in tail if line.startswith(_ERROR)]
    telling = [error for error in errors if not error.startswith(_SUMMARY)]
    found = next(iter(telling or errors), None)
    if found is None:
        return None
    return found.removeprefix("unexpected error - ")[:_LONGEST].rstrip(".")


def label(name: str, url: str) -> str:
    """Name a remote as its configuration does, and its address without user or password."""
    return f"the remote {name!r} ({_without_user(url)})" if url else f"the remote {name!r}"


def advice(why: str, url: str | None) -> str | None:
    """Say what to set where ``why`` reads like missing or refused credentials."""
    if not _REFUSED.search(why):
        return None
    scheme = urlsplit(url or "").scheme.lower()
    variables = _VARIABLES.get(scheme, "the variables that DVC reads for it")
    return (
        f"set {variables} in the secret dvc-credentials, one NAME=value a line "
        "(outside a workflow, in the variable ASSAY_DVC_CREDENTIALS)"
    )


def _without_user(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    if not separator:
        return url
    place, slash, path = rest.partition("/")
    return f"{scheme}://{place.rpartition('@')[2]}{slash}{path}"
