"""The identity token of a job (OpenID Connect), which clouds exchange for credentials."""

from __future__ import annotations

from collections.abc import Mapping

import requests

from assay.errors import InputError, OutsideError

_TIMEOUT = 30


def identity_token(environ: Mapping[str, str], audience: str) -> str:
    """Ask GitHub for a token for ``audience``.

    Raises InputError in a job that may not have one, and OutsideError where GitHub gives none.
    """
    address = environ.get("ACTIONS_ID_TOKEN_REQUEST_URL")
    bearer = environ.get("ACTIONS_ID_TOKEN_REQUEST_TOKEN")
    if not address or not bearer:
        raise InputError(
            "this job has no identity.", remedy="Grant it `permissions: id-token: write`."
        )
    try:
        answer = requests.get(
            address,
            params={"audience": audience},
            headers={"Authorization": f"Bearer {bearer}"},
            timeout=_TIMEOUT,
        )
        answer.raise_for_status()
        token = answer.json()["value"]
    except (requests.RequestException, ValueError, KeyError, TypeError) as error:
        raise OutsideError(
            f"GitHub gave no identity token for {audience[:80]!r} ({type(error).__name__}).",
            remedy="Run the job again.",
        ) from None
    if not isinstance(token, str) or not token:
        raise OutsideError(f"GitHub gave an empty identity token for {audience[:80]!r}.")
    return token
