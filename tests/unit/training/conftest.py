"""A consumer whose models an Airflow trains, that stands in for a real one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.airflow_consumers import Site
from support.airflow_stand_in import airflow_stand_in


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with airflow_stand_in() as airflow:
        yield Site(tmp_path, airflow)
