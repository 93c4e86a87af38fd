"""New data in a bucket: counted where it lies, by address and as DVC tracks it."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from assay.evidence import Retraining
from support.buckets import BUCKET, CONFIG, ROOT, Consumer, Storage

pytestmark = [pytest.mark.heavy, pytest.mark.xdist_group("s3"), pytest.mark.timeout(900)]


def parquet(path: Path, rows: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"id": list(range(rows)), "y": [0] * rows}), path)
    return path


def put(storage: Storage, key: str, path: Path) -> None:
    client = boto3.client(
        "s3",
        endpoint_url=storage.address,
        region_name="us-east-1",
        aws_access_key_id=storage.key,
        aws_secret_access_key=storage.secret,
    )
    client.upload_file(str(path), BUCKET, key)


@pytest.fixture(scope="module", autouse=True)
def origin(consumer: Consumer, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Where the book would be."""
    place = tmp_path_factory.mktemp("origin")
    subprocess.run(["git", "init", "--quiet", "--bare", str(place)], check=True)
    consumer.sandbox.git("remote", "add", "origin", str(place))


def decide(consumer: Consumer, source: str, credentials: str) -> tuple[Retraining, str, float]:
    """Decide as at a terminal, in the environment that reads buckets."""
    config = CONFIG + f"    retrain: {{new_data: {{source: '{source}', share: 0.1}}}}\n"
    (consumer.root / "assay.yaml").write_text(config)
    started = time.monotonic()
    done = subprocess.run(
        [str(ROOT / "toolkit/bin/assay"), "retrain", "decide"],
        cwd=consumer.root,
        env={
            **consumer.variables(),
            "ASSAY_ENVIRONMENT": "sources",
            "ASSAY_DATA_CREDENTIALS": credentials,
            "AWS_ENDPOINT_URL": consumer.storage.address,
            **{name: os.environ[name] for name in ("SSL_CERT_FILE",) if name in os.environ},
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert consumer.storage.secret not in done.stdout
    return (
        Retraining.read(consumer.root / ".assay/retrain/churn"),
        done.stdout,
        time.monotonic() - started,
    )


def test_rows_are_counted_in_a_bucket(consumer: Consumer, tmp_path: Path) -> None:
    storage = consumer.storage
    put(storage, "claims/2026/a.parquet", parquet(tmp_path / "a.parquet", 300))
    put(storage, "claims/2026/b.parquet", parquet(tmp_path / "b.parquet", 200))
    lines = tmp_path / "c.csv"
    lines.write_text("id,y\n" + "1,0\n" * 20)
    put(storage, "claims/c.csv", lines)
    for source, rows in (
        (f"s3://{BUCKET}/claims", 520),
        (f"s3://{BUCKET}/claims/**/*.parquet", 500),
        (f"s3://{BUCKET}/claims/c.csv", 20),
    ):
        made, said, _ = decide(consumer, source, storage.dotenv())
        assert made.rows == rows, said
        assert f"{rows:,} rows are the first count" in said


@pytest.mark.parametrize("wrong", ["secret", "bucket", "nothing"])
def test_what_cannot_be_counted_is_said_and_starts_nothing(consumer: Consumer, wrong: str) -> None:
    storage = consumer.storage
    given = storage.dotenv(secret="somebody-else") if wrong == "secret" else storage.dotenv()
    bucket = "elsewhere" if wrong == "bucket" else BUCKET
    made, said, seconds = decide(consumer, f"s3://{bucket}/nothing", given)
    assert (made.due, made.rows) == (False, None)
    assert "not looked at: new data: retrain.new_data.source: the address cannot be read" in said
    assert "Traceback" not in said
    assert seconds < 120


def test_what_dvc_tracks_is_counted_in_its_remote(consumer: Consumer) -> None:
    folder = consumer.root / "claims"
    parquet(folder / "a.parquet", 300)
    parquet(folder / "more" / "b.parquet", 200)
    (folder / "read.me").write_text("not data\n")
    consumer.dvc("add --quiet claims")
    consumer.sandbox.commit(message="claims")
    made, said, _ = decide(consumer, "dvc:claims", consumer.storage.dotenv())
    assert made.rows is None
    assert "the DVC remote does not hold it as this commit names it" in said
    consumer.dvc("push --quiet")
    consumer.forget_cache()
    for source, rows in (("dvc:claims", 500), ("dvc:raw.csv", 1)):
        made, said, _ = decide(consumer, source, consumer.storage.dotenv())
        assert made.rows == rows, said
    made, said, _ = decide(consumer, "dvc:p.csv", consumer.storage.dotenv())
    assert "not looked at: new data: p.csv:2: the row has 2 values" in said, "as dvc.lock names it"
    made, said, _ = decide(consumer, "dvc:train.txt", consumer.storage.dotenv())
    assert "DVC does not track this" in said
