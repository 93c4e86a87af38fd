"""Who approved a deployment of this run to an environment, as GitHub records it."""

from __future__ import annotations

from assay.github.client import Client, NotFound


def approver_of(client: Client, run: int, environment: str) -> str | None:
    """Return the login of the newest approval of ``run`` for ``environment``; None: nobody's.

    An environment without required reviewers has none.
    """
    try:
        reviews = client.get(f"actions/runs/{run}/approvals")
    except NotFound:
        return None
    found = None
    for review in reviews if isinstance(reviews, list) else ():
        if not isinstance(review, dict) or review.get("state") != "approved":
            continue
        places = review.get("environments")
        names = {place.get("name") for place in places or () if isinstance(place, dict)}
        user = review.get("user")
        login = user.get("login") if isinstance(user, dict) else None
        if environment in names and isinstance(login, str):
            found = login
    return found
