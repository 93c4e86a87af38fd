"""A small stand-in server in front of the GitHub emulator.

It knows whose a token is and what it may do, answers what the emulator cannot (see
:mod:`assay.act.routes` and :mod:`assay.act.git_routes`), and passes everything else on. It serves
plain HTTP, and the same behind TLS for programs that accept nothing less, there also below
``/api/v3`` as GitHub Enterprise Server has it.
"""

from __future__ import annotations

import base64
import http.client
import json
import re
import ssl
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from assay.act import git_http, git_routes, routes
from assay.act.answers import Call, Note, Reply, Request, Route, refusal
from assay.act.events import pull_request_facts
from assay.act.records import Account, Records, TokenKind

REPOSITORY = r"/repos/(?P<slug>[^/]+/[^/]+)"
ROUTES: tuple[tuple[str, str, Route], ...] = (
    ("GET", r"/git/commits/(?P<sha>[^/]+)", git_routes.git_commit),
    ("GET", r"/git/trees/(?P<sha>.+)", git_routes.tree),
    ("GET", r"/commits/(?P<ref>.+)/(?P<combined>status|statuses)", routes.statuses),
    ("GET", r"/commits/(?P<ref>.+)/check-runs", routes.check_runs),
    ("GET", r"/commits/(?P<sha>[^/]+)/pulls", routes.pulls_of_commit),
    ("GET", r"/commits/(?P<ref>[^/]+)", git_routes.commit),
    ("GET", r"/contents(?P<path>/.*|)", git_routes.contents),
    ("GET", r"/compare/(?P<base>.+)\.\.\.(?P<head>.+)", git_routes.compare),
    ("POST", r"/statuses/(?P<sha>[^/]+)", routes.set_status),
    ("GET", r"/pulls", routes.list_pulls),
    ("POST", r"/pulls", routes.open_pull),
    ("GET", r"/pulls/(?P<number>\d+)/files", git_routes.pull_files),
    ("GET", r"/issues/(?P<number>\d+)/(?:timeline|events)", routes.timeline),
    ("POST", r"/issues/\d+/comments", routes.long_comment),
    ("PATCH", r"/issues/comments/\d+", routes.long_comment),
    ("GET", r"/collaborators/(?P<login>[^/]+)/permission", routes.permission),
    ("GET", r"/actions/runs", routes.run_list),
    ("GET", r"/actions/workflows/(?P<workflow>[^/]+)/runs", routes.run_list),
    ("GET", r"/actions/runs/(?P<run>\d+)", routes.run_one),
    ("GET", r"/actions/runs/(?P<run>\d+)/artifacts", routes.artifact_list),
    ("GET", r"/actions/runs/(?P<run>\d+)/approvals", routes.approvals),
    ("GET", r"/actions/artifacts", routes.artifact_list),
    ("GET", r"/actions/artifacts/(?P<artifact>\d+)(?P<zip>/zip|)", routes.artifact_one),
)
_COMPILED = tuple((method, re.compile(REPOSITORY + path), route) for method, path, route in ROUTES)
_ENTERPRISE = "/api/v3"


