"""Git data over REST, read from the real git remote: the emulator keeps objects of its own only."""

from __future__ import annotations

import base64
from typing import Any

from assay.act.answers import Call, Reply, not_found, page, refusal
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


def git_commit(call: Call) -> Reply | None:
    sha = resolve(call.records, call.part["sha"])
    return Reply(status=200, document=_commit(call.records, sha)) if sha else not_found()


def commit(call: Call) -> Reply | None:
    sha = resolve(call.records, call.part["ref"])
    if sha is None:
        return refusal(422, f"No commit found for SHA: {call.part['ref']}")
    facts = _commit(call.records, sha)
    inner = {key: facts[key] for key in ("tree", "author", "committer", "message")}
    document = {"sha": sha, "commit": inner, "parents": facts["parents"], "author": None}
    return Reply(status=200, document=document)


def tree(call: Call) -> Reply | None:
    sha = resolve(call.records, call.part["sha"], "tree")
    if sha is None:
        return not_found()
    flags = ["-r", "-t"] if "recursive" in call.request.query else []
    listing = (_git(call.records, "ls-tree", "-z", "--long", *flags, sha) or b"").decode()
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


def contents(call: Call) -> Reply | None:
    sha = resolve(call.records, call.request.query.get("ref") or call.records.default_branch)
    path = call.part["path"].strip("/")
    if sha is None:
        return refusal(404, f"No commit found for the ref {call.request.query.get('ref')}")
    kind = _git(call.records, "cat-file", "-t", f"{sha}:{path}")
    if kind is None:
        return not_found()
    if kind.strip() == b"tree":
        names = (_git(call.records, "ls-tree", "-z", f"{sha}:{path}") or b"").decode().split("\0")
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
    data = _git(call.records, "cat-file", "blob", f"{sha}:{path}") or b""
    if "raw" in call.request.accept:
        return Reply(status=200, raw=data, content_type="application/vnd.github.raw+json")
    blob = (_git(call.records, "rev-parse", f"{sha}:{path}") or b"").decode().strip()
    document = {
        "type": "file",
        "name": path.rsplit("/", 1)[-1],
        "path": path,
        "sha": blob,
        "size": len(data),
        "encoding": "base64",
        "content": base64.encodebytes(data).decode(),
        "url": f"{call.request.base}{call.request.path}",
    }
    return Reply(status=200, document=document)


def _files(records: Records, base: str, head: str) -> list[dict[str, Any]]:
    names = {"A": "added", "M": "modified", "D": "removed", "T": "changed"}
    listing = _git(records, "diff", "--name-status", "--no-renames", "-z", base, head) or b""
    words = listing.decode(errors="replace").split("\0")
    pairs = zip(words[0::2], words[1::2], strict=False)
    return [{"filename": path, "status": names.get(state, "changed")} for state, path in pairs]


def compare(call: Call) -> Reply | None:
    base, head = resolve(call.records, call.part["base"]), resolve(call.records, call.part["head"])
    if base is None or head is None:
        return not_found()
    found = _git(call.records, "merge-base", base, head)
    if found is None:
        return not_found()
    merge_base = found.decode().strip()
    counts = _git(call.records, "rev-list", "--left-right", "--count", f"{base}...{head}") or b"0 0"
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
        "files": _files(call.records, merge_base, head),
    }
    return Reply(status=200, document=document)


def pull_files(call: Call) -> Reply | None:
    pull = call.records.pulls.get(int(call.part["number"]))
    if pull is None:
        return None
    merge_base = _git(call.records, "merge-base", pull.base_sha, pull.head_sha)
    start = merge_base.decode().strip() if merge_base else pull.base_sha
    files = _files(call.records, start, pull.head_sha)
    return Reply(status=200, document=page(call.request, files))
