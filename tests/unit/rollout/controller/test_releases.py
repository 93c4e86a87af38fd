"""Bundles on a host: verified before they are served, and fetched again where they are damaged."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from assay.errors import IntegrityError, OutsideError
from assay.rollout.controller.releases import Releases, from_folder
from support.bundles import REPOSITORY, TRUST, bundle


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("made")
    made, document = bundle(folder)
    bundles = tmp_path_factory.mktemp("store")
    made.rename(bundles / document.digest())
    return bundles, document.digest()


def releases(folder: Path, bundles: Path, repository: str = REPOSITORY) -> Releases:
    return Releases(
        folder=folder / "releases",
        download=from_folder(bundles),
        trusted=TRUST,
        repository=repository,
    )


def test_a_bundle_is_fetched_once_and_then_found_here(
    store: tuple[Path, str], tmp_path: Path
) -> None:
    bundles, digest = store
    here = releases(tmp_path, bundles)
    place = here.fetch(digest)
    assert (place / "bundle.json").is_file()
    nowhere = releases(tmp_path, tmp_path / "nowhere")
    assert nowhere.fetch(digest) == place


def test_one_that_was_damaged_here_is_fetched_again(
    store: tuple[Path, str], tmp_path: Path
) -> None:
    bundles, digest = store
    here = releases(tmp_path, bundles)
    place = here.fetch(digest)
    (place / "model/model.skops").write_bytes(b"rotten")
    assert (here.fetch(digest) / "model/model.skops").read_bytes() != b"rotten"


def test_one_that_is_corrupted_in_the_store_is_refused_and_not_kept(
    store: tuple[Path, str], tmp_path: Path
) -> None:
    bundles, digest = store
    torn = tmp_path / "store"
    shutil.copytree(bundles, torn)
    (torn / digest / "model/model.skops").write_bytes(b"rotten")
    with pytest.raises(IntegrityError, match="tampered"):
        releases(tmp_path, torn).fetch(digest)
    assert list((tmp_path / "releases").iterdir()) == []


def test_another_bundle_under_that_digest_is_refused(
    store: tuple[Path, str], tmp_path: Path
) -> None:
    bundles, digest = store
    other = tmp_path / "store" / ("0" * 64)
    shutil.copytree(bundles / digest, other)
    with pytest.raises(IntegrityError, match="gave another bundle"):
        releases(tmp_path, tmp_path / "store").fetch("0" * 64)


def test_another_repository_s_is_refused(store: tuple[Path, str], tmp_path: Path) -> None:
    bundles, digest = store
    with pytest.raises(IntegrityError, match="another repository"):
        releases(tmp_path, bundles, "mallory/churn").fetch(digest)


def test_one_that_is_not_there_yet_is_looked_for_again(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    with pytest.raises(OutsideError, match="no such bundle here yet"):
        releases(tmp_path, tmp_path / "store").fetch("0" * 64)
