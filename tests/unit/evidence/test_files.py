"""Writing whole or not at all, and digests of files and folders."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from assay.errors import InputError, OutsideError
from assay.evidence import file_digest, tree_digest, write_atomically
from support.repositories import put_files

TOOLKIT = Path(__file__).resolve().parents[3] / "toolkit"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def python(script: str, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        env={**os.environ, "PYTHONPATH": str(TOOLKIT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_a_file_is_made_with_its_folders_and_replaced_whole(tmp_path: Path) -> None:
    target = tmp_path / "a" / "b" / "c.json"
    write_atomically(target, "one")
    write_atomically(target, b"two")
    assert target.read_bytes() == b"two"
    assert names(target.parent) == ["c.json"]
    assert target.stat().st_mode & 0o777 == 0o644


def test_a_link_is_replaced_and_its_target_kept(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("kept")
    (tmp_path / "link").symlink_to("kept")
    write_atomically(tmp_path / "link", "new")
    assert (tmp_path / "kept").read_text() == "kept"
    assert not (tmp_path / "link").is_symlink()


def test_a_parent_that_is_a_file_is_outside(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutsideError, match=r"file/a: cannot be written"):
        write_atomically(tmp_path / "file" / "a", "x")
    assert names(tmp_path) == ["file"]


def test_a_folder_in_its_place_is_outside_and_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(OutsideError, match="cannot be written"):
        write_atomically(tmp_path / "a", "x")
    assert names(tmp_path) == ["a"]


FULL_DISK = """
import resource, sys
sys.dont_write_bytecode = True
from pathlib import Path
from assay.errors import OutsideError
from assay.evidence import write_atomically
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    write_atomically(Path(sys.argv[1]), "x" * 5000)
except OutsideError as error:
    print(error)
    sys.exit(error.exit_code)
"""


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "plan.json"
    write_atomically(target, "old")
    with python(FULL_DISK, str(target)) as process:
        out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (3, b"")
    assert b"plan.json: cannot be written: File too large. Check the free space" in out
    assert target.read_text() == "old"
    assert names(tmp_path) == ["plan.json"]


FOREVER = """
import os, sys
from pathlib import Path
from assay.evidence import write_atomically
target = Path(sys.argv[1])
print("started", flush=True)
while True:
    write_atomically(target, "a" * 2_000_000)
    write_atomically(target, "b" * 2_000_000)
"""


@pytest.mark.parametrize("kind", [signal.SIGKILL, signal.SIGINT])
def test_a_kill_never_leaves_half_a_file(kind: signal.Signals, tmp_path: Path) -> None:
    target = tmp_path / "plan.json"
    with python(FOREVER, str(target)) as process:
        assert process.stdout is not None
        process.stdout.readline()
        while not target.exists():
            time.sleep(0.01)
        time.sleep(0.05)
        process.send_signal(kind)
        process.communicate(timeout=30)
    content = target.read_text()
    assert content in ("a" * 2_000_000, "b" * 2_000_000)
    if kind is signal.SIGINT:
        assert names(tmp_path) == ["plan.json"]


def test_the_digest_of_a_file_is_its_sha_256(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"x" * 300_000)
    expected = hashlib.sha256(b"x" * 300_000).hexdigest()
    assert file_digest(path) == tree_digest(path) == expected


@pytest.mark.parametrize("digest", [file_digest, tree_digest])
def test_nothing_has_no_digest(digest: object, tmp_path: Path) -> None:
    assert callable(digest)
    with pytest.raises(InputError, match="cannot be read: No such file"):
        digest(tmp_path / "none")


def test_the_digest_of_a_folder_is_of_names_and_contents_in_any_order(tmp_path: Path) -> None:
    files = {"b/x": b"1", "a": b"2", "b.x": b"3"}
    one = put_files(tmp_path / "one", files)
    two = put_files(tmp_path / "two", dict(reversed(files.items())))
    (two / "empty").mkdir()
    assert tree_digest(one) == tree_digest(two)
    for change in ({"a": b"!"}, {"c": b"2"}, {"b/x": b""}):
        changed = put_files(tmp_path / str(len(names(tmp_path))), {**files, **change})
        assert tree_digest(changed) != tree_digest(one)


def test_a_name_cannot_pretend_to_be_two_files(tmp_path: Path) -> None:
    two = put_files(tmp_path / "two", {"a": b"1", "b": b"2"})
    digest = hashlib.sha256(b"2").hexdigest()
    one = put_files(tmp_path / "one", {f"a\n{digest}  b": b"1"})
    assert tree_digest(one) != tree_digest(two)


def test_a_name_that_is_no_text_has_a_digest(tmp_path: Path) -> None:
    folder = tmp_path / "m"
    folder.mkdir()
    (folder / os.fsdecode(b"\xff")).write_bytes(b"1")
    assert len(tree_digest(folder)) == 64
