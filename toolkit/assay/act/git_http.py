"""git over HTTP, as GitHub serves it: git's own http-backend on the remote, behind its tokens."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

from assay.act.records import Account, Records, TokenKind

Answer = tuple[int, bytes, dict[str, str]]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request as it arrived; ``path`` without ``query``, ``headers`` named as git writes them."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]


def is_git(records: Records, path: str) -> bool:
    """Whether ``path`` lies below the repository's address as git has it."""
    return path.startswith(f"/{records.slug}.git/")


def answer(records: Records, asked: Asked, body: bytes, account: Account | None) -> Answer:
    """Let git answer; a push takes a token that may write, as on GitHub."""
    refused = _refused(asked, account)
    if refused is not None:
        return refused
    remote = records.remote
    environment = {
        **remote.env,
        "GIT_PROJECT_ROOT": str(remote.path.parent),
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": f"/{remote.path.name}{asked.path.removeprefix(f'/{records.slug}.git')}",
        "QUERY_STRING": asked.query,
        "REQUEST_METHOD": asked.method,
        "CONTENT_TYPE": asked.headers.get("Content-Type") or "",
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_CONTENT_ENCODING": asked.headers.get("Content-Encoding") or "",
        "GIT_PROTOCOL": asked.headers.get("Git-Protocol") or "",
        **({"REMOTE_USER": account.login} if account else {}),
    }
    done = subprocess.run(
        ["git", "http-backend"], env=environment, input=body, capture_output=True, check=False
    )
    if done.returncode:
        return 500, done.stderr, {"Content-Type": "text/plain"}
    head, _, content = done.stdout.partition(b"\r\n\r\n")
    headers = {}
    for line in head.decode(errors="replace").split("\r\n"):
        name, _, value = line.partition(":")
        headers[name] = value.strip()
    status = int(headers.pop("Status", "200").split()[0])
    return status, content, headers


def _refused(asked: Asked, account: Account | None) -> Answer | None:
    if account is not None and not account.login:
        return 401, b"Invalid username or token.\n", {"WWW-Authenticate": 'Basic realm="GitHub"'}
    if "git-receive-pack" not in asked.path + asked.query:
        return None
    if account is None:
        return 401, b"No anonymous write access.\n", {"WWW-Authenticate": 'Basic realm="GitHub"'}
    if account.kind is TokenKind.READ_ONLY_JOB:
        return 403, b"Write access to repository not granted.\n", {"Content-Type": "text/plain"}
    return None
