"""Files behind an address: which are found, and that each version is copied once."""

from __future__ import annotations

from pathlib import Path

import fsspec
import pytest

from assay.errors import InputError, OutsideError
from assay.monitoring.sources import find_files


def test_a_folder_a_pattern_and_one_file_are_found_by_address(tmp_path: Path) -> None:
    system = fsspec.filesystem("memory")
    system.pipe("/addresses/a.csv", b"a\n")
    system.pipe("/addresses/more/b.parquet", b"b")
    for hidden in (".c.csv", "_d/e.csv", "read.me"):
        system.pipe(f"/addresses/{hidden}", b"c")

    def found(source: str) -> list[bytes]:
        files = find_files(
            f"memory://addresses{source}", root=tmp_path, cache=tmp_path / "cache", setting="here"
        )
        assert set(files) == set((tmp_path / "cache").iterdir())
        return sorted(path.read_bytes() for path in files)

    assert found("") == [b"a\n", b"b"]
    assert found("/a.csv") == [b"a\n"]
    assert found("/more/*.parquet") == [b"b"]
    system.pipe("/addresses/a.csv", b"new\n")
    assert found("/a.csv") == [b"new\n"]
    with pytest.raises(OutsideError, match="nothing is there"):
        found("/elsewhere")


def test_an_address_of_no_package_that_is_here_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="another package"):
        find_files("oss://bucket/x", root=tmp_path, cache=tmp_path / "cache", setting="here")
