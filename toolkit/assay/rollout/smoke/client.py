"""A client of one served version: MLflow's scoring protocol, bounded in time and size."""

from __future__ import annotations

import http.client
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from assay.errors import InputError, OutsideError

VERSION_HEADER = "x-assay-version"
LARGEST_ANSWER = 64 * 1024 * 1024
_SCORING = "/invocations"


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What came back; ``version`` is the digest that the answer names, if it names one."""

    status: int
    version: str | None
    body: bytes


@dataclass
class Client:
    """Asks ``address`` (``http://host:port`` or below a path); ``replies`` keeps every one."""

    address: str
    seconds: float = 30.0
    replies: list[Reply] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.address = normal_address(self.address)

    @property
    def scoring(self) -> str:
        """Where rows are scored."""
        return f"{self.address}{_SCORING}"

    def score(self, body: bytes) -> Reply:
        """Post a body of JSON; raises OutsideError where no whole answer comes in time."""
        parts = urlsplit(self.scoring)
        secure = parts.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=self.seconds)
        try:
            connection.request("POST", parts.path, body, {"content-type": "application/json"})
            answer = connection.getresponse()
            content = answer.read(LARGEST_ANSWER + 1)
            named = answer.getheader(VERSION_HEADER)
        except (OSError, http.client.HTTPException) as error:
            why = "no answer in time" if isinstance(error, TimeoutError) else _words(error)
            raise OutsideError(
                f"{self.scoring} does not answer: {why}.",
                remedy="See whether the version serves there (assay status), or name another "
                "address with --url.",
            ) from None
        finally:
            connection.close()
        if len(content) > LARGEST_ANSWER:
            raise OutsideError(f"{self.scoring} answered with over {LARGEST_ANSWER:,} bytes.")
        reply = Reply(status=answer.status, version=named, body=content)
        self.replies.append(reply)
        return reply


def normal_address(given: str) -> str:
    """Return an address without a trailing slash or ``/invocations``.

    Raises InputError for anything but http and https, and for credentials in it: evidence holds
    the address.
    """
    try:
        parts = urlsplit(given)
        known = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        known = False
    if not known or parts.query or parts.fragment or any(ord(one) <= 32 for one in given):
        raise InputError(
            f"{given[:120]!r} is no address of a scoring server.",
            remedy="Write http://host:port, without a query.",
        )
    if parts.username is not None or parts.password is not None:
        raise InputError(
            "the address holds credentials, which evidence would keep.",
            remedy="Name one that needs none, such as the server's own port.",
        )
    return given.rstrip("/").removesuffix(_SCORING).rstrip("/")


def _words(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)[:200] or type(error).__name__
