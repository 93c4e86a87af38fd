"""What the front takes and gives: a request, a reply, and refusals in GitHub's words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from assay.act.records import Account, Records


@dataclass(frozen=True, kw_only=True)
class Request:
    """One call: ``path`` without query, ``query`` with the last value of each name."""

    method: str
    path: str
    query: Mapping[str, str]
    body: Mapping[str, Any]
    account: Account | None
    base: str
    accept: str = ""


@dataclass(frozen=True, kw_only=True)
class Reply:
    """A JSON document, or raw bytes of another content type, or a redirection."""

    status: int
    document: Any = None
    raw: bytes | None = None
    content_type: str = "application/json; charset=utf-8"
    location: str = ""


@dataclass(frozen=True, kw_only=True)
class Call:
    """A request that a route matched; ``part`` holds the named parts of the path."""

    records: Records
    request: Request
    part: Mapping[str, str]


Route = Callable[[Call], Reply | None]
"""Answers a call, or returns None to leave it to the emulator."""
Note = Callable[[Call, bytes], bytes]
"""Takes note of a call that the emulator answered, and returns the answer, put right."""


def page(request: Request, items: list[Any]) -> list[Any]:
    """The page of a list that ``per_page`` (30, at most 100) and ``page`` ask for."""
    size = min(int(request.query.get("per_page", 30)), 100)
    start = (int(request.query.get("page", 1)) - 1) * size
    return items[start : start + size]


def refusal(status: int, message: str, **more: Any) -> Reply:
    """An error as GitHub words it."""
    return Reply(status=status, document={"message": message, "status": str(status), **more})


def not_found() -> Reply:
    return refusal(404, "Not Found")
