"""Endpoints that the emulator has not, or too simply: runs, artifacts, labels' times, statuses."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from assay.act.answers import Reply, Request, not_found, refusal
from assay.act.events import pull_request_facts
from assay.act.git_routes import resolve
from assay.act.records import Records, now, stored_artifacts

COMMENT_LIMIT = 65_536


def list_pulls(records: Records, request: Request, match: re.Match[str]) -> Reply | None:
    """Open pull requests, filtered by head label and base as GitHub filters them."""
    wanted_head, wanted_base = request.query.get("head"), request.query.get("base")
    found = []
    with records.lock:
        for pull in records.pulls.values():
            facts = pull_request_facts(pull, records.default_branch)
            if wanted_head and facts["head"]["label"] != wanted_head:
                continue
            if wanted_base and pull.base_ref != wanted_base:
                continue
            if request.query.get("state", "open") in ("open", "all"):
                address = f"{request.base}/repos/{records.slug}/pulls/{pull.number}"
                found.append({**facts, "url": address, "id": pull.number})
    return Reply(status=200, document=found)


def run_list(records: Records, request: Request, match: re.Match[str]) -> Reply | None:
    """Runs, newest first, by ``head_sha``, ``event``, ``branch`` and ``status``."""
    with records.lock:
        runs = sorted(records.runs.values(), key=lambda run: -int(run["id"]))
    workflow = match.groupdict().get("workflow")
    if workflow:
        runs = [run for run in runs if run["path"].endswith("/" + workflow)]
    for name, key in (("head_sha", "head_sha"), ("event", "event"), ("branch", "head_branch")):
        if name in request.query:
            runs = [run for run in runs if run[key] == request.query[name]]
    if "status" in request.query:
        wanted = request.query["status"]
        runs = [run for run in runs if wanted in (run["status"], run["conclusion"])]
    return Reply(status=200, document={"total_count": len(runs), "workflow_runs": runs})


def run_one(records: Records, request: Request, match: re.Match[str]) -> Reply | None:
    run = records.runs.get(int(match["run"]))
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


def artifact_list(records: Records, request: Request, match: re.Match[str]) -> Reply | None:
    """Artifacts of a run, or of all runs, newest first, by exact ``name``; paged."""
    run = match.groupdict().get("run")
    stored = stored_artifacts(records.artifacts, int(run) if run else None)
    chosen = [
        _artifact(records, facts, request.base)
        for facts, _ in reversed(stored)
        if request.query.get("name", facts["name"]) == facts["name"]
    ]
    size, page = int(request.query.get("per_page", 30)), int(request.query.get("page", 1))
    shown = chosen[(page - 1) * size : page * size]
    return Reply(status=200, document={"total_count": len(chosen), "artifacts": shown})


def artifact_one(records: Records, request: Request, match: re.Match[str]) -> Reply | None:
    for facts, archive in stored_artifacts(records.artifacts):
        if facts["id"] == int(match["artifact"]):
            if match["zip"]:
                raw = archive.read_bytes()
                return Reply(status=200, raw=raw, content_type="application/zip")
            return Reply(status=200, document=_artifact(records, facts, request.base))
    return not_found()


def timeline(records: Records, request: Request, match: re.Match[str]) -> Reply | None:
    with records.lock:
        events = list(records.timeline.get(int(match["number"]), ()))
    size, page = int(request.query.get("per_page", 30)), int(request.query.get("page", 1))
    return Reply(status=200, document=events[(page - 1) * size : page * size])


def permission(records: Records, request: Request, match: re.Match[str]) -> Reply | None:
    login = match["login"]
    owner = login == records.slug.split("/")[0]
    role = records.permissions.get(login, "admin" if owner else "read")
    simple = {"maintain": "write", "triage": "read"}.get(role, role)
    user = {"login": login, "type": "User"}
    return Reply(status=200, document={"permission": simple, "role_name": role, "user": user})


def set_status(records: Records, request: Request, match: re.Match[str]) -> Reply | None:
    document = {**request.body, "id": 1, "created_at": now()}
    with records.lock:
        records.statuses.setdefault(match["sha"], []).insert(0, document)
    return Reply(status=201, document=document)


def statuses(records: Records, request: Request, match: re.Match[str]) -> Reply | None:
    sha = resolve(records, match["ref"]) or match["ref"]
    found = records.statuses.get(sha, [])
    if match["combined"] == "statuses":
        return Reply(status=200, document=found)
    state = "pending" if not found else str(found[0].get("state"))
    return Reply(status=200, document={"state": state, "sha": sha, "statuses": found})


def check_runs(records: Records, request: Request, match: re.Match[str]) -> Reply | None:
    """The check runs of a commit, by ``check_name`` if asked."""
    sha = resolve(records, match["ref"]) or match["ref"]
    with records.lock:
        found = list(records.checks.get(sha, {}).values())
    wanted = request.query.get("check_name")
    found = [check for check in found if wanted in (None, check["name"])]
    return Reply(status=200, document={"total_count": len(found), "check_runs": found})


def long_comment(records: Records, request: Request, match: re.Match[str]) -> Reply | None:
    """Refuses what GitHub refuses, and leaves the rest to the emulator."""
    if len(str(request.body.get("body", ""))) <= COMMENT_LIMIT:
        return None
    message = f"Body is too long (maximum is {COMMENT_LIMIT} characters)"
    error = {"resource": "IssueComment", "code": "unprocessable", "field": "data"}
    return refusal(422, "Validation Failed", errors=[{**error, "message": message}])
