"""What is said of a DVC remote that could not be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.training import dvc
from assay.training.remote import advice, cause, label


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([], None),
        (["12 files fetched"], None),
        (
            [
                "ERROR: failed to connect to s3 (b/files/md5) - Unable to locate credentials",
                "ERROR: failed to pull data from the cloud - 1 files failed to download",
            ],
            "failed to connect to s3 (b/files/md5) - Unable to locate credentials",
        ),
        (["ERROR: unexpected error - Forbidden."], "Forbidden"),
        (
            ["ERROR: failed to pull data from the cloud - Checkout failed"],
            "failed to pull data from the cloud - Checkout failed",
        ),
        (["ERROR: " + "x" * 5000], "x" * 300),
    ],
)
def test_the_cause_is_the_error_that_tells_most(lines: list[str], said: str | None) -> None:
    assert cause(lines) == said


@pytest.mark.parametrize(
    "why",
    [
        "Unable to locate credentials",
        "Forbidden: An error occurred (403) when calling the HeadObject operation: Forbidden",
        "An error occurred (InvalidAccessKeyId) when calling the GetObject operation",
        "The provided token has expired",
        "Your default credentials were not found",
        "Anonymous caller does not have storage.objects.get access",
        "Server failed to authenticate the request",
    ],
)
def test_refused_credentials_come_with_what_to_set(why: str) -> None:
    said = advice(why, "s3://bucket/place") or ""
    assert "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY" in said
    assert "dvc-credentials" in said


@pytest.mark.parametrize(
    "why",
    [
        'Could not connect to the endpoint URL: "http://127.0.0.1:9/b"',
        "The specified bucket does not exist",
        "Checkout failed for following targets: data/14031/p.csv",
    ],
)
def test_other_faults_ask_for_no_credentials(why: str) -> None:
    assert advice(why, "s3://bucket/place") is None


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("gs://bucket", "GOOGLE_APPLICATION_CREDENTIALS"),
        ("azure://container", "AZURE_STORAGE_CONNECTION_STRING"),
        ("https://data.example.org", "the variables that DVC reads for it"),
        (None, "the variables that DVC reads for it"),
    ],
)
def test_each_kind_of_remote_has_its_own_variables(url: str | None, name: str) -> None:
    assert name in (advice("401 Unauthorized", url) or "")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("s3://bucket/place", "the remote 'storage' (s3://bucket/place)"),
        ("https://me:hunter22@h.org/a@b", "the remote 'storage' (https://h.org/a@b)"),
        ("../storage", "the remote 'storage' (../storage)"),
        ("", "the remote 'storage'"),
    ],
)
def test_a_remote_is_named_without_its_user(url: str, shown: str) -> None:
    assert label("storage", url) == shown


def test_the_address_is_the_default_remotes(tmp_path: Path) -> None:
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc" / "config").write_text(
        "[core]\n    remote = storage\n"
        "['remote \"other\"']\n    url = s3://other\n"
        "['remote \"storage\"']\n    url = s3://bucket/place\n"
    )
    found = dvc.find_repo(tmp_path, tmp_path)
    assert found is not None
    assert (found.remote, found.url) == ("storage", "s3://bucket/place")
