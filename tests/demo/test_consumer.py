"""The consumer that the demo and the act suite start from is what it says it is."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pandas as pd
import pytest

from assay.packaging.bundle import Bundle
from assay.packaging.keys import new_key
from assay.rollout.target import Release
from assay.rollout.trial import Trial
from demo.consumer import (
    REPOSITORY,
    Consumer,
    build,
    check_out,
    commit_all,
    dvc,
    event,
    git,
    run,
)
from demo.scenarios import DEMO, SCENARIOS, replace
from support.serving import local_target

TEMPLATE = Path(__file__).parents[2] / "template-repo"
UV = str(Path(sys.executable).with_name("uv"))
pytestmark = pytest.mark.heavy
NAMES = [scenario.name for scenario in SCENARIOS]


@pytest.fixture(scope="module")
def consumer(tmp_path_factory: pytest.TempPathFactory) -> Consumer:
    return build(tmp_path_factory.mktemp("demo") / "consumer", TEMPLATE, uv=UV)


@pytest.fixture(scope="module")
def trained(consumer: Consumer, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Checkouts of the demo's pull requests after `dvc repro`, by name."""
    root = tmp_path_factory.mktemp("trained")
    checkouts = {
        name: check_out(consumer, consumer.pull_request(name), root / name) for name in DEMO
    }
    for checkout in checkouts.values():
        dvc(checkout, consumer.environment, "repro", "--pull", "--quiet")
    return checkouts


def metrics(checkout: Path) -> dict[str, float]:
    found: dict[str, float] = json.loads((checkout / "metrics.json").read_text())
    return found


@pytest.mark.parametrize("name", NAMES)
def test_the_test_merge_has_base_and_head_as_its_parents(consumer: Consumer, name: str) -> None:
    pull = consumer.pull_request(name)
    ref = f"refs/pull/{pull.number}/merge"
    assert git(consumer.origin, "rev-parse", ref) == pull.merge
    parents = git(consumer.origin, "rev-list", "--parents", "-1", ref).split()[1:]
    assert parents == [pull.base, pull.head]
    assert git(consumer.origin, "rev-parse", "main") == pull.base
    assert git(consumer.origin, "rev-parse", f"refs/heads/{pull.scenario.branch}") == pull.head


@pytest.mark.parametrize("name", NAMES)
def test_main_has_moved_on_since_the_branch_was_cut(consumer: Consumer, name: str) -> None:
    pull = consumer.pull_request(name)
    assert git(consumer.origin, "merge-base", pull.base, pull.head) != pull.base
    assert (
        git(consumer.origin, "diff", "--name-only", pull.head, pull.merge) == ".github/CODEOWNERS"
    )


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("better-model", {"params.yaml"}),
        ("worse-model", {"params.yaml"}),
        ("broken-data", {"additions/late-returns.csv"}),
        ("looser-margin", {"params.yaml", "assay.yaml"}),
        ("untouched", {"README.md"}),
    ],
)
def test_a_pull_request_changes_what_it_says(
    consumer: Consumer, name: str, changed: set[str]
) -> None:
    pull = consumer.pull_request(name)
    files = git(consumer.origin, "diff", "--name-only", pull.base, pull.merge).splitlines()
    assert set(files) == changed


