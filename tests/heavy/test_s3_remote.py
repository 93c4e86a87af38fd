"""The base's outputs in an S3 bucket: with the right credentials, with wrong ones, with none."""

from __future__ import annotations

import pytest

from assay.evidence import BaseSource, StageState, Training
from support.buckets import BUCKET, Consumer

pytestmark = [pytest.mark.heavy, pytest.mark.xdist_group("s3")]


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
