"""Rows on another file system: Parquet by its footer, the rest whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from assay.errors import InputError
from assay.tables.remote_rows import RemoteFile, count_remote_rows
from support.data_files import write_parquet


class Counting(MemoryFileSystem):
    """A memory of its own that knows how many bytes were read of it."""

    protocol = "counting"
    store: ClassVar[dict[str, Any]] = {}
    pseudo_dirs: ClassVar[list[str]] = [""]
    read = 0

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return "/" + path.removeprefix("counting://").lstrip("/")

    def open(self, path: str, mode: str = "rb", **more: Any) -> Any:
        """Open a file whose reads are counted."""
        file = super().open(path, mode, **more)
        original = file.read

        def read(size: int = -1) -> bytes:
            content: bytes = original(size)
            self.read += len(content)
            return content

        file.read = read
        return file


def put(system: Counting, name: str, content: bytes) -> RemoteFile:
    system.pipe(f"/{name}", content)
    return RemoteFile(path=f"/{name}", name=name)


def test_of_parquet_the_footer_is_read_and_no_row(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "a.parquet", {"x": [n * 7919 % 99991 for n in range(90_000)]})
    content = path.read_bytes()
    system = Counting()
    files = [put(system, "a.parquet", content), put(system, "b.PARQUET", content)]
    assert count_remote_rows(system, files) == 180_000
    assert 0 < system.read < len(content) / 4
    files.append(put(system, "c.csv", b"id\n1\n2\n"))
    assert count_remote_rows(system, files) == 180_002


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    content = write_parquet(tmp_path / "a.parquet", {"x": [1]}).read_bytes()
    for name, damaged in (("a.parquet", content[:-20]), ("b.csv", b"a,b\n1\n")):
        with pytest.raises(InputError, match=rf"^{name}"):
            count_remote_rows(Counting(), [put(Counting(), name, damaged)])
