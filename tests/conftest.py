"""What all tests share: Hypothesis draws the same examples every time, and is not timed."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("assay", deadline=None, derandomize=True)
settings.load_profile("assay")
