"""The prediction log: bounded, sampled by request, whole files, and a disk that may be full."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from assay.rollout.serving.predictions import SCHEMA, Answer, PredictionLog
from support.waiting import until


def answer(number: int = 0, **fields: object) -> Answer:
    kept = {
        "request_id": f"r{number}", "unit": "u", "assigned": "v", "generation": 3,
        "mirrored": False, "time": 1_700_000_000.25, "request": b'{"instances":[{"a":1}]}',
        "answer": b'{"predictions":[0]}', **fields,
    }  # fmt: skip
    return Answer(**kept)


def open_log(folder: Path, **options: object) -> PredictionLog:
    kept = {"version": "v", "share": 1.0, "waiting": 1_000, "seconds": 60.0, **options}
    return PredictionLog(folder, **kept)


def rows(folder: Path) -> list[dict[str, object]]:
    return [
        row for file in sorted(folder.glob("*.parquet")) for row in pq.read_table(file).to_pylist()
    ]


def test_what_waits_is_written_before_the_end(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    for number in range(250):
        log.add(answer(number))
    log.close()
    assert [row["request_id"] for row in rows(tmp_path)] == [f"r{n}" for n in range(250)]
    assert log.counters() == {"written": 250, "dropped": 0, "failed": 0, "waiting": 0}
    (file,) = tmp_path.iterdir()
    schema = pq.read_schema(file)
    assert schema.equals(SCHEMA)
    assert schema.metadata[b"schema"] == b"assay/predictions/1"


def test_a_file_is_closed_after_its_time(tmp_path: Path) -> None:
    log = open_log(tmp_path, seconds=0.3)
    log.add(answer())
    until(lambda: rows(tmp_path), "a closed file", seconds=10)
    assert len(rows(tmp_path)) == 1
    log.close()


def test_one_request_of_several_rows_is_several_rows(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    log.add(answer(request=b'{"instances":[{"a":1},{"a":2}]}', answer=b'{"predictions":[5,6]}'))
    log.close()
    assert [(row["row"], row["input"], row["output"]) for row in rows(tmp_path)] == [
        (0, '{"a":1}', "5"),
        (1, '{"a":2}', "6"),
    ]


def test_what_does_not_fit_the_queue_is_counted_and_nobody_waits(tmp_path: Path) -> None:
    log = open_log(tmp_path, waiting=1)
    began = time.monotonic()
    big = b"x" * (40 * 1024 * 1024)
    for number in range(3):
        log.add(answer(number, request=big))
    assert time.monotonic() - began < 5
    log.close()
    assert log.dropped >= 1
    assert log.written + log.dropped == 3


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_a_request_is_sampled_by_its_id_alone(tmp_path: Path, share: float) -> None:
    one, two = open_log(tmp_path, share=share), open_log(tmp_path, share=share)
    picked = [one.samples(f"request-{n}") for n in range(2_000)]
    assert picked == [two.samples(f"request-{n}") for n in range(2_000)]
    assert abs(sum(picked) / 2_000 - share) < 0.04
    one.close()
    two.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB; only root can make one."""
    if os.getuid():
        pytest.skip("only root can mount a small file system")
    place = tmp_path / "disk"
    place.mkdir()
    size = ["-o", "size=256k"]
    made = subprocess.run(["mount", "-t", "tmpfs", *size, "tmpfs", str(place)], check=False)
    if made.returncode:
        pytest.skip("a tmpfs cannot be mounted here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_is_counted_and_the_log_goes_on(small_disk: Path) -> None:
    log = open_log(small_disk, seconds=0.2)
    filler = small_disk / "filler"
    filler.write_bytes(b"x" * 250 * 1024)
    for number in range(100):
        log.add(answer(number, request=os.urandom(400).hex().encode()))
    until(lambda: log.failed > 0, "a failed write", seconds=10)
    assert [file.name for file in small_disk.iterdir()] == ["filler"]
    filler.unlink()
    log.add(answer(7))
    log.close()
    assert rows(small_disk)[-1]["request_id"] == "r7"
    assert log.written + log.failed == 101
