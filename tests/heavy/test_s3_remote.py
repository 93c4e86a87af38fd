"""The base's outputs in an S3 bucket: with the right credentials, with wrong ones, with none."""

from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import boto3
import pytest
import requests
from moto.moto_server.threaded_moto_server import ThreadedMotoServer

from assay.evidence import BaseSource, StageState, Training
from assay.training.build import Builder
from assay.training.environment import ConsumerEnvironment
from support.consumers import Recorder, variables
from support.repositories import Sandbox

pytestmark = [pytest.mark.heavy, pytest.mark.xdist_group("s3")]

ROOT = Path(__file__).resolve().parents[2]
BUCKET = "models"
ALLOWED = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}],
}
CONFIG = """\
version: 1
models:
  churn:
    environment: none
    predictions: p.csv
    tracking: {enabled: false}
    scalars: {auc: {file: m.json, key: auc}}
    gates: {accuracy: {margin: 0.01}}
"""
PIPELINE = """\
stages:
  train:
    cmd: cat train.txt raw.csv > p.csv; echo '{"auc":0.5}' > m.json
    deps: [train.txt, raw.csv]
    outs: [p.csv]
    metrics: [m.json]
"""


@dataclass(frozen=True)
class Storage:
    """An S3 API that checks signatures, and the one key that it takes."""

    address: str
    key: str
    secret: str

    def dotenv(self, *, key: str | None = None, secret: str | None = None) -> str:
        return (
            f"AWS_ACCESS_KEY_ID={key or self.key}\n"
            f'AWS_SECRET_ACCESS_KEY="{secret or self.secret}"\n'
        )


@pytest.fixture(scope="module")
def storage() -> Iterator[Storage]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield _with_bucket(f"http://{host}:{port}")
    finally:
        server.stop()


def _with_bucket(address: str) -> Storage:
    anybody = {
        "endpoint_url": address,
        "region_name": "us-east-1",
        "aws_access_key_id": "anybody",
        "aws_secret_access_key": "anybody",
    }
    users = boto3.client("iam", **anybody)
    users.create_user(UserName="ci")
    users.put_user_policy(UserName="ci", PolicyName="s3", PolicyDocument=json.dumps(ALLOWED))
    key = users.create_access_key(UserName="ci")["AccessKey"]
    boto3.client("s3", **anybody).create_bucket(Bucket=BUCKET)
    # From here on every request must be signed by that user.
    requests.post(f"{address}/moto-api/reset-auth", data="0", timeout=10).raise_for_status()
    return Storage(address, key["AccessKeyId"], key["SecretAccessKey"])


@dataclass(frozen=True)
class Consumer:
    """A repository whose main was trained and pushed to the bucket; a topic is checked out."""

    sandbox: Sandbox
    cache: Path
    storage: Storage

    @property
    def root(self) -> Path:
        return self.sandbox.root

    def variables(self, **more: str) -> dict[str, str]:
        """No DVC of this machine's, and none of its credentials: Assay brings its own DVC."""
        found = variables(self.sandbox.home, **more)
        places = found["PATH"].split(os.pathsep)
        found["PATH"] = os.pathsep.join(
            place for place in places if shutil.which("dvc", path=place) is None
        )
        return {**found, "XDG_CACHE_HOME": str(self.cache), "PYTHONPATH": str(ROOT / "toolkit")}

    def assay(self, *arguments: str, **more: str) -> tuple[int, str, float]:
        """Return the exit code, all that was printed, and the seconds it took."""
        started = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "assay", *arguments],
            cwd=self.root,
            env=self.variables(**more),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout, time.monotonic() - started

    def base(self, **more: str) -> tuple[Training, str, float]:
        code, printed, seconds = self.assay("train", "--side", "base", "--exit-zero", **more)
        assert code == 0, printed
        return Training.read(self.evidence / "base"), printed, seconds

    @property
    def evidence(self) -> Path:
        return self.root / ".assay" / "evidence" / "churn"

    def forget_cache(self) -> None:
        """Leave what a fresh checkout would have: the bucket alone holds data and outputs."""
        shutil.rmtree(self.root / ".dvc" / "cache", ignore_errors=True)
        shutil.rmtree(self.root / ".assay", ignore_errors=True)
        for name in ("p.csv", "m.json", "raw.csv"):
            (self.root / name).unlink(missing_ok=True)


@pytest.fixture(scope="module")
def consumer(storage: Storage, tmp_path_factory: pytest.TempPathFactory) -> Consumer:
    place = tmp_path_factory.mktemp("s3")
    made = Consumer(Sandbox.make(place / "repository"), place / "cache", storage)
    files = {
        "assay.yaml": CONFIG,
        "dvc.yaml": PIPELINE,
        "raw.csv": "id,y\n1,0\n",
        "train.txt": "first\n",
    }
    made.sandbox.commit(files)
    dvc = _dvc(made)
    steps = (
        "init --quiet",
        f"remote add --quiet --default storage s3://{BUCKET}/churn",
        f"remote modify --quiet storage endpointurl {storage.address}",
        "add --quiet raw.csv",
        "repro --quiet",
        "push --quiet --run-cache",
    )
    made.sandbox.git("rm", "--quiet", "--cached", "raw.csv")
    for step in steps:
        ended = dvc.run(f"dvc {step}", cwd=made.root, timeout=120, transcript=Recorder())
        assert ended.succeeded, ended.tail
    made.sandbox.commit()
    made.sandbox.git("checkout", "--quiet", "-b", "topic")
    made.sandbox.commit({"train.txt": "second\n"})
    return made


