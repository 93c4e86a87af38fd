"""What several heavy tests share: an S3 API, and a repository whose DVC remote is there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.buckets import Consumer, Storage, make_consumer, serving_storage


@pytest.fixture(scope="module")
def storage() -> Iterator[Storage]:
    """An S3 API that checks signatures, with one bucket."""
    with serving_storage() as served:
        yield served


@pytest.fixture(scope="module")
def consumer(storage: Storage, tmp_path_factory: pytest.TempPathFactory) -> Consumer:
    """A repository whose main was trained and pushed to the bucket."""
    return make_consumer(storage, tmp_path_factory.mktemp("s3"))
