from __future__ import annotations

import pandas as pd
import pytest

from doctor_visit.ingest import tidy


@pytest.fixture
def source() -> pd.DataFrame:
    """Three members as the experiment codes them: free, half the cost, a deductible."""
    columns = "mdvis lncoins idp lpi fmde physlm disea hlthg hlthf hlthp".split()
    rows = [
        (0, 0.0, 0, 0.0, 0.0, 0.0, 3.4, 0, 0, 0),
        (2, 0.0, 0, 0.0, 0.0, 0.0, 3.4, 0, 0, 0),
        (4, 0.0, 0, 0.0, 0.0, 0.0, 3.4, 0, 0, 0),
        (1, 3.931826, 0, 6.1, 6.9, 0.0, 10.6, 1, 0, 0),
        (0, 3.931826, 0, 6.1, 6.9, 0.0, 10.6, 1, 0, 0),
        (7, 4.564348, 1, 6.9, 0.0, 1.0, 24.1, 0, 0, 1),
    ]
    return pd.DataFrame(rows, columns=columns)


@pytest.fixture
def raw(source: pd.DataFrame) -> pd.DataFrame:
    return tidy(source)