def _dvc(made: Consumer) -> ConsumerEnvironment:
    """The DVC that Assay brings along, at the place where its commands will look for it."""
    storage = made.storage
    environment = made.variables(
        AWS_ACCESS_KEY_ID=storage.key, AWS_SECRET_ACCESS_KEY=storage.secret
    )
    builder = Builder(
        root=made.root,
        cache=made.cache / "assay" / "consumer",
        variables=environment,
        uv=str(ROOT / "toolkit" / "bin" / "uv"),
        dvc_lock=ROOT / "requirements" / "dvc.txt",
    )
    bare = ConsumerEnvironment(kind="none", variables=environment)
    return builder.with_dvc(bare, Recorder())


def test_the_base_and_the_head_are_fetched_with_the_declared_credentials(
    consumer: Consumer,
) -> None:
    consumer.forget_cache()
    dotenv = consumer.storage.dotenv()
    made, printed, _ = consumer.base(ASSAY_DVC_CREDENTIALS=dotenv)
    assert made.state is StageState.PASSED, printed
    assert made.source is BaseSource.DVC_OUTPUTS
    assert made.scalars == {"auc": 0.5}
    kept = consumer.evidence / "base" / "predictions.csv"
    assert kept.read_text() == "first\nid,y\n1,0\n"
    code, printed, _ = consumer.assay("train", ASSAY_DVC_CREDENTIALS=dotenv)
    assert code == 0, printed
    assert (consumer.evidence / "predictions.csv").read_text() == "second\nid,y\n1,0\n"
    everything = printed + "".join(
        path.read_text(errors="replace") for path in consumer.evidence.rglob("*.json")
    )
    assert consumer.storage.secret not in everything


def test_in_a_job_credentials_appear_only_where_they_are_masked(consumer: Consumer) -> None:
    consumer.forget_cache()
    _, printed, _ = consumer.assay(
        "train", "--side", "base",
        ASSAY_DVC_CREDENTIALS=consumer.storage.dotenv(),
        GITHUB_ACTIONS="true",
        RUNNER_TEMP=str(consumer.cache / "job"),
    )  # fmt: skip
    masks = {f"::add-mask::{consumer.storage.key}", f"::add-mask::{consumer.storage.secret}"}
    lines = printed.splitlines()
    assert masks <= set(lines[:2])
    assert consumer.storage.secret not in "\n".join(line for line in lines if line not in masks)


@pytest.mark.parametrize(
    ("credentials", "said"),
    [
        ({}, "Unable to locate credentials"),
        ({"key": "AKIANOBODY"}, "403"),
        ({"secret": "somebody-else"}, "403"),
    ],
    ids=["none", "a key that is unknown", "a secret that is wrong"],
)
def test_without_the_right_credentials_the_base_is_not_measured_and_says_why(
    consumer: Consumer, credentials: dict[str, str], said: str
) -> None:
    consumer.forget_cache()
    given = consumer.storage.dotenv(**credentials) if credentials else ""
    made, printed, seconds = consumer.base(ASSAY_DVC_CREDENTIALS=given)
    assert made.state is StageState.NOT_MEASURED
    assert made.source is BaseSource.NONE
    reason = made.reason or ""
    for part in (
        f"the remote 'storage' (s3://{BUCKET}/churn)",
        "dvc-credentials",
        "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        "ASSAY_DVC_CREDENTIALS",
        said,
    ):
        assert part in reason, reason
    assert "Traceback" not in printed
    for secret in (consumer.storage.secret, *credentials.values()):
        assert secret not in printed + reason
    assert seconds < 60


def test_a_head_whose_data_cannot_be_fetched_is_not_measured(consumer: Consumer) -> None:
    consumer.forget_cache()
    code, printed, seconds = consumer.assay("train")
    assert code == 1, printed
    made = Training.read(consumer.evidence)
    assert made.state is StageState.NOT_MEASURED
    assert "the remote 'storage'" in (made.reason or "")
    assert "dvc-credentials" in (made.reason or "")
    assert seconds < 60


def test_an_endpoint_that_nobody_serves_is_given_up_soon(consumer: Consumer) -> None:
    consumer.forget_cache()
    local = consumer.root / ".dvc" / "config.local"
    local.write_text("['remote \"storage\"']\n    endpointurl = http://127.0.0.1:9\n")
    try:
        made, printed, seconds = consumer.base(ASSAY_DVC_CREDENTIALS=consumer.storage.dotenv())
    finally:
        local.unlink()
    assert made.state is StageState.NOT_MEASURED, printed
    assert "the remote 'storage'" in (made.reason or "")
    assert "Could not connect to the endpoint URL" in (made.reason or "")
    assert "dvc-credentials" not in (made.reason or "")
    assert seconds < 60
