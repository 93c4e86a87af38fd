"""What simulations leave out, so that they can draw more."""

from __future__ import annotations

import pytest

from assay.stats import estimate


@pytest.fixture
def without_p_values(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the search for a p-value that an interval does not need."""
    monkeypatch.setattr(estimate, "inverted_p", lambda _: 0.5)
