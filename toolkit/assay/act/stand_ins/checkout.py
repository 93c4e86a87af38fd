"""Stand-in for actions/checkout: the same inputs, fetched from a git remote on this machine.

The harness keeps one bare repository per slug under ``git/<owner>/<name>.git`` of its store, with
``refs/pull/<n>/head`` and ``refs/pull/<n>/merge`` as GitHub has them. Depth is honoured, so a
workflow that forgets ``fetch-depth: 0`` fails here as it would there.
"""

from __future__ import annotations

import base64
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from assay.act.stand_ins.kit import Failed, Step, run

COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, check=False)
    if done.returncode:
        raise Failed(f"git {arguments[0]}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout.decode().strip()


def named(remote: Path, wanted: str) -> tuple[str, str]:
    """The full ref ('' for a bare commit) and the commit that the ``ref`` input names."""
    if COMMIT.fullmatch(wanted):
        return "", wanted
    full = [wanted] if wanted.startswith("refs/") else []
    for name in full or [f"refs/heads/{wanted}", f"refs/tags/{wanted}"]:
        try:
            return name, git(remote, "rev-parse", "--verify", "--quiet", name + "^{commit}")
        except Failed:
            continue
    raise Failed(f"the repository has no branch, tag or ref named '{wanted}'")


def tracking(ref: str) -> str:
    """Where the real action keeps a ref that it fetched."""
    for head, kept in (
        ("refs/heads/", "refs/remotes/origin/"),
        ("refs/pull/", "refs/remotes/pull/"),
    ):
        if ref.startswith(head):
            return kept + ref.removeprefix(head)
    return ref if ref.startswith("refs/tags/") else "refs/remotes/assay-act/checkout"


def fetch(step: Step, folder: Path, ref: str, commit: str) -> None:
    depth = step.text("fetch-depth") or "1"
    if not depth.isdigit():
        raise Failed(f"fetch-depth must be a number, got '{depth}'")
    source = ref if ref.startswith("refs/tags/") else commit
    refspecs = [f"+{source}:{tracking(ref)}"]
    options = ["--no-tags", "--no-recurse-submodules", "--quiet"]
    tags = "+refs/tags/*:refs/tags/*"
    if depth == "0":
        # By itself: git fetches two sources into one tracking branch in no single call.
        git(folder, "fetch", *options, "origin", "+refs/heads/*:refs/remotes/origin/*", tags)
    else:
        options.append(f"--depth={depth}")
    if step.flag("fetch-tags") and tags not in refspecs:
        refspecs.append(tags)
    git(folder, "fetch", *options, "origin", *dict.fromkeys(refspecs))


def switch(folder: Path, ref: str, commit: str) -> None:
    if ref.startswith("refs/heads/"):
        branch = ref.removeprefix("refs/heads/")
        git(folder, "checkout", "--force", "--quiet", "-B", branch, commit)
    else:
        git(folder, "checkout", "--force", "--quiet", "--detach", commit)


def extras(step: Step, folder: Path) -> None:
    """LFS, submodules, and the token in the local configuration unless it must not stay."""
    if step.flag("lfs"):
        git(folder, "lfs", "pull")
    if step.text("submodules") in ("true", "recursive"):
        recursive = ["--recursive"] if step.text("submodules") == "recursive" else []
        git(folder, "submodule", "update", "--init", "--force", *recursive)
    if step.text("persist-credentials") != "false" and step.text("token"):
        basic = base64.b64encode(f"x-access-token:{step.text('token')}".encode()).decode()
        server = step.github.get("GITHUB_SERVER_URL", "https://github.com")
        git(folder, "config", f"http.{server}/.extraheader", f"AUTHORIZATION: basic {basic}")


def checkout(step: Step) -> Mapping[str, str]:
    slug = step.text("repository")
    remote = step.store / "git" / f"{slug}.git"
    if not remote.is_dir():
        raise Failed(f"there is no local git remote for '{slug}'; the harness serves its own only")
    if step.text("sparse-checkout"):
        raise Failed("sparse-checkout is not supported by the stand-in")
    folder = (step.workspace / step.text("path")).resolve()
    if folder != step.workspace and step.workspace not in folder.parents:
        raise Failed(f"path '{step.text('path')}' leaves the workspace")
    wanted = step.text("ref")
    if wanted:
        ref, commit = named(remote, wanted)
    elif slug == step.github.get("GITHUB_REPOSITORY"):
        ref, commit = step.github.get("GITHUB_REF", ""), step.github["GITHUB_SHA"]
    else:
        ref, commit = named(remote, git(remote, "symbolic-ref", "HEAD"))
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "--quiet")
    if "origin" in git(folder, "remote").split():
        git(folder, "remote", "remove", "origin")
    git(folder, "remote", "add", "origin", remote.as_uri())
    fetch(step, folder, ref, commit)
    switch(folder, ref, commit)
    extras(step, folder)
    print(f"checked out {commit} ({ref or 'no ref'}) of {slug}")
    return {"ref": wanted or ref, "commit": commit}


if __name__ == "__main__":
    run("checkout", checkout)
