"""Training and the base with real DVC: each command of it takes a second or more."""

from __future__ import annotations

import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from assay.evidence import BaseSource, StageState
from assay.training.lineage import Checkout
from assay.training.pipeline import Job, train
from support.consumers import Recorder
from support.dvc_consumer import PIPELINE, Consumer
from support.repositories import Sandbox

pytestmark = pytest.mark.heavy


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("consumer")
    Consumer(folder)
    return folder


@pytest.fixture
def consumer(trained: Path, tmp_path: Path) -> Consumer:
    folder = tmp_path / "copy"
    shutil.copytree(trained, folder, symlinks=True)
    made = Consumer.__new__(Consumer)
    made.sandbox = Sandbox(folder / "repository", folder / "repository.home")
    made.storage = folder / "storage"
    made.evidence = folder / "evidence"
    made.transcript = Recorder()
    made.dvc("remote", "modify", "--quiet", "storage", "url", str(made.storage))
    made.sandbox.commit(message="another place")
    made.sandbox.git("branch", "--force", "main", "HEAD")
    made.sandbox.git("checkout", "--quiet", "main")
    made.sandbox.commit({"train.txt": "first\n"})
    made.sandbox.git("checkout", "--quiet", "-b", "next")
    made.sandbox.commit({"train.txt": "second\n"})
    return made


def test_the_head_is_trained_and_its_second_run_is_a_cache_hit(consumer: Consumer) -> None:
    made = consumer.train()
    assert made.state is StageState.PASSED, made.reason
    assert made.command == "dvc repro"
    assert not made.cache_hit
    assert (consumer.evidence / "predictions.csv").read_text() == "second\nid,y\n1,0\n"
    assert made.scalars == {"auc": 0.5}
    assert made.lineage.params == {"depth": "3"}
    assert {"code:train.txt", "data:data/test.csv", "out:p.csv"} <= made.lineage.dvc.keys()
    assert made.model_digest
    assert made.test_set_digest
    again = consumer.train()
    assert again.cache_hit
    assert again.predictions == made.predictions


def test_an_unchanged_commit_comes_from_the_remotes_run_cache(consumer: Consumer) -> None:
    consumer.sandbox.git("checkout", "--quiet", "main")
    consumer.forget_cache()
    made = consumer.train()
    assert made.state is StageState.PASSED, made.reason
    assert made.cache_hit
    assert not any(line.startswith("Running stage") for line in consumer.transcript.lines)


def test_the_base_comes_from_its_lock_without_running_anything(consumer: Consumer) -> None:
    consumer.forget_cache()
    made = consumer.base()
    assert made.state is StageState.PASSED, made.reason
    assert made.source is BaseSource.DVC_OUTPUTS
    assert "stage train" in (made.source_detail or "")
    assert consumer.base_rows() == "first\nid,y\n1,0\n"
    assert made.scalars == {"auc": 0.5}
    assert made.test_set_digest
    assert made.lineage.commit == consumer.sandbox.git("rev-parse", "main")
    assert not any(line.startswith("Running stage") for line in consumer.transcript.lines)
    assert not (consumer.root / "p.csv").exists()


def test_the_base_comes_from_the_local_cache_where_the_remote_is_gone(consumer: Consumer) -> None:
    shutil.rmtree(consumer.storage)
    made = consumer.base()
    assert made.source is BaseSource.DVC_OUTPUTS, made.reason
    assert consumer.base_rows() == "first\nid,y\n1,0\n"


def test_a_lock_that_the_code_moved_on_from_is_not_believed(consumer: Consumer) -> None:
    consumer.sandbox.git("checkout", "--quiet", "main")
    consumer.sandbox.commit({"train.txt": "moved on\n"})
    consumer.sandbox.git("checkout", "--quiet", "-b", "later")
    consumer.sandbox.commit({"train.txt": "third\n"})
    made = consumer.base()
    assert made.source is BaseSource.RERUN, made.reason
    assert consumer.base_rows() == "moved on\nid,y\n1,0\n"
    assert any("out of date (stage train changed)" in line for line in consumer.transcript.said)


def test_tracked_data_that_changed_without_a_run_is_noticed(consumer: Consumer) -> None:
    """The data itself is not fetched: only its .dvc file tells."""
    consumer.sandbox.git("checkout", "--quiet", "main")
    consumer.sandbox.git("rm", "--quiet", "--cached", "raw.csv")
    consumer.dvc("add", "--quiet", "raw.csv")
    consumer.dvc("repro", "--quiet")
    consumer.dvc("push", "--quiet")
    consumer.sandbox.commit()
    consumer.sandbox.git("checkout", "--quiet", "-b", "believed")
    consumer.sandbox.commit({"train.txt": "third\n"})
    assert consumer.base().source is BaseSource.DVC_OUTPUTS
    consumer.sandbox.git("checkout", "--quiet", "main")
    (consumer.root / "raw.csv").chmod(0o644)
    (consumer.root / "raw.csv").write_text("id,y\n2,1\n")
    consumer.dvc("add", "--quiet", "raw.csv")
    consumer.dvc("push", "--quiet")
    consumer.sandbox.commit()
    consumer.sandbox.git("checkout", "--quiet", "-b", "doubted")
    consumer.sandbox.commit({"train.txt": "third\n"})
    made = consumer.base()
    assert made.source is BaseSource.RERUN, made.reason
    assert consumer.base_rows() == "first\nid,y\n2,1\n"
    assert any("stage prepare changed" in line for line in consumer.transcript.said)


