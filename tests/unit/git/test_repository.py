from __future__ import annotations

import os
from pathlib import Path

import pytest

from assay.errors import InputError, OutsideError
from assay.git import Repository, Revision
from assay.git.command import git_environment, run_process
from support.repositories import Sandbox, git_variables


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    return Sandbox.make(tmp_path / "repository")


def shallow_clone(sandbox: Sandbox, target: Path, depth: int, branch: str = "main") -> Repository:
    sandbox.git("config", "uploadpack.allowAnySHA1InWant", "true")
    sandbox.git("clone", "--quiet", "--no-single-branch", f"--depth={depth}", f"--branch={branch}",
                sandbox.root.as_uri(), str(target))  # fmt: skip
    return Repository(target, git_variables(sandbox.home))


def test_resolve_gives_the_commit_and_its_tree(sandbox: Sandbox) -> None:
    commit = sandbox.commit({"a.txt": "1"})
    tree = sandbox.git("rev-parse", "HEAD^{tree}")
    expected = Revision(commit=commit, tree=tree)
    for ref in ("HEAD", "main", "refs/heads/main", commit, commit[:10]):
        assert sandbox.repository.resolve(ref) == expected


@pytest.mark.parametrize(
    "ref",
    ["nowhere", "--help", "-h", "--all", "--output=/tmp/x", "", "HEAD^7", "a\nb", "a\0b", "HEAD:a",
     "; rm -rf .", "$(id)", "f" * 5000],
)  # fmt: skip
def test_a_ref_that_names_no_commit_is_said_and_never_run(sandbox: Sandbox, ref: str) -> None:
    sandbox.commit({"a.txt": "1"})
    assert sandbox.repository.try_resolve(ref) is None
    with pytest.raises(OutsideError, match="git knows no commit"):
        sandbox.repository.resolve(ref)


def test_a_branch_whose_name_starts_with_a_dash_is_a_branch(sandbox: Sandbox) -> None:
    commit = sandbox.commit({"a.txt": "1"})
    sandbox.git("update-ref", "refs/heads/--upload-pack=touch", commit)
    assert sandbox.repository.resolve("--upload-pack=touch").commit == commit


def test_merge_base_of_two_branches(sandbox: Sandbox) -> None:
    fork = sandbox.commit({"a.txt": "1"})
    sandbox.git("checkout", "--quiet", "-b", "topic")
    head = sandbox.commit({"b.txt": "1"})
    sandbox.git("checkout", "--quiet", "main")
    sandbox.commit({"c.txt": "1"})
    found = sandbox.repository.merge_base("main", head)
    assert found is not None
    assert found.commit == fork


def test_unrelated_histories_have_no_merge_base(sandbox: Sandbox) -> None:
    sandbox.commit({"a.txt": "1"})
    sandbox.git("checkout", "--quiet", "--orphan", "other")
    sandbox.commit({"b.txt": "1"})
    assert sandbox.repository.merge_base("main", "other") is None


def test_a_shallow_clone_is_deepened_until_the_merge_base(sandbox: Sandbox, tmp_path: Path) -> None:
    fork = sandbox.commit({"a.txt": "1"})
    sandbox.git("checkout", "--quiet", "-b", "topic")
    for number in range(60):
        sandbox.git("commit", "--quiet", "--allow-empty", "--message", str(number))
    sandbox.git("checkout", "--quiet", "main")
    sandbox.commit({"c.txt": "1"})
    clone = shallow_clone(sandbox, tmp_path / "clone", 1)
    assert clone.is_shallow()
    found = clone.merge_base("origin/main", "origin/topic")
    assert found is not None
    assert found.commit == fork


