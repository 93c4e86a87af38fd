"""What a strategy refuses, and what it takes where nothing is said."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from assay.config import OnlineMetric, Strategy


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"steps": [{"weight": 0.5}, {"weight": 0.1}]}, "each weight must be above"),
        ({"steps": [{"weight": 1.0}]}, "leaves nothing to compare with"),
        ({"kind": "shadow", "steps": [{"weight": 0.1}, {"weight": 0.5}]}, "shadow has one"),
        ({"kind": "blue-green", "steps": [{"weight": 0.5}]}, "weight: 1"),
        ({"kind": "ab"}, "name one"),
        ({"kind": "bandit"}, "name one"),
        (
            {"kind": "bandit", "quality": {"margin": 0.01}, "steps": [{"weight": 0.05}]},
            "leave each version the floor",
        ),
        ({"agreement": 0.9}, "only a shadow"),
        ({"quality": {"metric": "roc_auc", "margin": 0.01}}, "not a mean of one value per unit"),
        ({"quality": {"metric": "accuracy"}}, "exactly one of margin and must_improve"),
        (
            {"quality": {"margin": 0.1, "must_improve": True}},
            "exactly one of margin and must_improve",
        ),
        ({"quality": {"margin": 0.1, "severity": "off"}}, "leave out `quality`"),
        ({"guards": {"error_rate": 0}}, "greater than 0"),
    ],
)
def test_what_cannot_be_is_refused(given: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Strategy.model_validate(given)


def test_each_kind_has_steps_of_its_own() -> None:
    metric = OnlineMetric(margin=0.01)
    weights = {
        kind: [step.weight for step in Strategy(kind=kind, quality=metric).steps]
        for kind in ("canary", "blue-green", "shadow", "ab", "bandit")
    }
    assert weights == {
        "canary": [0.01, 0.1, 0.5],
        "blue-green": [1.0],
        "shadow": [0.1],
        "ab": [0.5],
        "bandit": [0.5],
    }


@pytest.mark.parametrize(
    ("name", "up"),
    [("accuracy", True), ("log_loss", False), ("mean:clicked", True), ("mae", False)],
)
def test_a_mean_of_one_value_per_unit_has_a_direction(name: str, up: bool) -> None:
    assert OnlineMetric(metric=name, margin=0.1).measured.higher_is_better is up


def test_a_column_may_be_turned() -> None:
    metric = OnlineMetric(metric="mean:cost", margin=1.0, higher_is_better=False)
    assert not metric.measured.higher_is_better