def test_a_clone_of_main_pulls_the_base_from_the_remote(consumer: Consumer, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", str(consumer.origin), "clone")
    clone = tmp_path / "clone"
    assert git(consumer.main, "status", "--porcelain") == ""
    dvc(clone, consumer.environment, "pull", "--quiet")
    assert git(clone, "status", "--porcelain") == ""
    assert metrics(clone) == metrics(consumer.main)
    assert "up to date" in dvc(clone, consumer.environment, "status")


def test_the_committed_lock_is_what_training_gives(consumer: Consumer) -> None:
    assert (consumer.main / "dvc.lock").read_bytes() == (TEMPLATE / "dvc.lock").read_bytes()


def test_the_committed_staging_rows_are_those_of_the_test_set(consumer: Consumer) -> None:
    python = str(consumer.environment / "bin/python")
    run([python, "-m", "doctor_visit.staging"], cwd=consumer.main, environment=os.environ)
    assert git(consumer.main, "status", "--porcelain") == ""


@pytest.mark.timeout(1200)
def test_the_served_model_passes_staging_as_shipped(consumer: Consumer, tmp_path: Path) -> None:
    here = tmp_path / "checkout"
    git(tmp_path, "clone", "--quiet", str(consumer.origin), str(here))
    private, public = new_key()
    (here / "signing.pub").write_bytes(public)
    with (here / "requirements.in").open("a") as touched:
        touched.write("# a change that makes no other model\n")
    commit_all(here, "Trust a key, and touch the model")
    variables = {
        **os.environ,
        "PATH": f"{consumer.environment / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(TEMPLATE.parent / "toolkit"),
    }

    def assay(*words: str) -> str:
        command = [sys.executable, "-m", "assay", *words]
        return run(command, cwd=here, environment=variables)

    for words in ("plan --base HEAD~1", "train --side base", "test", "train", "check-data", "gate"):
        assay(*words.split())
    named = ("--model", "doctor-visit")
    shipped = ("--artifact", "model", "--repository", REPOSITORY, "--signing-key", private.decode())
    assay("package", *named, *shipped)
    bundle = here / ".assay/bundle"
    release = Release(digest=Bundle.read(bundle).digest(), folder=bundle)
    target = local_target(tmp_path / "target", python=None)
    try:
        trial = Trial(target, start_seconds=600)
        trial.start(release)
        trial.switch(release.digest)
        where = ("--target", "staging", "--url", trial.address, "--bundle", str(bundle))
        said = assay("stage", *named, *where, "--parts", "smoke")
    finally:
        target.close()
    assert "offline: passed: 200 test rows" in said
    assert "doctor-visit" in said.splitlines()[-1]
    assert said.endswith(": pass")


@pytest.mark.parametrize("name", DEMO)
def test_every_pull_request_is_measured_on_the_rows_of_the_base(
    consumer: Consumer, trained: dict[str, Path], name: str
) -> None:
    test = Path("data/test.parquet")
    assert (trained[name] / test).read_bytes() == (consumer.main / test).read_bytes()


def test_better_is_better_and_worse_is_worse(consumer: Consumer, trained: dict[str, Path]) -> None:
    base = metrics(consumer.main)
    for metric, gap in (("accuracy", 0.03), ("roc_auc", 0.05)):
        assert metrics(trained["better-model"])[metric] > base[metric] + gap
        assert metrics(trained["worse-model"])[metric] < base[metric] - gap


def test_broken_rows_reach_training_and_leave_the_model_about_as_good(
    consumer: Consumer, trained: dict[str, Path]
) -> None:
    train = pd.read_parquet(trained["broken-data"] / "data/train.parquet")
    assert train["visit"].isna().sum() == 12
    assert train["id"].duplicated().sum() == 9
    assert (train["disease_index"] < 0).sum() == 7
    assert (train["plan"] == "60%").sum() == 5
    assert (train["coinsurance"] > 100).sum() == 4
    assert train["health"].isna().sum() == 3
    base, head = metrics(consumer.main), metrics(trained["broken-data"])
    assert abs(head["accuracy"] - base["accuracy"]) < 0.005
    assert abs(head["roc_auc"] - base["roc_auc"]) < 0.005


def test_the_event_names_the_commits_and_a_fork(consumer: Consumer) -> None:
    pull = consumer.pull_request("worse-model")
    payload = event(pull, head_repository="stranger/doctor-visit")["pull_request"]
    assert (payload["base"]["sha"], payload["head"]["sha"]) == (pull.base, pull.head)
    assert payload["head"]["repo"]["fork"]
    assert not payload["base"]["repo"]["fork"]


def test_an_edit_that_finds_no_place_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "params.yaml"
    file.write_text("a\na\n")
    with pytest.raises(ValueError, match="occurs 2 times, not 1"):
        replace(file, "a", "b")


def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    with pytest.raises(FileExistsError, match="not empty"):
        build(tmp_path, TEMPLATE, uv=UV)
