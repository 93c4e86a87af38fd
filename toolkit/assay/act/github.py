"""A GitHub for one repository on this machine: the emulator, the front before it, and tokens."""

from __future__ import annotations

import http.client
import json
import secrets
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any

from assay.act.events import PullRequest
from assay.act.front import Front
from assay.act.ports import free_port
from assay.act.records import JOB_LOGIN, Account, Records, TokenKind
from assay.act.remote import Remote
from assay.act.routes import STAND_IN
from assay.act.tls import Certificate, make_certificate
from assay.errors import OutsideError

PATIENCE = 30.0
"""Seconds that the emulator may take to start; it takes under one."""


@dataclass(frozen=True, kw_only=True)
class Comment:
    """A comment on an issue or a pull request."""

    id: int
    author: str
    body: str
    created_at: str


class LocalGitHub:
    """A context manager: the API of ``remote``'s repository while it is entered.

    ``emulator`` is the command that :meth:`assay.act.tools.Toolbox.emulator` gives. ``people``
    are logins that get accounts beside the owner's. Inside, ``api_url`` is plain http, and
    ``server_url`` the same behind TLS, for those who trust ``certificate.ca``.
    """

    def __init__(
        self,
        *,
        remote: Remote,
        default_branch: str,
        store: Path,
        scratch: Path,
        emulator: Sequence[str],
        people: tuple[str, ...] = (),
    ) -> None:
        self._command = [*emulator, "start", "--service", "github"]
        self._scratch = scratch
        self._env = remote.env
        self.owner = remote.slug.split("/")[0]
        self._logins = tuple(dict.fromkeys((self.owner, JOB_LOGIN, *people)))
        self._upstream = {login: f"assay_{secrets.token_hex(16)}" for login in self._logins}
        tokens = {
            f"person_{secrets.token_hex(16)}": self._account(login, TokenKind.PERSON)
            for login in self._logins
            if login != JOB_LOGIN
        }
        self._personal = {account.login: token for token, account in tokens.items()}
        self.job_token = f"job_{secrets.token_hex(16)}"
        self.read_only_token = f"readonly_{secrets.token_hex(16)}"
        tokens[self.job_token] = self._account(JOB_LOGIN, TokenKind.JOB)
        tokens[self.read_only_token] = self._account(JOB_LOGIN, TokenKind.READ_ONLY_JOB)
        self.records = Records(
            remote=remote,
            default_branch=default_branch,
            artifacts=store / "artifacts",
            tokens=tokens,
        )
        self._process: subprocess.Popen[bytes] | None = None
        self._fronts: list[Front] = []
        self.api_url = ""
        self.server_url = ""
        self.certificate: Certificate = make_certificate(scratch / "tls")

    def _account(self, login: str, kind: TokenKind) -> Account:
        return Account(login=login, kind=kind, upstream=self._upstream[login])

    def token_of(self, login: str) -> str:
        """The personal token of the owner or one of ``people``."""
        return self._personal[login]

    def __enter__(self) -> LocalGitHub:
        self._scratch.mkdir(parents=True, exist_ok=True)
        try:
            upstream = self._start_emulator()
            plain = Front(self.records, upstream)
            self._fronts.append(plain)
            secure = Front(self.records, upstream, tls=self.certificate.server_context())
            self._fronts.append(secure)
        except BaseException:
            self._stop()
            raise
        self.api_url, self.server_url = plain.address, secure.address
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()

    def _stop(self) -> None:
        while self._fronts:
            self._fronts.pop().stop()
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _seed(self) -> Path:
        owner, name = self.records.slug.split("/", 1)
        seed = {
            "tokens": {token: {"login": login} for login, token in self._upstream.items()},
            "github": {
                "users": [{"login": login} for login in self._logins],
                "repos": [
                    {"owner": owner, "name": name, "default_branch": self.records.default_branch}
                ],
            },
        }
        file = self._scratch / "seed.json"
        file.write_text(json.dumps(seed), encoding="utf-8")
        return file

    def _start_emulator(self) -> int:
        """Start it on a free port; another try if someone took the port meanwhile."""
        seed = self._seed()
        log = self._scratch / "emulator.log"
        for _ in range(3):
            port = free_port()
            options = ["--port", str(port), "--seed", str(seed)]
            with log.open("wb") as output:
                self._process = subprocess.Popen(
                    [*self._command, *options],
                    env=self._env,
                    cwd=self._scratch,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                )
            if self._ready(port):
                return port
            self._stop()
        words = log.read_text(encoding="utf-8", errors="replace").strip()[-1000:]
        raise OutsideError(f"the local GitHub API did not start: {words or 'no output'}")

    def _ready(self, port: int) -> bool:
        deadline = time.monotonic() + PATIENCE
        owner = self.owner
        token = self._upstream[owner]
        while time.monotonic() < deadline:
            if self._process is None or self._process.poll() is not None:
                return False
            try:
                _, user = _ask(port, "GET", "/user", None, token)
                return bool(user["login"] == owner)
            except (OSError, ValueError, http.client.HTTPException):
                time.sleep(0.05)
        return False

    def call(
        self, method: str, path: str, body: Any = None, *, token: str | None = None
    ) -> tuple[int, Any]:
        """One call of the API, as the owner unless ``token`` says otherwise: (status, JSON)."""
        port = int(self.api_url.rsplit(":", 1)[1])
        return _ask(port, method, path, body, token or self.token_of(self.owner))

    def demand(self, method: str, path: str, body: Any = None, *, token: str | None = None) -> Any:
        """:meth:`call` that raises OutsideError for a refusal."""
        status, document = self.call(method, path, body, token=token)
        if status >= 300:
            raise OutsideError(f"the local GitHub API refused {method} {path}: {document}")
        return document

    def open_pull_request(self, pull: PullRequest) -> PullRequest:
        """Register ``pull`` (its number is given by the API) and return it numbered."""
        root = f"/repos/{self.records.slug}"
        tip = self.demand("GET", f"{root}/git/ref/heads/{self.records.default_branch}")
        parent = tip["object"]["sha"]
        known = self.demand("GET", f"{root}/branches?per_page=100")
        if pull.base_ref not in {branch["name"] for branch in known}:
            ref = {"ref": f"refs/heads/{pull.base_ref}", "sha": parent}
            self.demand("POST", f"{root}/git/refs", ref)
        stand_in = f"{STAND_IN}{secrets.token_hex(4)}"
        self._branch(stand_in, parent, pull.head_sha)
        asked = {"title": pull.title, "head": stand_in, "base": pull.base_ref, "body": ""}
        number = int(self.demand("POST", f"{root}/pulls", asked)["number"])
        numbered = replace(pull, number=number)
        with self.records.lock:
            self.records.pulls[number] = numbered
        return numbered

    def _branch(self, name: str, parent: str, content: str) -> None:
        """A branch of the emulator's own: it takes no pull request for commits it has not."""
        root = f"/repos/{self.records.slug}"
        blob = self.demand("POST", f"{root}/git/blobs", {"content": content})
        entry = {"path": "head", "mode": "100644", "type": "blob", "sha": blob["sha"]}
        tree = self.demand("POST", f"{root}/git/trees", {"tree": [entry]})
        placeholder = {"message": name, "tree": tree["sha"], "parents": [parent]}
        commit = self.demand("POST", f"{root}/git/commits", placeholder)
        ref = {"ref": f"refs/heads/{name}", "sha": commit["sha"]}
        self.demand("POST", f"{root}/git/refs", ref)

    def update_pull_request(self, pull: PullRequest) -> None:
        """Replace what is known of a pull request: its head moved, say."""
        with self.records.lock:
            self.records.pulls[pull.number] = pull

    def add_label(self, number: int, label: str, *, login: str | None = None) -> None:
        """Set a label as ``login`` (the owner if None); the timeline records who and when."""
        root = f"/repos/{self.records.slug}"
        self.call("POST", f"{root}/labels", {"name": label, "color": "ededed"})
        token = self.token_of(login or self.owner)
        self.demand("POST", f"{root}/issues/{number}/labels", {"labels": [label]}, token=token)

    def comments(self, number: int) -> tuple[Comment, ...]:
        """All comments of an issue or pull request, oldest first."""
        found: list[Comment] = []
        page = 1
        while True:
            path = f"/repos/{self.records.slug}/issues/{number}/comments"
            batch = self.demand("GET", f"{path}?per_page=100&page={page}")
            found += [_comment(item) for item in batch]
            if len(batch) < 100:
                return tuple(found)
            page += 1


def _comment(item: Mapping[str, Any]) -> Comment:
    return Comment(
        id=item["id"],
        author=item["user"]["login"],
        body=item["body"],
        created_at=item["created_at"],
    )


def _ask(port: int, method: str, path: str, body: Any, token: str) -> tuple[int, Any]:
    """One call of a server on this machine: (status, JSON)."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        content = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"token {token}", "Content-Type": "application/json"}
        connection.request(method, path, body=content, headers=headers)
        response = connection.getresponse()
        answer = response.read()
        return response.status, json.loads(answer) if answer else None
    finally:
        connection.close()
