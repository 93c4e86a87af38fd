"""A run on a server leaves its outputs in an S3 bucket, and they are fetched by the pinned DVC."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import boto3
import pytest
from moto.moto_server.threaded_moto_server import ThreadedMotoServer

from assay.config import Model
from assay.errors import OutsideError
from assay.evidence import StageState, Training
from assay.training.lineage import Checkout
from assay.training.pipeline import Job, Tools, train
from support.airflow_stand_in import PASSWORD, airflow_stand_in
from support.consumers import Recorder, builder
from support.repositories import Sandbox

pytestmark = [pytest.mark.heavy, pytest.mark.xdist_group("s3")]

ROOT = Path(__file__).resolve().parents[2]
BUCKET = "training"


@pytest.fixture
def address() -> Iterator[str]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def test_outputs_are_fetched_from_a_bucket(tmp_path: Path, address: str) -> None:
    client = boto3.client(
        "s3", endpoint_url=address, region_name="us-east-1",
        aws_access_key_id="anybody", aws_secret_access_key="anybody",
    )  # fmt: skip
    client.create_bucket(Bucket=BUCKET)
    client.put_object(Bucket=BUCKET, Key="runs/p.csv", Body=b"id,y\n1,0\n")
    client.put_object(Bucket=BUCKET, Key="runs/model/weights", Body=b"7")
    sandbox = Sandbox.make(tmp_path / "repository")
    commit = sandbox.commit({"train.py": "pass\n"})
    with airflow_stand_in(report={"commit": commit}) as airflow:
        made = _train(sandbox, airflow.url, address)
        assert made.state is StageState.PASSED, made.reason
        assert (sandbox.home / "evidence" / "predictions.csv").read_text() == "id,y\n1,0\n"
        assert (sandbox.root / "model" / "weights").read_text() == "7"
        client.delete_object(Bucket=BUCKET, Key="runs/p.csv")
        with pytest.raises(OutsideError, match=r"p\.csv cannot be fetched from s3://training"):
            _train(sandbox, airflow.url, address)


def _train(sandbox: Sandbox, url: str, storage: str) -> Training:
    orchestrator = {
        "kind": "airflow", "url": url, "dag": "train", "poll": 0.01,
        "outputs": f"s3://{BUCKET}/runs",
    }  # fmt: skip
    model = Model.model_validate(
        {
            "predictions": "p.csv",
            "artifact": "model",
            "gates": {"accuracy": {"margin": 0.01}},
            "train": {"orchestrator": orchestrator},
        }
    )
    secrets = {
        "AIRFLOW_USERNAME": "assay", "AIRFLOW_PASSWORD": PASSWORD,
        "AWS_ENDPOINT_URL": storage, "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "anybody", "AWS_SECRET_ACCESS_KEY": "anybody-too",
    }  # fmt: skip
    made = builder(sandbox.root, sandbox.home, secrets)
    pinned = replace(
        made,
        variables={**made.variables, "PATH": "/usr/local/bin:/usr/bin:/bin"},
        dvc_lock=ROOT / "requirements" / "dvc.txt",
        uv=str(Path(sys.executable).with_name("uv")),
    )
    root = sandbox.root
    checkout = Checkout(root=root, folder=root, revision=sandbox.repository.resolve("HEAD"))
    target = sandbox.home / "evidence"
    job = Job(name="churn", model=model, side="head", checkout=checkout, target=target)
    return train(job, Tools(builder=pinned, transcript=Recorder()))