class Front(ThreadingHTTPServer):
    """Listens on a free port of 127.0.0.1; ``upstream`` is the emulator's port."""

    daemon_threads = True

    def __init__(
        self, records: Records, upstream: int, *, tls: ssl.SSLContext | None = None
    ) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.records = records
        self.upstream = upstream
        self.port: int = self.server_address[1]
        self.address = f"https://localhost:{self.port}" if tls else f"http://127.0.0.1:{self.port}"
        self.other_address = (
            f"https://127.0.0.1:{self.port}" if tls else f"http://localhost:{self.port}"
        )
        if tls:
            self.socket = tls.wrap_socket(
                self.socket, server_side=True, do_handshake_on_connect=False
            )
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop listening and wait for the accepting thread."""
        self.shutdown()
        self.server_close()
        self._thread.join()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up or distrusts the certificate is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Front

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
        """Say nothing: the harness reports what matters."""

    def handle_any(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        self._send(*_answer(self.server, self, self.rfile.read(length)))

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = handle_any  # noqa: N815 - http.server's

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _answer(front: Front, handler: _Handler, body: bytes) -> tuple[int, bytes, dict[str, str]]:
    parts = urlsplit(handler.path)
    path, base = parts.path, front.address
    if path.startswith(_ENTERPRISE + "/"):
        path, base = path.removeprefix(_ENTERPRISE), base + _ENTERPRISE
    account = _account(front.records, handler.headers.get("Authorization", ""))
    if git_http.is_git(front.records, path):
        asked = git_http.Asked(
            method=handler.command, path=path, query=parts.query, headers=dict(handler.headers)
        )
        return git_http.answer(front.records, asked, body, account)
    request = Request(
        method=handler.command,
        path=unquote(path),
        query=dict(parse_qsl(parts.query, keep_blank_values=True)),
        body=_json(body),
        account=account,
        base=base,
        accept=handler.headers.get("Accept", ""),
    )
    if path.startswith(routes.STORAGE + "/"):
        authorized = "Authorization" in handler.headers
        return _written(front, routes.storage(front.records, path, authorized=authorized))
    reply = _refuse(request) or _own_route(front.records, request)
    if reply is not None:
        return _written(front, reply)
    target = path + (f"?{parts.query}" if parts.query else "")
    return _pass_on(front, request, target, body)


def _written(front: Front, reply: Reply) -> tuple[int, bytes, dict[str, str]]:
    raw = reply.raw if reply.raw is not None else json.dumps(reply.document).encode()
    headers = {"Content-Type": reply.content_type}
    if reply.location:
        headers["Location"] = front.other_address + reply.location
    return reply.status, raw, headers


def _account(records: Records, header: str) -> Account | None:
    """The account of an Authorization header; one of nobody for a token that is unknown."""
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "basic":
        value = base64.b64decode(value).decode(errors="replace").partition(":")[2]
    if not value.strip():
        return None
    nobody = Account(login="", kind=TokenKind.PERSON, upstream="")
    return records.tokens.get(value.strip(), nobody)


def _json(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body or b"{}")
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {"": document}


def _refuse(request: Request) -> Reply | None:
    """What GitHub refuses whatever the endpoint: bad tokens, and tokens that may not."""
    account = request.account
    if account is None:
        return None if request.method == "GET" else refusal(401, "Requires authentication")
    if not account.login:
        return refusal(401, "Bad credentials")
    barred = "Resource not accessible by integration"
    if account.kind is TokenKind.READ_ONLY_JOB and request.method != "GET":
        return refusal(403, barred)
    if account.kind is not TokenKind.PERSON and request.path == "/user":
        return refusal(403, barred)
    return None


def _own_route(records: Records, request: Request) -> Reply | None:
    for method, pattern, route in _COMPILED:
        match = pattern.fullmatch(request.path) if method == request.method else None
        if match and match["slug"] == records.slug:
            return route(Call(records=records, request=request, part=match.groupdict()))
    return None


def _pass_on(
    front: Front, request: Request, target: str, body: bytes
) -> tuple[int, bytes, dict[str, str]]:
    headers = {"Content-Type": "application/json", "Accept": request.accept or "*/*"}
    if request.account:
        headers["Authorization"] = f"token {request.account.upstream}"
    connection = http.client.HTTPConnection("127.0.0.1", front.upstream, timeout=30)
    try:
        connection.request(request.method, target, body=body or None, headers=headers)
        response = connection.getresponse()
        content = response.read()
        kept = {
            name: value
            for name, value in response.getheaders()
            if name.lower() in ("content-type", "link", "location", "etag")
        }
    except OSError as error:
        words = json.dumps({"message": f"the emulator does not answer: {error}"}).encode()
        return 502, words, {"Content-Type": "application/json"}
    finally:
        connection.close()
    for own in (f"http://localhost:{front.upstream}", f"http://127.0.0.1:{front.upstream}"):
        for old, new in ((f"{own}/repos/", f"{request.base}/repos/"), (own, front.address)):
            content = content.replace(old.encode(), new.encode())
            kept = {name: value.replace(old, new) for name, value in kept.items()}
    if response.status < 300:
        content = _note(front.records, request, _with_bots(content))
    return response.status, content, kept


def _with_bots(content: bytes) -> bytes:
    """Accounts that end in ``[bot]`` are of type Bot: the emulator makes users of all."""

    def mend(facts: dict[str, Any]) -> dict[str, Any]:
        return {**facts, "type": "Bot"} if str(facts.get("login")).endswith("[bot]") else facts

    try:
        return json.dumps(json.loads(content, object_hook=mend)).encode()
    except ValueError:
        return content


def _note(records: Records, request: Request, content: bytes) -> bytes:
    """Record what the emulator forgets, and put right what it says of pull requests."""
    for method, pattern, note in _NOTES:
        match = pattern.fullmatch(request.path) if method == request.method else None
        if match and match["slug"] == records.slug:
            return note(Call(records=records, request=request, part=match.groupdict()), content)
    return content


def _pull(call: Call, content: bytes) -> bytes:
    pull = call.records.pulls.get(int(call.part["number"]))
    if pull is None:
        return content
    answer = json.loads(content)
    with call.records.lock:
        pull = replace(pull, state=answer["state"], title=answer["title"])
        call.records.pulls[pull.number] = pull
    own = pull_request_facts(pull, call.records.default_branch)
    kept = {key: own[key] for key in ("head", "base", "merge_commit_sha", "user")}
    return json.dumps({**answer, **kept}).encode()


def _labels(call: Call, content: bytes) -> bytes:
    given = call.request.body.get("labels", call.request.body.get("", []))
    words = [label if isinstance(label, str) else label.get("name", "") for label in given]
    added = call.request.method == "POST"
    names = words if added else [call.part["label"]]
    login = call.request.account.login if call.request.account else ""
    number = int(call.part["number"])
    with call.records.lock:
        for name in names:
            call.records.add_event(
                number,
                {
                    "event": "labeled" if added else "unlabeled",
                    "label": {"name": name},
                    "actor": {"login": login},
                },
            )
        pull = call.records.pulls.get(number)
        if pull:
            rest = tuple(label for label in pull.labels if label not in names)
            labels = (*rest, *names) if added else rest
            call.records.pulls[number] = replace(pull, labels=labels)
    return content


def _check(call: Call, content: bytes) -> bytes:
    document = json.loads(content)
    with call.records.lock:
        call.records.checks.setdefault(document["head_sha"], {})[document["id"]] = document
    return content


_NOTES: tuple[tuple[str, re.Pattern[str], Note], ...] = (
    ("GET", re.compile(REPOSITORY + r"/pulls/(?P<number>\d+)"), _pull),
    ("PATCH", re.compile(REPOSITORY + r"/pulls/(?P<number>\d+)"), _pull),
    ("POST", re.compile(REPOSITORY + r"/issues/(?P<number>\d+)/labels"), _labels),
    ("DELETE", re.compile(REPOSITORY + r"/issues/(?P<number>\d+)/labels/(?P<label>.+)"), _labels),
    ("POST", re.compile(REPOSITORY + r"/check-runs"), _check),
    ("PATCH", re.compile(REPOSITORY + r"/check-runs/\d+"), _check),
)
