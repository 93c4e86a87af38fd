"""Git data over REST, read from the real git remote: the emulator keeps objects of its own only."""

from __future__ import annotations

import base64
import re
from typing import Any

from assay.act.answers import Reply, Request, not_found, refusal
from assay.act.gitcli import run_git
from assay.act.records import Records


def _git(records: Records, *arguments: str) -> bytes | None:
    remote = records.remote
    done = run_git(remote.path, *arguments, env=remote.env, check=False)
    return done.stdout if done.returncode == 0 else None


def resolve(records: Records, name: str, kind: str = "commit") -> str | None:
    for candidate in (f"refs/heads/{name}", f"refs/tags/{name}", name, f"refs/{name}"):
        if candidate.startswith("-"):
            return None
        found = _git(records, "rev-parse", "--verify", "--quiet", f"{candidate}^{{{kind}}}")
        if found:
            return found.decode().strip()
    return None


def _commit(records: Records, sha: str) -> dict[str, Any]:
    shape = "%H%x00%T%x00%P%x00%an%x00%ae%x00%aI%x00%cn%x00%ce%x00%cI%x00%B"
    text = (_git(records, "show", "--no-patch", f"--format={shape}", sha) or b"").decode(
        errors="replace"
    )
    commit, tree, parents, an, ae, ad, cn, ce, cd, message = text.split("\0", 9)
    return {
        "sha": commit,
        "tree": {"sha": tree},
        "parents": [{"sha": parent} for parent in parents.split()],
        "author": {"name": an, "email": ae, "date": ad},
        "committer": {"name": cn, "email": ce, "date": cd},
        "message": message.rstrip("\n"),
    }


def git_commit(records: Records, request: Request, match: re.Match[str]) -> Reply | None:
    sha = resolve(records, match["sha"])
    return Reply(status=200, document=_commit(records, sha)) if sha else not_found()


def commit(records: Records, request: Request, match: re.Match[str]) -> Reply | None:
    sha = resolve(records, match["ref"])
    if sha is None:
        return refusal(422, f"No commit found for SHA: {match['ref']}")
    facts = _commit(records, sha)
    inner = {key: facts[key] for key in ("tree", "author", "committer", "message")}
    document = {"sha": sha, "commit": inner, "parents": facts["parents"], "author": None}
    return Reply(status=200, document=document)


def tree(records: Records, request: Request, match: re.Match[str]) -> Reply | None:
    sha = resolve(records, match["sha"], "tree")
    if sha is None:
        return not_found()
    flags = ["-r", "-t"] if "recursive" in request.query else []
    listing = (_git(records, "ls-tree", "-z", "--long", *flags, sha) or b"").decode()
    entries = []
    for line in listing.split("\0"):
        if not line:
            continue
        facts, path = line.split("\t", 1)
        mode, kind, entry_sha, size = facts.split()
        entry: dict[str, Any] = {"path": path, "mode": mode, "type": kind, "sha": entry_sha}
        if size != "-":
            entry["size"] = int(size)
        entries.append(entry)
    return Reply(status=200, document={"sha": sha, "tree": entries, "truncated": False})


def contents(records: Records, request: Request, match: re.Match[str]) -> Reply | None:
    sha = resolve(records, request.query.get("ref") or records.default_branch)
    path = match["path"].strip("/")
    if sha is None:
        return refusal(404, f"No commit found for the ref {request.query.get('ref')}")
    kind = _git(records, "cat-file", "-t", f"{sha}:{path}")
    if kind is None:
        return not_found()
    if kind.strip() == b"tree":
        names = (_git(records, "ls-tree", "-z", f"{sha}:{path}") or b"").decode().split("\0")
        entries = [line.split("\t", 1) for line in names if line]
        listing = [
            {
                "name": name,
                "path": f"{path}/{name}".strip("/"),
                "type": "dir" if facts.split()[1] == "tree" else "file",
                "sha": facts.split()[2],
            }
            for facts, name in entries
        ]
        return Reply(status=200, document=listing)
    data = _git(records, "cat-file", "blob", f"{sha}:{path}") or b""
    if "raw" in request.accept:
        return Reply(status=200, raw=data, content_type="application/vnd.github.raw+json")
    blob = (_git(records, "rev-parse", f"{sha}:{path}") or b"").decode().strip()
    document = {
        "type": "file",
        "name": path.rsplit("/", 1)[-1],
        "path": path,
        "sha": blob,
        "size": len(data),
        "encoding": "base64",
        "content": base64.encodebytes(data).decode(),
        "url": f"{request.base}{request.path}",
    }
    return Reply(status=200, document=document)


def _files(records: Records, base: str, head: str) -> list[dict[str, Any]]:
    names = {"A": "added", "M": "modified", "D": "removed", "T": "changed"}
    listing = _git(records, "diff", "--name-status", "--no-renames", "-z", base, head) or b""
    words = listing.decode(errors="replace").split("\0")
    pairs = zip(words[0::2], words[1::2], strict=False)
    return [{"filename": path, "status": names.get(state, "changed")} for state, path in pairs]


def compare(records: Records, request: Request, match: re.Match[str]) -> Reply | None:
    base, head = resolve(records, match["base"]), resolve(records, match["head"])
    if base is None or head is None:
        return not_found()
    found = _git(records, "merge-base", base, head)
    if found is None:
        return not_found()
    merge_base = found.decode().strip()
    counts = _git(records, "rev-list", "--left-right", "--count", f"{base}...{head}") or b"0 0"
    behind, ahead = (int(number) for number in counts.split())
    status = {(False, False): "identical", (True, False): "ahead", (False, True): "behind"}.get(
        (ahead > 0, behind > 0), "diverged"
    )
    document = {
        "status": status,
        "ahead_by": ahead,
        "behind_by": behind,
        "base_commit": {"sha": base},
        "merge_base_commit": {"sha": merge_base},
        "files": _files(records, merge_base, head),
    }
    return Reply(status=200, document=document)


def pull_files(records: Records, request: Request, match: re.Match[str]) -> Reply | None:
    pull = records.pulls.get(int(match["number"]))
    if pull is None:
        return None
    merge_base = _git(records, "merge-base", pull.base_sha, pull.head_sha)
    start = merge_base.decode().strip() if merge_base else pull.base_sha
    return Reply(status=200, document=_files(records, start, pull.head_sha))
