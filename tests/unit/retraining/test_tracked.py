"""What DVC tracks, read from a commit's text files: which object, in which remote."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from assay.cli.retrain_rows import Commit, count_rows
from assay.errors import InputError, IntegrityError, OutsideError
from assay.retraining.tracked import Tracked, find_remote, find_tracked, objects_in

MD5 = "0123456789abcdef0123456789abcdef"
FILES = {
    "models/data/claims.dvc": f"outs:\n- md5: {MD5}.dir\n  hash: md5\n  path: claims\n",
    "models/data/old.csv.dvc": f"outs:\n- md5: {MD5}\n  path: old.csv\n",
    "models/dvc.lock": "stages:\n  fetch:\n    outs:\n"
    f"    - path: data/raw.parquet\n      hash: md5\n      md5: {MD5}\n",
    ".dvc/config": "[core]\n    remote = store\n['remote \"store\"']\n    url = s3://bucket/top\n"
    "    endpointurl = http://minio:9000\n    access_key_id = ignored\n",
}


def test_a_path_is_found_in_its_dvc_file_or_in_a_lock_above_it() -> None:
    found = {
        path: find_tracked(FILES.get, "models", path) for path in ("data/claims", "data/old.csv")
    }
    assert found["data/claims"].object == f"files/md5/01/{MD5[2:]}.dir"
    assert found["data/claims"].is_folder
    assert found["data/old.csv"].object == f"01/{MD5[2:]}", "as DVC 2 laid objects out"
    assert find_tracked(FILES.get, "models", "data/raw.parquet").object == f"files/md5/01/{MD5[2:]}"


@pytest.mark.parametrize(
    "text", [None, "outs: []", "- 1", "outs: 3", "stages: {a: {outs: [{}]}}", "&"]
)
def test_what_is_not_tracked_is_said(text: str | None) -> None:
    with pytest.raises(InputError):
        find_tracked({"x.dvc": text}.get, "", "x")


def test_the_default_remote_has_its_address_and_s3s_settings_and_no_secret() -> None:
    found = find_remote(FILES.get, "models")
    assert found.address == "s3://bucket/top"
    assert found.options == {"endpoint_url": "http://minio:9000"}
    relative = {"models/.dvc/config": "[core]\nremote = a\n['remote \"a\"']\nurl = ../../store\n"}
    assert find_remote(relative.get, "models").address == "store"
    for files in ({}, {".dvc/config": "[core]\n"}, {".dvc/config": "no section"}):
        with pytest.raises(InputError, match="no default DVC remote"):
            find_remote(files.get, "models")


@pytest.mark.parametrize(
    "listing", [b"3", b"[1]", b'[{"md5": "../../x", "relpath": "a"}]', b"\xff"]
)
def test_what_is_no_listing_of_a_folder_is_refused(listing: bytes) -> None:
    with pytest.raises(IntegrityError, match="no listing"):
        objects_in(listing, Tracked(path="claims", object=f"files/md5/01/{MD5[2:]}.dir"))


def test_the_rows_of_a_folder_are_counted_in_a_remote_that_is_a_folder(tmp_path: Path) -> None:
    rows, other = b"id,y\n1,0\n2,1\n", b"not data"
    listed = [
        {"md5": hashlib.md5(content, usedforsecurity=False).hexdigest(), "relpath": name}
        for name, content in (("a.csv", rows), ("more/b.csv", rows), ("read.me", other))
    ]
    store = tmp_path / "store" / "files" / "md5"
    for entry, content in zip(listed, (rows, rows, other), strict=True):
        put(store, entry["md5"], content)
    files = {
        **FILES,
        ".dvc/config": "[core]\nremote = a\n['remote \"a\"']\nurl = ../store\n",
    }
    commit = Commit(read=files.get, folder="models", root=tmp_path)
    with pytest.raises(OutsideError, match="dvc push"):
        count_rows("dvc:data/claims", commit)
    put(store, f"{MD5}.dir", json.dumps(listed).encode())
    assert count_rows("dvc:data/claims", commit) == 4
    put(store, listed[0]["md5"], b"id,y\n1\n")
    with pytest.raises(InputError, match=r"^a\.csv:2: the row has 1"):
        count_rows("dvc:data/claims", commit)


def put(store: Path, digest: str, content: bytes) -> None:
    place = store / digest[:2] / digest[2:]
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)