def test_the_parents_of_a_merge_are_fetched_into_a_shallow_clone(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    sandbox.commit({"a.txt": "1"})
    sandbox.git("checkout", "--quiet", "-b", "topic")
    second = sandbox.commit({"b.txt": "1"})
    sandbox.git("checkout", "--quiet", "main")
    first = sandbox.commit({"c.txt": "1"})
    sandbox.git("merge", "--quiet", "--no-ff", "topic", "-m", "merge")
    sandbox.git("branch", "--quiet", "-D", "topic")
    clone = shallow_clone(sandbox, tmp_path / "clone", 1)
    assert clone.parents("HEAD") == (first, second)
    base, head = clone.parent("HEAD", 1), clone.parent("HEAD", 2)
    assert base is not None
    assert head is not None
    assert (base.commit, head.commit) == (first, second)
    assert clone.show_file(base.commit, "c.txt") == b"1"
    assert clone.parent("HEAD", 3) is None


def test_a_shallow_clone_without_a_remote_says_what_to_do(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.commit({"a.txt": "1"})
    sandbox.commit({"a.txt": "2"})
    clone = shallow_clone(sandbox, tmp_path / "clone", 1)
    sandbox.git("-C", str(clone.root), "remote", "remove", "origin")
    with pytest.raises(OutsideError, match="fetch-depth: 0"):
        clone.parent("HEAD")


def test_changed_paths_survive_hostile_names(sandbox: Sandbox) -> None:
    base = sandbox.commit({"kept.txt": "1", "gone.txt": "1", "moved.txt": "moved " * 50})
    (sandbox.root / "gone.txt").unlink()
    (sandbox.root / "moved.txt").rename(sandbox.root / "new place.txt")
    names = ["-rf", "a\nb.txt", 'quote".txt', "päth/ü.txt", "$(id).py", "::error::.txt"]
    sandbox.commit(dict.fromkeys(names, "1"))
    broken = os.fsencode(sandbox.root) + b"/bad\xff.txt"
    Path(os.fsdecode(broken)).write_text("1")
    head = sandbox.commit()
    changed = sandbox.repository.changed_paths(base, head)
    assert set(changed) == {*names, "gone.txt", "moved.txt", "new place.txt", "bad\\xff.txt"}
    assert list(changed) == sorted(changed)


def test_uncommitted_paths_leave_evidence_out(sandbox: Sandbox) -> None:
    sandbox.commit({"a.txt": "1", "b.txt": "1", ".gitignore": "ignored\n"})
    assert not sandbox.repository.is_dirty()
    for name in (".assay/evidence/x", "models/churn/.assay/x", "ignored"):
        path = sandbox.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("1")
    assert not sandbox.repository.is_dirty()
    (sandbox.root / "a.txt").write_text("2")
    (sandbox.root / "new.txt").write_text("2")
    sandbox.git("rm", "--quiet", "b.txt")
    assert sandbox.repository.uncommitted_paths() == ("a.txt", "b.txt", "new.txt")


def test_show_file_reads_a_commit_and_not_the_work_tree(sandbox: Sandbox) -> None:
    commit = sandbox.commit({"folder/a.bin": b"\x00\xff\n", "-dash": "d"})
    (sandbox.root / "folder/a.bin").write_bytes(b"other")
    repository = sandbox.repository
    assert repository.show_file("HEAD", "folder/a.bin") == b"\x00\xff\n"
    assert repository.show_file(commit, "folder/a.bin", filters=True) == b"\x00\xff\n"
    assert repository.show_file("HEAD", "-dash") == b"d"
    for name in ("folder", "nowhere", "a\nb", "../etc/passwd"):
        assert repository.show_file("HEAD", name) is None


def test_a_worktree_is_there_and_then_gone(sandbox: Sandbox, tmp_path: Path) -> None:
    first = sandbox.commit({"a.txt": "1"})
    sandbox.commit({"a.txt": "2"})
    place = tmp_path / "beside"
    with sandbox.repository.worktree(first, place) as folder:
        assert (folder / "a.txt").read_text() == "1"
        assert sandbox.repository.resolve("HEAD").commit != first
    assert not place.exists()
    assert sandbox.git("worktree", "list").count("\n") == 0


def test_a_worktree_is_removed_when_its_use_fails(sandbox: Sandbox, tmp_path: Path) -> None:
    commit = sandbox.commit({"a.txt": "1"})
    place = tmp_path / "beside"

    def interrupted() -> None:
        with sandbox.repository.worktree(commit, place) as folder:
            (folder / "left").write_text("over")
            raise KeyError

    with pytest.raises(KeyError):
        interrupted()
    assert not place.exists()
    with sandbox.repository.worktree(commit, place) as folder:
        assert not (folder / "left").exists()
    assert sandbox.git("worktree", "list").count("\n") == 0


def test_a_worktree_runs_no_hook(sandbox: Sandbox, tmp_path: Path) -> None:
    commit = sandbox.commit({"a.txt": "1"})
    hook = sandbox.root / ".git/hooks/post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch '{tmp_path}/hooked'\n")
    hook.chmod(0o755)
    with sandbox.repository.worktree(commit, tmp_path / "beside"):
        pass
    assert not (tmp_path / "hooked").exists()


def test_default_branch(sandbox: Sandbox, tmp_path: Path) -> None:
    assert sandbox.repository.default_branch() is None
    sandbox.commit({"a.txt": "1"})
    assert sandbox.repository.default_branch() == "refs/heads/main"
    sandbox.git("branch", "--move", "trunk")
    assert sandbox.repository.default_branch() is None
    clone = shallow_clone(sandbox, tmp_path / "clone", 1, branch="trunk")
    assert clone.default_branch() == "refs/remotes/origin/trunk"


def test_remote_url_hides_credentials(sandbox: Sandbox) -> None:
    assert sandbox.repository.remote_url() is None
    sandbox.git("remote", "add", "origin", "https://octo:ghp_secret@github.com/octo/churn.git")
    assert sandbox.repository.remote_url() == "https://github.com/octo/churn.git"


def test_a_failed_fetch_hides_credentials(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.commit({"a.txt": "1"})
    sandbox.commit({"a.txt": "2"})
    clone = shallow_clone(sandbox, tmp_path / "clone", 1)
    url = "https://octo:ghp_secret@127.0.0.1:9/churn.git"
    sandbox.git("-C", str(clone.root), "remote", "set-url", "origin", url)
    with pytest.raises(OutsideError, match="fetching commit") as failure:
        clone.parent("HEAD")
    assert "ghp_secret" not in str(failure.value)


def test_find_walks_up_and_says_where_there_is_none(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.commit({"models/churn/a.txt": "1"})
    variables = git_variables(sandbox.home)
    found = Repository.find(sandbox.root / "models/churn", variables)
    assert found.root.resolve() == sandbox.root.resolve()
    outside = tmp_path / "outside"
    outside.mkdir()
    with pytest.raises(InputError, match="lies in no git repository"):
        Repository.find(outside, variables)
    with pytest.raises(InputError, match="there is no folder"):
        Repository.find(tmp_path / "nowhere", variables)


def test_git_itself_missing_is_an_outside_error(tmp_path: Path) -> None:
    with pytest.raises(OutsideError, match="git was not found"):
        Repository(tmp_path, {"PATH": str(tmp_path)}).resolve("HEAD")


def test_a_command_that_hangs_is_stopped(tmp_path: Path) -> None:
    with pytest.raises(OutsideError, match="did not end within"):
        run_process(["sleep", "5"], tmp_path, {"PATH": os.environ["PATH"]}, 0.05)


def test_the_environment_of_a_hook_does_not_leak() -> None:
    given = {"GIT_DIR": "/x", "GIT_INDEX_FILE": "/y", "HOME": "/h", "GIT_ASKPASS": "/mine"}
    made = git_environment(given)
    assert "GIT_DIR" not in made
    assert "GIT_INDEX_FILE" not in made
    assert made["HOME"] == "/h"
    assert made["GIT_ASKPASS"] == "/mine"
    assert made["GIT_TERMINAL_PROMPT"] == "0"
