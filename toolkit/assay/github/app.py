"""A GitHub App's token for one repository: what is pushed with it starts workflows."""

from __future__ import annotations

import requests
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from github import Auth, GithubException, GithubIntegration

from assay.errors import InputError, OutsideError

PERMISSIONS = {"contents": "write", "pull_requests": "write"}
"""What the token may, whatever more the App may."""


def installation_token(*, api_url: str, repository: str, app_id: str, key: str) -> str:
    """Return a token of the App that is installed on ``repository``; it lasts an hour.

    Raises InputError for an id or a key that is none, and OutsideError where GitHub gives none.
    """
    if not (app_id.isascii() and app_id.isdigit() and len(app_id) < 19):
        raise InputError("the App's id is not a whole number.", remedy="The App's page shows it.")
    owner, _, name = repository.partition("/")
    _check(key)
    try:
        integration = GithubIntegration(
            auth=Auth.AppAuth(int(app_id), key), base_url=api_url, timeout=20, user_agent="assay"
        )
        installed = integration.get_repo_installation(owner, name)
        token = integration.get_access_token(installed.id, permissions=PERMISSIONS).token
    except GithubException as error:
        raise OutsideError(
            f"GitHub answered {error.status} to the App {app_id}.",
            remedy=f"Install it on {repository}, with contents and pull requests to write.",
        ) from None
    except requests.RequestException as error:
        raise OutsideError(
            f"GitHub could not be reached for the App's token ({type(error).__name__}).",
            remedy="Run the job again.",
        ) from None
    if not token:
        raise OutsideError(f"GitHub gave the App {app_id} an empty token.")
    return token


def _check(key: str) -> None:
    try:
        load_pem_private_key(key.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise InputError(
            "the App's key is no private key in PEM.",
            remedy="Put the whole file that GitHub gave into the secret.",
        ) from None
