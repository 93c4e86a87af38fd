"""Endpoints that the emulator has not, or too simply: runs, artifacts, labels' times, statuses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from assay.act.answers import Call, Reply, not_found, page, refusal
from assay.act.events import pull_request_facts
from assay.act.git_routes import resolve
from assay.act.records import Records, now, stored_artifacts

COMMENT_LIMIT = 65_536
STAND_IN = "assay-act-"
"""How the branches are called that the harness gives the emulator for those it has not."""
STORAGE = "/storage"
"""Where artifacts' bytes are, as a path of another host name: GitHub sends there too, and that
storage refuses a request that still carries the token."""


def list_pulls(call: Call) -> Reply | None:
    """Open pull requests, filtered by head label and base as GitHub filters them."""
    wanted_head, wanted_base = call.request.query.get("head"), call.request.query.get("base")
    found = []
    with call.records.lock:
        for pull in call.records.pulls.values():
            facts = pull_request_facts(pull, call.records.default_branch)
            if wanted_head and facts["head"]["label"] != wanted_head:
                continue
            if wanted_base and pull.base_ref != wanted_base:
                continue
            if call.request.query.get("state", "open") in (pull.state, "all"):
                address = f"{call.request.base}/repos/{call.records.slug}/pulls/{pull.number}"
                found.append({**facts, "url": address, "id": pull.number})
    return Reply(status=200, document=page(call.request, found))


def open_pull(call: Call) -> Reply | None:
    """Opens a pull request of a branch that was pushed; one that is open already is refused."""
    body, opener = call.request.body, call.records.opener
    head = str(body.get("head", ""))
    if opener is None or head.startswith(STAND_IN):
        return None
    with call.records.lock:
        known = [one for one in call.records.pulls.values() if one.state == "open"]
    if any(one.head_ref == head for one in known) or resolve(call.records, head) is None:
        return refusal(422, "Validation Failed")
    pull = opener(body, call.request.account.login if call.request.account else "")
    return Reply(status=201, document=pull_request_facts(pull, call.records.default_branch))


def pulls_of_commit(call: Call) -> Reply | None:
    """The pull request that a commit merged, if it merged one."""
    with call.records.lock:
        number = call.records.merged.get(call.part["sha"])
        pull = call.records.pulls.get(number) if number is not None else None
    found = [pull_request_facts(pull, call.records.default_branch)] if pull else []
    merged = [{**facts, "merge_commit_sha": call.part["sha"]} for facts in found]
    return Reply(status=200, document=page(call.request, merged))


def approvals(call: Call) -> Reply | None:
    """Reviews of a run's environments."""
    with call.records.lock:
        found = list(call.records.approvals.get(int(call.part["run"]), ()))
    return Reply(status=200, document=found)


def run_list(call: Call) -> Reply | None:
    """Runs, newest first, by ``head_sha``, ``event``, ``branch`` and ``status``."""
    with call.records.lock:
        runs = sorted(call.records.runs.values(), key=lambda run: -int(run["id"]))
    workflow = call.part.get("workflow")
    if workflow:
        runs = [run for run in runs if run["path"].endswith("/" + workflow)]
    for name, key in (("head_sha", "head_sha"), ("event", "event"), ("branch", "head_branch")):
        if name in call.request.query:
            runs = [run for run in runs if run[key] == call.request.query[name]]
    if "status" in call.request.query:
        wanted = call.request.query["status"]
        runs = [run for run in runs if wanted in (run["status"], run["conclusion"])]
    shown = page(call.request, runs)
    return Reply(status=200, document={"total_count": len(runs), "workflow_runs": shown})


def run_one(call: Call) -> Reply | None:
    run = call.records.runs.get(int(call.part["run"]))
    return Reply(status=200, document=run) if run else not_found()


