"""What is proposed: the dvc.lock alone, once, on a branch of ours, with its reasons escaped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from assay.errors import InputError, IntegrityError, OutsideError
from assay.evidence import Trigger, TriggerKind
from assay.git import Finished, run_process
from assay.retraining.patch import MAX_BYTES, read_patch
from assay.retraining.propose import WAITS, Told, proposal_of, push
from support.repositories import put_files
from support.retrainings import Pipeline, decision, lock

BRANCH = "assay/retrain/churn"
NEW = {"dvc.lock": lock("b" * 32).encode()}


def test_one_commit_upon_what_was_trained_changes_the_lock_alone(pipeline: Pipeline) -> None:
    made = push(pipeline.branch(), decision(base=pipeline.commit), NEW)
    assert pipeline.git("rev-parse", BRANCH) == made
    assert pipeline.git("rev-parse", f"{BRANCH}^") == pipeline.commit
    assert pipeline.git("diff", "--name-only", "main", BRANCH) == "dvc.lock"
    assert "it is old" in pipeline.git("log", "-1", "--format=%B", BRANCH)


def test_the_same_again_pushes_nothing_and_a_newer_one_replaces_it(pipeline: Pipeline) -> None:
    due = decision(base=pipeline.commit)
    first = push(pipeline.branch(), due, NEW)
    assert push(pipeline.branch(), due, NEW) == first
    newer = push(pipeline.branch(), due, {"dvc.lock": lock("c" * 32).encode()})
    assert newer != first
    assert pipeline.git("rev-list", "--count", f"main..{BRANCH}") == "1"


def test_what_is_there_already_is_not_proposed(pipeline: Pipeline) -> None:
    same = {"dvc.lock": lock("a" * 32).encode()}
    assert push(pipeline.branch(), decision(base=pipeline.commit), same) is None
    assert pipeline.git("branch", "--list", BRANCH) == ""


def test_a_persons_commit_on_the_branch_is_never_overwritten(pipeline: Pipeline) -> None:
    due = decision(base=pipeline.commit)
    push(pipeline.branch(), due, NEW)
    clone = pipeline.clone
    clone.git("fetch", "--quiet", "origin", BRANCH)
    clone.git("switch", "--quiet", "--detach", "FETCH_HEAD")
    theirs = clone.commit({"notes.txt": "mine"})
    clone.git("-c", "user.email=x", "commit", "--quiet", "--amend", "--no-edit",
              "--author", "Somebody <somebody@example.org>")  # fmt: skip
    theirs = clone.git("rev-parse", "HEAD")
    clone.git("push", "--quiet", "origin", f"HEAD:refs/heads/{BRANCH}")
    with pytest.raises(OutsideError, match="somebody else's commit"):
        push(pipeline.branch(), due, {"dvc.lock": lock("c" * 32).encode()})
    assert pipeline.git("rev-parse", BRANCH) == theirs


def test_a_branch_that_moves_while_it_is_looked_at_is_left_as_it_is(pipeline: Pipeline) -> None:
    due = decision(base=pipeline.commit)
    push(pipeline.branch(), due, NEW)

    def overtaken(words: Sequence[str], *more: Any) -> Finished:
        if "push" in words:
            pipeline.git("update-ref", f"refs/heads/{BRANCH}", pipeline.commit)
        return run_process(words, *more)

    branch = replace(pipeline.branch(), run=overtaken)
    with pytest.raises(OutsideError, match=r"was moved meanwhile\. Run the job again"):
        push(branch, due, {"dvc.lock": lock("c" * 32).encode()})
    assert pipeline.git("rev-parse", BRANCH) == pipeline.commit


def test_without_a_commit_or_a_branch_nothing_is_proposed(pipeline: Pipeline) -> None:
    with pytest.raises(InputError, match="no commit"):
        push(pipeline.branch(), decision(), NEW)
    with pytest.raises(InputError, match="no branch"):
        proposal_of(decision(), Told(run_url=None, waits=False))


def test_the_words_say_why_and_that_it_waits_and_carry_nobodys_markup() -> None:
    hostile = Trigger(kind=TriggerKind.MANUAL, sentence="x</details><img src=x> @all #1 ```")
    due = decision(base="a" * 40, triggers=(hostile,), not_measured=("age: `<b>`",))
    made = proposal_of(due, Told(run_url="https://github.com/o/r/actions/runs/1", waits=True))
    assert made.title == "Retrain churn: manual"
    assert (made.branch, made.base) == (BRANCH, "main")
    assert WAITS in made.body
    before, _, after = made.body.partition("<details>")
    assert r"x\</details\>\<img src=x\> @&#8203;all" in before
    assert after.count("````") == 2
    assert WAITS not in proposal_of(due, Told(run_url=None, waits=False)).body


def test_a_patch_is_the_lock_and_no_folder_is_none(tmp_path: Path) -> None:
    assert read_patch(put_files(tmp_path, NEW), ("dvc.lock",)) == NEW
    assert read_patch(tmp_path / "none", ("dvc.lock",)) == {}


@pytest.mark.parametrize(
    "files",
    [
        {**NEW, ".github/workflows/x.yml": b"on: push"},
        {"sub/dvc.lock": NEW["dvc.lock"]},
        {"dvc.lock": b"\xff\xfe"},
        {"dvc.lock": b"just text"},
        {"dvc.lock": b"schema: '2.0'\nstages: {}\n"},
        {"dvc.lock": b"#" * (MAX_BYTES + 1)},
    ],
    ids=["a workflow", "elsewhere", "no text", "no lock", "no stages", "too large"],
)
def test_a_patch_with_anything_else_is_refused(tmp_path: Path, files: dict[str, bytes]) -> None:
    with pytest.raises(IntegrityError):
        read_patch(put_files(tmp_path, files), ("dvc.lock",))


def test_a_link_in_a_patch_is_refused(tmp_path: Path) -> None:
    outside = put_files(tmp_path / "outside", NEW) / "dvc.lock"
    folder = tmp_path / "patch"
    folder.mkdir()
    (folder / "dvc.lock").symlink_to(outside)
    with pytest.raises(IntegrityError, match="no plain file"):
        read_patch(folder, ("dvc.lock",))
    (folder / "dvc.lock").unlink()
    (folder / "linked").symlink_to(outside.parent)
    with pytest.raises(IntegrityError, match=r"only dvc\.lock"):
        read_patch(folder, ("dvc.lock",))
