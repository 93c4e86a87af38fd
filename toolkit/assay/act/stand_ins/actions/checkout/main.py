"""Stand-in for actions/checkout: the same inputs, fetched from a git remote on this machine.

The harness keeps one bare repository per slug under ``$ASSAY_ACT_STORE/git/<owner>/<name>.git``,
with ``refs/pull/<n>/head`` and ``refs/pull/<n>/merge`` as GitHub has them. Depth is honoured, so
a workflow that forgets ``fetch-depth: 0`` fails here as it would there.
"""

import base64
import os
import re
import subprocess
import sys
from pathlib import Path


def setting(name: str) -> str:
    return os.environ.get("STAND_IN_" + name, "").strip()


def fail(message: str) -> None:
    print("::error title=checkout (stand-in)::" + message)
    sys.exit(1)


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    if done.returncode:
        fail("git {}: {}".format(arguments[0], done.stderr.decode(errors="replace").strip()))
    return done.stdout.decode().strip()


def remote_ref(remote: Path, wanted: str) -> "tuple[str, str]":
    """The full ref ('' for a bare commit) and the commit that the ``ref`` input names."""
    if re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", wanted):
        return "", wanted
    names = (
        [wanted]
        if wanted.startswith("refs/")
        else [
            "refs/heads/" + wanted,
            "refs/tags/" + wanted,
        ]
    )
    for name in names:
        found = subprocess.run(
            ["git", "-C", str(remote), "rev-parse", "--verify", "--quiet", name + "^{commit}"],
            stdout=subprocess.PIPE,
        )
        if found.returncode == 0:
            return name, found.stdout.decode().strip()
    fail(f"the repository has no branch, tag or ref named '{wanted}'")
    raise AssertionError("unreachable")


def fetch(folder: Path, ref: str, commit: str) -> None:
    depth = setting("FETCH_DEPTH") or "1"
    if not depth.isdigit():
        fail(f"fetch-depth must be a number, got '{depth}'")
    kept = "refs/remotes/assay-act/checkout"
    if ref.startswith("refs/heads/"):
        kept = "refs/remotes/origin/" + ref[len("refs/heads/") :]
    elif ref.startswith("refs/pull/"):
        kept = "refs/remotes/pull/" + ref[len("refs/pull/") :]
    elif ref.startswith("refs/tags/"):
        kept = ref
    refspecs = [f"+{commit}:{kept}"]
    arguments = ["--no-recurse-submodules", "--quiet"]
    if depth == "0":
        refspecs = ["+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*", *refspecs]
    else:
        arguments.append("--depth=" + depth)
    if setting("FETCH_TAGS") == "true":
        refspecs.append("+refs/tags/*:refs/tags/*")
    git(folder, "fetch", "--no-tags", *arguments, "origin", *dict.fromkeys(refspecs))


def main() -> None:
    store = os.environ.get("ASSAY_ACT_STORE") or fail("ASSAY_ACT_STORE is not set")
    slug = setting("REPOSITORY")
    remote = Path(str(store), "git", slug + ".git")
    if not remote.is_dir():
        fail(f"there is no local git remote for '{slug}'; the harness serves its own only")
    if setting("SPARSE_CHECKOUT"):
        fail("sparse-checkout is not supported by the stand-in")
    workspace = Path(os.environ["GITHUB_WORKSPACE"]).resolve()
    folder = (workspace / setting("PATH")).resolve()
    if folder != workspace and workspace not in folder.parents:
        fail("path '{}' leaves the workspace".format(setting("PATH")))
    own = slug == os.environ.get("GITHUB_REPOSITORY")
    wanted = setting("REF")
    if wanted:
        ref, commit = remote_ref(remote, wanted)
    elif own:
        ref, commit = os.environ.get("GITHUB_REF", ""), os.environ["GITHUB_SHA"]
    else:
        ref, commit = remote_ref(remote, git(remote, "symbolic-ref", "HEAD"))
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "--quiet")
    if "origin" in git(folder, "remote").split():
        git(folder, "remote", "remove", "origin")
    git(folder, "remote", "add", "origin", remote.as_uri())
    fetch(folder, ref, commit)
    if ref.startswith("refs/heads/"):
        branch = ref[len("refs/heads/") :]
        git(folder, "checkout", "--force", "--quiet", "-B", branch, commit)
    else:
        git(folder, "checkout", "--force", "--quiet", "--detach", commit)
    if setting("LFS") == "true":
        git(folder, "lfs", "pull")
    if setting("SUBMODULES") in ("true", "recursive"):
        recursive = ["--recursive"] if setting("SUBMODULES") == "recursive" else []
        git(folder, "submodule", "update", "--init", "--force", *recursive)
    if setting("PERSIST_CREDENTIALS") != "false" and setting("TOKEN"):
        basic = base64.b64encode(("x-access-token:" + setting("TOKEN")).encode()).decode()
        key = "http.{}/.extraheader".format(
            os.environ.get("GITHUB_SERVER_URL", "https://github.com")
        )
        git(folder, "config", key, "AUTHORIZATION: basic " + basic)
    with open(os.environ["GITHUB_OUTPUT"], "a", encoding="utf-8") as out:
        out.write(f"ref={wanted or ref}\ncommit={commit}\n")
    print("checked out {} ({}) of {}".format(commit, ref or "no ref", slug))


if __name__ == "__main__":
    main()