def _artifact(records: Records, facts: Mapping[str, Any], base: str) -> dict[str, Any]:
    address = f"{base}/repos/{records.slug}/actions/artifacts/{facts['id']}"
    run = records.runs.get(int(facts["run_id"]), {})
    return {
        "id": facts["id"],
        "name": facts["name"],
        "size_in_bytes": facts["size_in_bytes"],
        "digest": facts["digest"],
        "expired": False,
        "created_at": facts["created_at"],
        "url": address,
        "archive_download_url": f"{address}/zip",
        "workflow_run": {
            "id": facts["run_id"],
            "head_sha": run.get("head_sha", facts["head_sha"]),
            "head_branch": run.get("head_branch", ""),
            "repository_id": 1,
            "head_repository_id": 1,
        },
    }


def artifact_list(call: Call) -> Reply | None:
    """Artifacts of a run, or of all runs, newest first, by exact ``name``; paged."""
    run = call.part.get("run")
    stored = stored_artifacts(call.records.artifacts, int(run) if run else None)
    chosen = [
        _artifact(call.records, facts, call.request.base)
        for facts, _ in reversed(stored)
        if call.request.query.get("name", facts["name"]) == facts["name"]
    ]
    shown = page(call.request, chosen)
    return Reply(status=200, document={"total_count": len(chosen), "artifacts": shown})


def artifact_one(call: Call) -> Reply | None:
    for facts, archive in stored_artifacts(call.records.artifacts):
        if facts["id"] == int(call.part["artifact"]):
            if call.part["zip"]:
                return Reply(status=302, location=f"{STORAGE}/{archive.name}")
            return Reply(status=200, document=_artifact(call.records, facts, call.request.base))
    return not_found()


def timeline(call: Call) -> Reply | None:
    with call.records.lock:
        events = list(call.records.timeline.get(int(call.part["number"]), ()))
    return Reply(status=200, document=page(call.request, events))


def permission(call: Call) -> Reply | None:
    login = call.part["login"]
    owner = login == call.records.slug.split("/")[0]
    role = call.records.permissions.get(login, "admin" if owner else "read")
    simple = {"maintain": "write", "triage": "read"}.get(role, role)
    user = {"login": login, "type": "User"}
    return Reply(status=200, document={"permission": simple, "role_name": role, "user": user})


def set_status(call: Call) -> Reply | None:
    document = {**call.request.body, "id": 1, "created_at": now()}
    with call.records.lock:
        call.records.statuses.setdefault(call.part["sha"], []).insert(0, document)
    return Reply(status=201, document=document)


def statuses(call: Call) -> Reply | None:
    sha = resolve(call.records, call.part["ref"]) or call.part["ref"]
    found = call.records.statuses.get(sha, [])
    if call.part["combined"] == "statuses":
        return Reply(status=200, document=found)
    state = "pending" if not found else str(found[0].get("state"))
    return Reply(status=200, document={"state": state, "sha": sha, "statuses": found})


def check_runs(call: Call) -> Reply | None:
    """The check runs of a commit, by ``check_name`` if asked."""
    sha = resolve(call.records, call.part["ref"]) or call.part["ref"]
    with call.records.lock:
        found = list(call.records.checks.get(sha, {}).values())
    wanted = call.request.query.get("check_name")
    found = [check for check in found if wanted in (None, check["name"])]
    return Reply(status=200, document={"total_count": len(found), "check_runs": found})


def long_comment(call: Call) -> Reply | None:
    """Refuses what GitHub refuses, and leaves the rest to the emulator."""
    if len(str(call.request.body.get("body", ""))) <= COMMENT_LIMIT:
        return None
    message = f"Body is too long (maximum is {COMMENT_LIMIT} characters)"
    error = {"resource": "IssueComment", "code": "unprocessable", "field": "data"}
    return refusal(422, "Validation Failed", errors=[{**error, "message": message}])


def storage(records: Records, path: str, *, authorized: bool) -> Reply:
    """The bytes of an artifact, for one who was sent here without a token."""
    if authorized:
        return refusal(400, "Authorization is not expected here: drop it when redirected")
    for _, archive in stored_artifacts(records.artifacts):
        if path == f"{STORAGE}/{archive.name}":
            return Reply(status=200, raw=archive.read_bytes(), content_type="application/zip")
    return not_found()
