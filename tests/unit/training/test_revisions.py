from __future__ import annotations

from pathlib import Path

import pytest

from assay.errors import InputError
from assay.evidence import Event
from assay.git import Repository
from assay.training.revisions import local_ends, named_ends, read_plan
from support.repositories import Sandbox, git_variables

CONFIG = """\
version: 1
models:
  churn:
    predictions: predictions.csv
    gates: {accuracy: {margin: 0.01}}
"""


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    return Sandbox.make(tmp_path / "repository")


def merged(sandbox: Sandbox) -> tuple[str, str, str]:
    """A pull request's merge commit, checked out: (merge, base, the pull request's head)."""
    sandbox.commit({"assay.yaml": CONFIG, "a.py": "1"})
    sandbox.git("checkout", "--quiet", "-b", "topic")
    head = sandbox.commit({"b.py": "1"})
    sandbox.git("checkout", "--quiet", "main")
    base = sandbox.commit({"c.py": "1"})
    sandbox.git("checkout", "--quiet", "--detach")
    sandbox.git("merge", "--quiet", "--no-ff", "topic", "-m", "merge")
    return sandbox.git("rev-parse", "HEAD"), base, head


def test_a_pull_request_is_compared_with_the_first_parent_of_its_merge(sandbox: Sandbox) -> None:
    merge, base, _ = merged(sandbox)
    ends = named_ends(sandbox.repository, head=merge, base=f"{merge}^1")
    assert ends.head.commit == merge
    assert ends.base is not None
    assert ends.base.commit == base
    plan = read_plan(
        sandbox.repository, Event(), ends, config=sandbox.root / "assay.yaml", from_work_tree=False
    )
    assert plan.change.code == ("b.py",)


def test_a_checkout_of_one_commit_fetches_its_base(sandbox: Sandbox, tmp_path: Path) -> None:
    merge, base, _ = merged(sandbox)
    sandbox.git("update-ref", "refs/pull/1/merge", merge)
    sandbox.git("config", "uploadpack.allowAnySHA1InWant", "true")
    clone = tmp_path / "clone"
    sandbox.git("init", "--quiet", str(clone))
    for words in (
        ["remote", "add", "origin", sandbox.root.as_uri()],
        ["fetch", "--quiet", "--depth=1", "origin", merge],
        ["checkout", "--quiet", "--detach", merge],
    ):
        sandbox.git("-C", str(clone), *words)
    repository = Repository(clone, git_variables(sandbox.home))
    ends = named_ends(repository, head=merge, base=f"{merge}^1")
    assert ends.base is not None
    assert ends.base.commit == base
    plan = read_plan(repository, Event(), ends, config=clone / "assay.yaml", from_work_tree=False)
    assert plan.change.code == ("b.py",)


def test_a_base_that_is_gone_is_said_and_not_raised(sandbox: Sandbox) -> None:
    head = sandbox.commit({"assay.yaml": CONFIG})
    for base in ("f" * 40, f"{head}^1"):
        ends = named_ends(sandbox.repository, head=head, base=base)
        assert ends.base is None
        assert ends.why_no_base


def test_locally_the_base_is_the_merge_base_with_the_default_branch(sandbox: Sandbox) -> None:
    fork = sandbox.commit({"assay.yaml": CONFIG})
    sandbox.git("checkout", "--quiet", "-b", "topic")
    sandbox.commit({"b.py": "1"})
    ends = local_ends(sandbox.repository, base=None, dirty=False)
    assert ends.base is not None
    assert ends.base.commit == ends.merge_base == fork


def test_on_the_default_branch_the_base_is_the_commit_before(sandbox: Sandbox) -> None:
    first = sandbox.commit({"a.py": "1"})
    assert local_ends(sandbox.repository, base=None, dirty=False).base is None
    second = sandbox.commit({"a.py": "2"})
    clean = local_ends(sandbox.repository, base=None, dirty=False)
    dirty = local_ends(sandbox.repository, base=None, dirty=True)
    named = local_ends(sandbox.repository, base=first, dirty=True)
    assert clean.base is not None
    assert dirty.base is not None
    assert named.base is not None
    assert (clean.base.commit, dirty.base.commit, named.base.commit) == (first, second, first)


def test_without_a_default_branch_the_base_has_to_be_named(sandbox: Sandbox) -> None:
    sandbox.git("checkout", "--quiet", "-b", "trunk")
    sandbox.commit({"a.py": "1"})
    assert "--base" in (local_ends(sandbox.repository, base=None, dirty=False).why_no_base or "")


def test_a_local_plan_sees_the_work_tree_and_a_remote_one_does_not(sandbox: Sandbox) -> None:
    sandbox.commit({"assay.yaml": CONFIG})
    sandbox.commit({"a.py": "1"})
    (sandbox.root / "new.py").write_text("1")
    ends = local_ends(sandbox.repository, base="HEAD^1", dirty=True)
    config = sandbox.root / "assay.yaml"
    for from_work_tree, code in ((True, ("a.py", "new.py")), (False, ("a.py",))):
        plan = read_plan(
            sandbox.repository, Event(), ends, config=config, from_work_tree=from_work_tree
        )
        assert plan.change.code == code


def test_a_configuration_the_head_has_not_is_an_input_error(sandbox: Sandbox) -> None:
    sandbox.commit({"a.py": "1"})
    ends = local_ends(sandbox.repository, base="HEAD", dirty=False)
    for from_work_tree in (True, False):
        with pytest.raises(InputError, match=r"assay\.yaml"):
            read_plan(
                sandbox.repository,
                Event(),
                ends,
                config=sandbox.root / "assay.yaml",
                from_work_tree=from_work_tree,
            )


def test_a_configuration_outside_the_repository_is_refused(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    sandbox.commit({"a.py": "1"})
    (tmp_path / "assay.yaml").write_text(CONFIG)
    ends = local_ends(sandbox.repository, base="HEAD", dirty=False)
    with pytest.raises(InputError, match="outside the repository"):
        read_plan(
            sandbox.repository,
            Event(),
            ends,
            config=tmp_path / "assay.yaml",
            from_work_tree=True,
        )
