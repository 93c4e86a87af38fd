"""A pipeline whose retrainings are decided, written down and proposed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from support.retrainings import Pipeline


@pytest.fixture
def pipeline(tmp_path: Path) -> Iterator[Pipeline]:
    with ExitStack() as stack:
        yield Pipeline.make(tmp_path, stack)
