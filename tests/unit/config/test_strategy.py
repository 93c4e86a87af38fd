"""What a strategy refuses, and what it takes where nothing is said."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from assay.config import METRICS, OnlineMetric, Strategy, parse_config
from assay.config.families import FAMILIES, ONLINE, is_online
from assay.errors import InputError
from assay.tables.labelled_log import value_of

ON_A_TARGET = """\
version: 1
models:
  churn:
    predictions: p.parquet
    artifact: model
    gates: {accuracy: {margin: 0.01}}
    delivery:
      targets: [production]
      strategy: {kind: canary}
delivery:
  targets:
    production: {kind: local}
"""


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
        *(
            (
                {"quality": {"metric": name, "margin": 0.01}},
                "accuracy, mae, quantile_loss:Q or mean:",
            )
            for name in ("roc_auc", "log_loss", "brier", "ndcg@5", "acuracy", "quantile_loss:2")
        ),
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
    [("accuracy", True), ("quantile_loss:0.9", False), ("mean:clicked", True), ("mae", False)],
)
def test_a_mean_of_one_value_per_unit_has_a_direction(name: str, up: bool) -> None:
    assert OnlineMetric(metric=name, margin=0.1).measured.higher_is_better is up


def test_a_column_may_be_turned() -> None:
    metric = OnlineMetric(metric="mean:cost", margin=1.0, higher_is_better=False)
    assert not metric.measured.higher_is_better


def test_only_what_a_rollout_counts_is_taken() -> None:
    examples = {each.prefix: each.prefix + {"COLUMN": "x", "K": "5", "Q": "0.9"}[each.parameter]
                for each in FAMILIES}  # fmt: skip
    taken = {name for name in (*METRICS, *examples.values()) if is_online(name)}
    assert taken == {"accuracy", "mae", "quantile_loss:0.9", "mean:x"}
    assert len(ONLINE) == len(taken)
    for name in (*METRICS, *examples.values()):
        if name in taken:
            assert value_of(name)
        else:
            with pytest.raises(InputError, match="cannot be measured from the prediction log"):
                value_of(name)


@pytest.mark.parametrize("kind", ["canary", "blue-green", "shadow", "ab", "bandit"])
def test_a_metric_that_no_rollout_counts_is_refused_with_its_place(kind: str) -> None:
    text = ON_A_TARGET.replace(
        "{kind: canary}", f"{{kind: {kind}, quality: {{margin: 0.01, metric: log_loss}}}}"
    )
    with pytest.raises(InputError) as raised:
        parse_config(text)
    column = text.splitlines()[8].index("log_loss") + 1
    assert str(raised.value) == (
        f"assay.yaml:9:{column}: models.churn.delivery.strategy.quality.metric should be accuracy, "
        "mae, quantile_loss:Q or mean:COLUMN (what a rollout counts as labels arrive), not the "
        "text 'log_loss'."
    )


def test_a_metric_is_not_judged_from_a_log_that_is_off() -> None:
    off = "serving: {log: {share: 0}}"
    judged = ON_A_TARGET.replace("{kind: canary}", "{quality: {margin: 0.01}}")
    with pytest.raises(InputError, match="0 logs nothing"):
        parse_config(judged.replace("targets: [production]", f"targets: [production]\n      {off}"))
    parse_config(
        ON_A_TARGET.replace("targets: [production]", f"targets: [production]\n      {off}")
    )
