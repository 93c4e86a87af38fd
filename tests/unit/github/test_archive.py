"""A stranger's zip file: evidence, or one refusal and nothing written."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import IntegrityError
from assay.github.archive import Limits, read_archive, unpack
from assay.github.evidence_store import is_evidence
from support.archives import packed

SMALL = Limits(packed=100_000, unpacked=50_000, files=10)


def read(data: bytes, limits: Limits = SMALL) -> dict[str, bytes]:
    return dict(read_archive(data, name="artifact", limits=limits, wanted=lambda _: True))


def test_evidence_comes_out_and_the_rest_stays(tmp_path: Path) -> None:
    data = packed(
        ("plan.json", b"{}"),
        ("churn/comparison.json", b"{}"),
        ("churn/base/training.json", b"{}"),
        ("churn/predictions.parquet", b"x"),
        ("report.md", b"# forged"),
        ("churn/evil.sh", b"rm"),
    )
    files = unpack(data, tmp_path, name="a", limits=SMALL, wanted=is_evidence)
    assert files == (
        "churn/base/training.json",
        "churn/comparison.json",
        "churn/predictions.parquet",
        "plan.json",
    )
    assert sorted(p.name for p in tmp_path.rglob("*") if p.is_file()) == [
        "comparison.json",
        "plan.json",
        "predictions.parquet",
        "training.json",
    ]


@pytest.mark.parametrize(
    "name",
    [
        "../plan.json",
        "a/../../plan.json",
        "/etc/passwd",
        "C:/plan.json",
        "a\\plan.json",
        "plan.json\x00.sh",
        "a//plan.json",
        "./plan.json",
        ".git/config",
        "a/.hidden",
        "x" * 300,
        "a/b/c/d/e/f.json",
        "pl\nan.json",
        "plän.json",
        "-rf",
        "a/::error::x",
    ],
)
def test_a_name_that_is_none_refuses_the_whole(tmp_path: Path, name: str) -> None:
    data = packed(("plan.json", b"{}"), (name, b"x"))
    if "\x00" in name:
        data = packed(("plan.json", b"{}"), (name.replace("\x00", "_"), b"x")).replace(
            b"plan.json_.sh", b"plan.json\x00.sh"
        )
    with pytest.raises(IntegrityError):
        unpack(data, tmp_path, name="a", limits=SMALL, wanted=is_evidence)
    assert list(tmp_path.iterdir()) == []


def test_a_link_is_refused() -> None:
    with pytest.raises(IntegrityError, match="link"):
        read(packed(("plan.json", b"/etc/passwd"), mode=0o120777))


@pytest.mark.parametrize("second", ["plan.json", "PLAN.json"])
def test_a_file_given_twice_is_refused(second: str) -> None:
    with pytest.raises(IntegrityError, match="twice"):
        read(packed(("plan.json", b"1"), (second, b"2")))


def test_too_many_files_are_refused() -> None:
    with pytest.raises(IntegrityError, match="over 10 files"):
        read(packed(*((f"f{i}.json", b"") for i in range(11))))


def test_a_directory_of_a_million_entries_is_refused_unread() -> None:
    entry = b"PK\x01\x02" + bytes(42)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 46 * 10**6, 0, 0)
    with pytest.raises(IntegrityError, match="over 10 files"):
        read(entry * 10**6 + end, Limits(files=10))


def test_a_bomb_is_refused_whatever_size_it_states() -> None:
    data = packed(("plan.json", b"\0" * 10_000_000))
    assert len(data) < SMALL.packed
    with pytest.raises(IntegrityError, match="unpacks to more"):
        read(data)
    # The same with the true size replaced by a small one in both headers.
    lying = data.replace(struct.pack("<L", 10_000_000), struct.pack("<L", 100))
    assert lying != data
    with pytest.raises(IntegrityError):
        read(lying)


def test_too_large_an_archive_is_refused_unread() -> None:
    with pytest.raises(IntegrityError, match="100,000 bytes"):
        read(b"x" * 100_001)


@pytest.mark.parametrize("data", [b"", b"PK", b"not a zip", packed(("a.json", b"x"))[:-10]])
def test_what_is_no_archive_is_refused(data: bytes) -> None:
    with pytest.raises(IntegrityError, match="cannot be unpacked"):
        read(data)


def test_an_encrypted_archive_is_refused() -> None:
    data = bytearray(packed(("a.json", b"x")))
    data[6] |= 1
    central = bytes(data).index(b"PK\x01\x02")
    data[central + 8] |= 1
    with pytest.raises(IntegrityError, match="cannot be unpacked"):
        read(bytes(data))


def test_a_wrong_checksum_is_refused() -> None:
    data = bytearray(packed(("a.json", b"some content that is long enough")))
    data[14] ^= 0xFF
    central = bytes(data).index(b"PK\x01\x02")
    data[central + 16] ^= 0xFF
    with pytest.raises(IntegrityError):
        read(bytes(data))


@given(st.binary(max_size=300), st.integers(0, 400))
def test_damage_is_refused_or_harmless(noise: bytes, at: int) -> None:
    data = packed(("plan.json", b"{}"), ("churn/data.json", b"{}"))
    damaged = data[:at] + noise + data[at + len(noise) :]
    try:
        files = read(damaged)
    except IntegrityError:
        return
    assert all(len(content) <= SMALL.unpacked for content in files.values())


def test_a_folder_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    inside.mkdir()
    outside.mkdir()
    (inside / "churn").symlink_to(outside)
    with pytest.raises(Exception, match="link"):
        unpack(
            packed(("churn/data.json", b"{}")),
            inside,
            name="a",
            limits=SMALL,
            wanted=is_evidence,
        )
    assert list(outside.iterdir()) == []
