"""One message to a webhook that takes Slack's format: JSON with ``text``."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import requests

from assay.errors import InputError, OutsideError

_TIMEOUT = 10
TRIES = 3
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_LONGEST_PAUSE = 30.0


def check_address(address: str) -> str:
    """Return the address; raises InputError, without it, for one that is no web address."""
    parts = urlsplit(address)
    if parts.scheme not in {"https", "http"} or not parts.hostname:
        raise InputError("the webhook's address does not begin with https:// and a host.")
    return address


def send(
    address: str, message: dict[str, Any], *, sleep: Callable[[float], object] = time.sleep
) -> None:
    """Post a message, at most :data:`TRIES` times; redirects are not followed.

    Raises OutsideError where it was not taken. The address is a secret, and stands in no message.
    """
    pause, why = 1.0, ""
    for attempt in range(1, TRIES + 1):
        try:
            answer = requests.post(address, json=message, timeout=_TIMEOUT, allow_redirects=False)
        except requests.RequestException as error:
            why = type(error).__name__
        else:
            if answer.status_code < 300:
                return
            why = f"status {answer.status_code}"
            if answer.status_code not in _AGAIN:
                break
            after = answer.headers.get("Retry-After", "")
            pause = max(pause, float(after)) if after.isdecimal() else pause
        if attempt < TRIES:
            sleep(min(pause, _LONGEST_PAUSE))
            pause *= 2
    raise OutsideError(
        f"the webhook did not take the message ({why}).",
        remedy="It is kept, and sent by the next run.",
    )
