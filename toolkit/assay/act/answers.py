"""What the front takes and gives: a request, a reply, and refusals in GitHub's words."""

from __future__ import annotations

import re
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
    """A JSON document, or raw bytes of another content type."""

    status: int
    document: Any = None
    raw: bytes | None = None
    content_type: str = "application/json; charset=utf-8"


Route = Callable[[Records, Request, re.Match[str]], Reply | None]


def refusal(status: int, message: str, **more: Any) -> Reply:
    """An error as GitHub words it."""
    return Reply(status=status, document={"message": message, "status": str(status), **more})


def not_found() -> Reply:
    return refusal(404, "Not Found")
