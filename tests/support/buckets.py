"""An S3 API on this machine, and a repository whose DVC remote is a bucket of it."""

from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import boto3
import requests
from moto.moto_server.threaded_moto_server import ThreadedMotoServer

from assay.evidence import Training
from assay.training.build import Builder
from assay.training.environment import ConsumerEnvironment
from support.consumers import Recorder, variables
from support.repositories import Sandbox

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
        """The credentials as lines, or wrong ones."""
        return (
            f"AWS_ACCESS_KEY_ID={key or self.key}\n"
            f'AWS_SECRET_ACCESS_KEY="{secret or self.secret}"\n'
        )


@contextmanager
def serving_storage() -> Iterator[Storage]:
    """Serve one bucket, to one user, until the block ends."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    try:
        yield _with_bucket(address)
    finally:
        # What moto knows is the process's: the next server here would know this one's users.
        for path, data in (("reset-auth", "inf"), ("reset", "")):
            requests.post(f"{address}/moto-api/{path}", data=data, timeout=10)
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
        """The repository's folder."""
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

    def dvc(self, *steps: str) -> None:
        """Run DVC's commands, as the user who may."""
        dvc = _dvc(self)
        for step in steps:
            ended = dvc.run(f"dvc {step}", cwd=self.root, timeout=120, transcript=Recorder())
            assert ended.succeeded, ended.tail

    def base(self, **more: str) -> tuple[Training, str, float]:
        """Resolve the base; return what came of it, what was printed, and the seconds."""
        code, printed, seconds = self.assay("train", "--side", "base", "--exit-zero", **more)
        assert code == 0, printed
        return Training.read(self.evidence / "base"), printed, seconds

    @property
    def evidence(self) -> Path:
        """Where the model's evidence is."""
        return self.root / ".assay" / "evidence" / "churn"

    def forget_cache(self) -> None:
        """Leave what a fresh checkout would have: the bucket alone holds data and outputs."""
        shutil.rmtree(self.root / ".dvc" / "cache", ignore_errors=True)
        shutil.rmtree(self.root / ".assay", ignore_errors=True)
        for name in ("p.csv", "m.json", "raw.csv"):
            (self.root / name).unlink(missing_ok=True)


def make_consumer(storage: Storage, place: Path) -> Consumer:
    """Make the repository in ``place``, train it, and push data and outputs to the bucket."""
    made = Consumer(Sandbox.make(place / "repository"), place / "cache", storage)
    files = {
        "assay.yaml": CONFIG,
        "dvc.yaml": PIPELINE,
        "raw.csv": "id,y\n1,0\n",
        "train.txt": "first\n",
    }
    made.sandbox.commit(files)
    steps = (
        "init --quiet",
        f"remote add --quiet --default storage s3://{BUCKET}/churn",
        f"remote modify --quiet storage endpointurl {storage.address}",
        "add --quiet raw.csv",
        "repro --quiet",
        "push --quiet --run-cache",
    )
    made.sandbox.git("rm", "--quiet", "--cached", "raw.csv")
    made.dvc(*steps)
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
