"""Files that are there whole or not at all."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from assay.errors import OutsideError


def replace_json(file: Path, content: Any) -> None:
    """Write ``content`` beside ``file``, and rename it onto it once it is on the disk."""
    partial = file.with_name(f".{file.name}.new")
    try:
        with partial.open("w", encoding="utf-8") as handle:
            json.dump(content, handle, separators=(",", ":"))
            handle.flush()
            os.fsync(handle.fileno())
        partial.rename(file)
    except OSError as error:
        raise OutsideError(
            f"{file} cannot be written: {error.strerror}.", remedy="Make room on its disk."
        ) from error


def read_json(file: Path) -> Any:
    """Return what ``file`` holds; None where it is not there."""
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
