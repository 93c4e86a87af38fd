"""Zip files for tests, good and bad."""

from __future__ import annotations

import io
import warnings
import zipfile


def packed(*files: tuple[str, bytes], mode: int | None = None) -> bytes:
    """Return an archive of ``files``; ``mode`` is every entry's file mode."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        for name, content in files:
            entry = zipfile.ZipInfo(name)
            entry.compress_type = zipfile.ZIP_DEFLATED
            if mode is not None:
                entry.external_attr = mode << 16
            archive.writestr(entry, content)
    return buffer.getvalue()
