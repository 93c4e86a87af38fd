"""Rankings: the unit is the query, ties count as every order of them, and what is refused."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import ndcg_score

from assay.config import Columns, Gate, Slice, Task
from assay.errors import InputError
from assay.evidence import State
from assay.stats.means import mean_difference
from assay.stats.moments import JointMoments
from assay.verdict import decide_comparison
from support.compared import compared as compared_as
from support.compared import measured
from support.predictions import ranking

Array = NDArray[Any]
EVERY = ("ndcg@5", "ndcg", "mrr", "precision@3", "recall@3", "hit_rate@2")
compared = partial(compared_as, task=Task.RANKING)


def per_query(side: Any, value: Callable[[Array, Array], float]) -> Array:
    return np.array(
        [
            value(side["relevance"][rows], side["score"][rows])
            for query in np.unique(side["query_id"])
            for rows in [side["query_id"] == query]
        ]
    )


def over_orders(value: Callable[[Array], float]) -> Callable[[Array, Array], float]:
    """The mean over every order of tied items, by writing them all down."""

    def mean(relevance: Array, score: Array) -> float:
        orders = [
            order
            for order in itertools.permutations(range(score.size))
            if all(score[a] >= score[b] for a, b in itertools.pairwise(order))
        ]
        return float(np.mean([value(relevance[list(order)] > 0) for order in orders]))

    return mean


ORACLES: dict[str, Callable[[Array, Array], float]] = {
    "ndcg@5": lambda y, s: ndcg_score([y], [s], k=5),
    "ndcg": lambda y, s: ndcg_score([y], [s]),
    "mrr": over_orders(lambda hits: 1 / (1 + int(np.argmax(hits)))),
    "precision@3": over_orders(lambda hits: float(hits[:3].mean())),
    "recall@3": over_orders(lambda hits: hits[:3].sum() / hits.sum()),
    "hit_rate@2": over_orders(lambda hits: float(hits[:2].any())),
}


@pytest.mark.parametrize("metric", EVERY)
def test_values_are_means_over_queries(tmp_path: Path, metric: str) -> None:
    base, head = ranking(60, items=5)
    found = measured(compared(tmp_path, base, head, report=(metric,)), metric)
    sides = [per_query(side, ORACLES[metric]) for side in (base, head)]
    assert (found.base, found.head) == pytest.approx([side.mean() for side in sides], rel=1e-9)
    assert found.n == 60
    expected = mean_difference(
        JointMoments.from_sides(*sides), greater_is_better=True, lowest=0.0, highest=1.0
    )
    assert expected.interval is not None
    assert found.interval == pytest.approx((expected.interval.low, expected.interval.high))


def test_slices_are_of_queries_and_a_gate_decides(tmp_path: Path) -> None:
    base, head = ranking(300)
    gates = {"ndcg@10": Gate(margin=0.01)}
    found = compared(tmp_path, base, head, gates=gates, slices=(Slice(column="market"),))
    north = base["market"] == "north"
    part = {name: column[north] for name, column in head.items()}
    here = measured(found, "ndcg@10", "market=north")
    assert here.head == pytest.approx(
        per_query(part, lambda y, s: ndcg_score([y], [s], k=10)).mean()
    )
    assert here.n == len(set(part["query_id"]))
    assert "The unit is the query: 300 queries with 3,600 items." in found.notes
    verdict = decide_comparison(found, gates=gates)
    assert verdict.rules[0].state is State.BETTER


def test_the_order_of_rows_and_the_sides_count_alike(tmp_path: Path) -> None:
    base, head = ranking(80)
    one = compared(tmp_path, base, head, report=EVERY).measurements
    order = np.random.default_rng(0).permutation(base["score"].size)
    shuffled = {name: column[order] for name, column in head.items()}
    assert compared(tmp_path, base, shuffled, report=EVERY).measurements == one
    for left, right in zip(
        one, compared(tmp_path, head, base, report=EVERY).measurements, strict=True
    ):
        assert left.interval is not None
        assert right.interval is not None
        assert left.interval == pytest.approx((-right.interval[1], -right.interval[0]))


def test_queries_of_one_entity_are_a_cluster(tmp_path: Path) -> None:
    base, head = ranking(120)
    for side in (base, head):
        side["user"] = side["query_id"] // 3
    columns = Columns(entity="user")
    found = measured(compared(tmp_path, base, head, report=("mrr",), columns=columns), "mrr")
    assert (found.n, found.clusters) == (120, 40)
    with pytest.raises(InputError, match="'item_id' differs among the items of 120 queries"):
        compared(tmp_path, base, head, columns=Columns(entity="item_id"))


def test_a_query_and_a_relevance_make_it_a_ranking(tmp_path: Path) -> None:
    base, head = ranking(40)
    for columns in (Columns(query="query_id"), Columns()):
        found = compared(tmp_path, base, head, task=None, columns=columns)
        assert found.task is Task.RANKING
    assert [m.metric for m in found.measurements] == ["ndcg@10", "mrr"]
    assert all(math.isfinite(m.base or math.nan) for m in found.measurements)


def test_queries_without_a_relevant_item_are_left_out(tmp_path: Path) -> None:
    base, head = ranking(50)
    for side in (base, head):
        side["relevance"] = np.where(side["query_id"] < 7, 0, side["relevance"])
    found = compared(tmp_path, base, head, report=("mrr",))
    assert measured(found, "mrr").n == 43
    assert "7 queries have no relevant item and are left out." in found.notes


def test_one_item_per_query_tells_nothing_apart(tmp_path: Path) -> None:
    base, head = ranking(60, items=1)
    found = compared(tmp_path, base, head, report=("ndcg@5",))
    assert "60 queries have one item, which nothing can rank: they count as 1." in found.notes
    (low, high) = measured(found, "ndcg@5").interval or (0.0, 0.0)
    assert (low < 0 < high, measured(found, "ndcg@5").difference) == (True, 0.0)


def test_few_queries_are_not_judged(tmp_path: Path) -> None:
    found = compared(tmp_path, *ranking(20), report=("mrr",))
    assert measured(found, "mrr").regime == "too few rows"


def test_without_ids_rows_join_by_position(tmp_path: Path) -> None:
    base, head = ranking(40)
    for side in (base, head):
        del side["item_id"]
    assert measured(compared(tmp_path, base, head, report=("mrr",)), "mrr").n == 40
    head["query_id"] = head["query_id"][::-1]
    with pytest.raises(InputError, match="the query differs between base and head"):
        compared(tmp_path, base, head)


def broken(column: str, value: Any, rows: int = 2) -> Callable[[dict[str, Any]], None]:
    def damage(side: dict[str, Any]) -> None:
        changed = side[column].astype(object)
        changed[:rows] = value
        side[column] = changed.tolist()

    return damage


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (broken("relevance", math.nan), "the label is missing, infinite or no number in 2"),
        (broken("score", math.inf), "the score is missing, infinite or no number in 2"),
        (broken("relevance", -1), "the relevance is negative in 2 joined rows"),
        (broken("relevance", 0, 10_000), r"no query has a relevant item \(a label above 0\)"),
        (broken("market", "east", 1), "'market' differs among the items of 1 queries"),
        (lambda side: side.pop("query_id"), "no query column was recognised"),
        (lambda side: side.pop("score"), "no score column was recognised"),
        (lambda side: side.pop("relevance"), "no label column was recognised"),
    ],
)
def test_bad_input_is_refused(
    tmp_path: Path, damage: Callable[[dict[str, Any]], None], said: str
) -> None:
    sides = ranking(30)
    for side in sides:
        damage(side)
    with pytest.raises(InputError, match=said):
        compared(tmp_path, *sides, slices=(Slice(column="market"),))


def test_other_items_on_a_side_are_refused(tmp_path: Path) -> None:
    base, head = ranking(30)
    head = {name: column[1:] for name, column in head.items()}
    with pytest.raises(InputError, match=r"1 items \(query / item\) are on one side only: '0 / 0'"):
        compared(tmp_path, base, head)


def test_metrics_of_other_tasks_are_not_measured(tmp_path: Path) -> None:
    found = compared(tmp_path, *ranking(40), report=("accuracy", "mean:score"))
    assert measured(found, "accuracy").undefined == "accuracy is not defined for the task ranking"
    assert measured(found, "mean:score").undefined == "a ranking has no means of columns"
