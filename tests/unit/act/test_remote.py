"""The git remote that stands for GitHub, and exports of working trees."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

import pytest

from assay.act.environment import PASSED_ON, clean_environment
from assay.act.export import export_tree
from assay.act.launch import find_workflow
from assay.act.remote import Remote, check_out, make_remote, slug_of, snapshot, top_level
from assay.errors import InputError
from support.repositories import Sandbox

ENV = {"PATH": os.environ["PATH"], "HOME": os.devnull}


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    sandbox = Sandbox.make(tmp_path / "source")
    sandbox.commit({"kept": "1", "gone": "1", ".gitignore": "ignored\n"}, message="first")
    return sandbox


@pytest.fixture
def remote(tmp_path: Path, sandbox: Sandbox) -> Remote:
    return make_remote(sandbox.root, tmp_path / "remote.git", slug="octo/churn", env=ENV)


def test_a_clean_tree_is_its_own_snapshot(sandbox: Sandbox, remote: Remote) -> None:
    assert snapshot(remote, sandbox.root) == sandbox.git("rev-parse", "HEAD")


def test_a_snapshot_goes_through_the_users_filters(sandbox: Sandbox, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text('[filter "shout"]\n\tclean = tr a-z A-Z\n')
    remote = make_remote(
        sandbox.root, tmp_path / "r.git", slug="octo/churn", env={**ENV, "HOME": str(home)}
    )
    (sandbox.root / ".gitattributes").write_text("*.txt filter=shout\n")
    (sandbox.root / "a.txt").write_text("quiet")
    commit = snapshot(remote, sandbox.root)
    assert remote.git("show", f"{commit}:a.txt") == "QUIET"


def test_a_snapshot_holds_the_tree_as_it_is_and_leaves_it_alone(
    sandbox: Sandbox, remote: Remote, tmp_path: Path
) -> None:
    (sandbox.root / "kept").write_text("2")
    (sandbox.root / "gone").unlink()
    (sandbox.root / "new").write_text("new")
    (sandbox.root / "ignored").write_text("secret")
    before = sandbox.git("status", "--porcelain")
    commit = snapshot(remote, sandbox.root)
    assert commit == snapshot(remote, sandbox.root)
    assert sandbox.git("status", "--porcelain") == before
    assert remote.git("rev-parse", f"{commit}^") == sandbox.git("rev-parse", "HEAD")

    target = tmp_path / "out"
    check_out(remote, commit, target)
    assert sorted(p.name for p in target.iterdir()) == [".git", ".gitignore", "kept", "new"]
    exported = tmp_path / "export"
    assert export_tree(sandbox.root, exported, env=ENV) == 3
    assert sorted(p.name for p in exported.iterdir()) == [".gitignore", "kept", "new"]
    assert (exported / "kept").read_text() == "2"


def test_an_export_is_without_what_a_download_is_without(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.commit(
        {".gitattributes": "/tests export-ignore\n/tests/** export-ignore\n", "tests/a b": "1"},
        message="second",
    )
    archive = tmp_path / "archive.tar"
    sandbox.git("archive", "--output", str(archive), "HEAD")
    exported = tmp_path / "export"
    assert export_tree(sandbox.root, exported, env=ENV) == 4
    with tarfile.open(archive) as members:
        assert sorted(members.getnames()) == sorted(p.name for p in exported.rglob("*"))


def test_the_merge_commit_has_the_base_first_and_a_conflict_is_named(
    sandbox: Sandbox, remote: Remote
) -> None:
    base = sandbox.git("rev-parse", "HEAD")
    sandbox.git("checkout", "--quiet", "-b", "side")
    head = sandbox.commit({"side": "x"}, message="side")
    sandbox.git("checkout", "--quiet", "main")
    other = sandbox.commit({"side": "y"}, message="other")
    make_again = make_remote(
        sandbox.root, remote.path.with_name("again.git"), slug="octo/churn", env=ENV
    )
    merged = make_again.merge(base, head, message="m")
    assert merged == make_again.merge(base, head, message="m")
    assert make_again.git("rev-parse", f"{merged}^1", f"{merged}^2").split() == [base, head]
    with pytest.raises(InputError, match=r"conflicts with its base.*CONFLICT.*side"):
        make_again.merge(other, head, message="m")
    assert make_again.contains(head, base)
    assert not make_again.contains(other, head)
    with pytest.raises(InputError, match=r"no branch or commit 'nope'.*main, side"):
        make_again.commit_of("nope")


def test_branches_known_only_from_origin_become_branches(tmp_path: Path, sandbox: Sandbox) -> None:
    sandbox.git("branch", "release")
    clone = Sandbox.make(tmp_path / "clone")
    clone.git("remote", "add", "origin", str(sandbox.root))
    clone.git("fetch", "--quiet", "origin")
    clone.git("checkout", "--quiet", "-b", "mine", "origin/main")
    remote = make_remote(clone.root, tmp_path / "r.git", slug="octo/churn", env=ENV)
    branches = remote.git("for-each-ref", "--format=%(refname:short)", "refs/heads").split()
    assert branches == ["main", "mine", "release"]


def test_folders_that_are_no_repository_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not in a git repository"):
        top_level(tmp_path, ENV)
    with pytest.raises(InputError, match="there is no folder"):
        top_level(tmp_path / "none", ENV)


@pytest.mark.parametrize("name", ["gate.yml", "gate", ".github/workflows/gate.yml"])
def test_a_workflow_is_found_by_name_or_path(tmp_path: Path, name: str) -> None:
    place = tmp_path / ".github" / "workflows" / "gate.yml"
    place.parent.mkdir(parents=True)
    place.touch()
    assert find_workflow(tmp_path, name) == place


def test_a_workflow_that_is_not_there_gets_a_suggestion(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"Write \.github/workflows"):
        find_workflow(tmp_path, "gate.yml")
    place = tmp_path / ".github" / "workflows" / "gate.yml"
    place.parent.mkdir(parents=True)
    place.touch()
    with pytest.raises(InputError, match=r"Did you mean 'gate\.yml'"):
        find_workflow(tmp_path, "gaet.yml")


def test_act_gets_only_what_is_named(tmp_path: Path) -> None:
    environ = {
        "PATH": "/bin",
        "HOME": "/home/me",
        "AWS_SECRET_ACCESS_KEY": "x",
        "GITHUB_TOKEN": "y",
        "SSL_CERT_FILE": "/ca.pem",
        "https_proxy": "http://proxy",
    }
    env = clean_environment(environ, home=tmp_path, extra_path=(Path("/node/bin"),))
    assert env["PATH"] == "/bin:/node/bin"
    assert env["HOME"] == str(tmp_path)
    assert env["UV_CACHE_DIR"] == "/home/me/.cache/uv"
    assert (env["SSL_CERT_FILE"], env["https_proxy"]) == ("/ca.pem", "http://proxy")
    made = {"PATH", "HOME", "UV_CACHE_DIR", "PIP_CACHE_DIR", "UV_PYTHON_INSTALL_DIR"}
    assert set(env) <= {*PASSED_ON, *made, "GIT_TERMINAL_PROMPT"}


@pytest.mark.parametrize(
    ("origin", "slug"),
    [
        ("https://github.com/acme/churn.git", "acme/churn"),
        ("https://user:token@ghe.example.org/acme/churn", "acme/churn"),
        ("git@github.com:acme/churn.model.git", "acme/churn.model"),
        ("ssh://git@github.com/acme/churn/", "acme/churn"),
        ("/srv/git/churn.git", "octo/my-model-1"),
        ("", "octo/my-model-1"),
    ],
)
def test_the_slug_is_origins_or_made_from_the_folder(
    tmp_path: Path, origin: str, slug: str
) -> None:
    sandbox = Sandbox.make(tmp_path / "my model (1")
    if origin:
        sandbox.git("config", "remote.origin.url", origin)
    assert slug_of(sandbox.root, ENV) == slug
