"""Writing so that it is there after a power cut, and in place where the disk is full."""

from __future__ import annotations

import os
from pathlib import Path


def write_at(handle: int, data: bytes, place: int) -> None:
    """Write all of ``data`` at a place of an open file."""
    while data:
        written = os.pwrite(handle, data, place)
        data, place = data[written:], place + written


def sync_folder(folder: Path) -> None:
    """Wait until the disk has a folder's names: a rename is lost in a power cut without it."""
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