def test_new_data_outside_the_repository_leaves_the_base_what_it_was(
    consumer: Consumer, tmp_path: Path
) -> None:
    """As in a retraining, whose head alone is made of what came in since."""
    feed = tmp_path / "feed.csv"
    feed.write_text("id,y\n1,0\n")
    consumer.sandbox.git("checkout", "--quiet", "main")
    consumer.sandbox.commit({"dvc.yaml": PIPELINE.replace("raw.csv", str(feed))})
    consumer.dvc("repro", "--quiet")
    consumer.dvc("push", "--quiet")
    consumer.sandbox.commit()
    feed.write_text("id,y\n1,1\n")
    consumer.sandbox.git("checkout", "--quiet", "-b", "retrained")
    consumer.dvc("repro", "--quiet")
    consumer.sandbox.commit()
    made = consumer.base()
    assert made.source is BaseSource.DVC_OUTPUTS, made.reason
    assert consumer.base_rows() == "first\nid,y\n1,0\n"
    assert (consumer.root / "p.csv").read_text() == "first\nid,y\n1,1\n"


def test_outputs_that_are_nowhere_are_made_again(consumer: Consumer) -> None:
    shutil.rmtree(consumer.storage)
    consumer.forget_cache()
    made = consumer.base()
    assert made.source is BaseSource.RERUN, made.reason
    assert consumer.base_rows() == "first\nid,y\n1,0\n"


def test_data_that_cannot_be_fetched_is_not_measured(consumer: Consumer) -> None:
    (consumer.root / "raw.csv").rename(consumer.root / "kept")
    consumer.sandbox.git("rm", "--quiet", "--cached", "raw.csv")
    (consumer.root / "kept").rename(consumer.root / "raw.csv")
    consumer.dvc("add", "--quiet", "raw.csv")
    consumer.sandbox.commit()
    (consumer.root / "raw.csv").unlink()
    consumer.forget_cache()
    shutil.rmtree(consumer.storage)
    made = consumer.train()
    assert made.state is StageState.NOT_MEASURED
    assert "missing data 'source': raw.csv" in (made.reason or "")
    assert made.predictions is None


def test_a_remote_that_cannot_be_reached_is_named_before_what_follows(consumer: Consumer) -> None:
    consumer.forget_cache()
    config = (consumer.root / ".dvc" / "config").read_text()
    consumer.sandbox.commit({".dvc/config": config.replace("remote = storage", "remote = gone")})
    pipeline = (consumer.root / "dvc.yaml").read_text()
    consumer.sandbox.commit({"dvc.yaml": pipeline.replace("cat train.txt", "exit 3; cat")})
    made = consumer.train()
    assert made.state is StageState.NOT_MEASURED
    assert (made.reason or "").startswith("`dvc pull` from the remote 'gone' failed: ")
    assert "; then `dvc repro` failed: " in (made.reason or "")


def test_a_stage_that_fails_is_failed_in_dvcs_own_words(consumer: Consumer) -> None:
    pipeline = (consumer.root / "dvc.yaml").read_text()
    consumer.sandbox.commit({"dvc.yaml": pipeline.replace("cat train.txt", "exit 3; cat")})
    made = consumer.train()
    assert made.state is StageState.FAILED
    assert "failed to reproduce 'train'" in (made.reason or "")


def test_a_consumer_without_dvc_gets_the_pinned_one(consumer: Consumer) -> None:
    lock = Path(__file__).resolve().parents[3] / "requirements" / "dvc.txt"
    tools = consumer.tools()
    bare = {**tools.builder.variables, "PATH": "/usr/local/bin:/usr/bin:/bin"}
    uv = str(Path(sys.executable).with_name("uv"))
    with_lock = replace(tools.builder, variables=bare, dvc_lock=lock, uv=uv)
    checkout = Checkout(
        root=consumer.root,
        folder=consumer.root,
        revision=consumer.sandbox.repository.resolve("HEAD"),
    )
    model = consumer.config.models["churn"]
    job = Job(name="churn", model=model, side="head", checkout=checkout, target=consumer.evidence)
    made = train(job, replace(tools, builder=with_lock))
    assert made.state is StageState.PASSED, made.reason
    assert any("Assay's own pinned one" in line for line in consumer.transcript.said)
