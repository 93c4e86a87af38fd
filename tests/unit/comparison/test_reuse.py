"""The use of a test set in comparison.json: what is counted, and the corrected intervals."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.comparison import Asked, compare
from assay.config import Gate
from assay.evidence import Comparison, Ledger, UsedTestSet, file_digest
from support.evidence_folders import rows, rules

OTHERS = tuple(f"{number:064x}" for number in range(1, 5))
HEADER = "id,y_true,y_pred"


def written(path: Path, lines: list[str], header: str = HEADER) -> Path:
    path.write_text("\n".join([header, *lines]) + "\n")
    return path


def lines(count: int, *, wrong: int = 0) -> list[str]:
    return [f"{row[0]},{row[1]},{row[2]}" for row in rows(count, wrong=wrong)]


def compared(base: Path, head: Path, ledger: Ledger | None, **changes: object) -> Comparison:
    asked = Asked.by_rules("churn", rules(ledger=True, **changes), ledger=ledger)
    return compare(base, head, asked)


def digest_of(base: Path, head: Path) -> str:
    found = compared(base, head, Ledger()).reuse
    assert found is not None
    assert found.test_set is not None
    return found.test_set


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    return (
        written(tmp_path / "base.csv", lines(200, wrong=20)),
        written(tmp_path / "head.csv", lines(200, wrong=22)),
    )


def used(test_set: str, *heads: str) -> Ledger:
    uses = UsedTestSet(since="2026-01-02T03:04:05Z", heads=heads)
    return Ledger(models={"churn": {test_set: uses}})


def test_nobody_pays_for_a_ledger_that_is_not_asked_for(files: tuple[Path, Path]) -> None:
    assert compare(*files, Asked.by_rules("churn", rules())).reuse is None


def test_the_first_decision_has_the_plain_interval(files: tuple[Path, Path]) -> None:
    found = compared(*files, Ledger())
    assert found.reuse is not None
    assert (found.reuse.decisions, found.reuse.confidence) == (1, 0.95)
    (corrected,) = found.reuse.corrected
    plain = next(m for m in found.measurements if (m.metric, m.slice) == ("accuracy", "all"))
    assert corrected.interval == plain.interval


def test_another_head_counts_and_the_same_is_free(files: tuple[Path, Path]) -> None:
    test_set, own = digest_of(*files), file_digest(files[1])
    fresh = compared(*files, used(test_set, *OTHERS)).reuse
    known = compared(*files, used(test_set, own, *OTHERS)).reuse
    assert fresh is not None
    assert fresh.decisions == 5
    assert fresh.since == "2026-01-02T03:04:05Z"
    assert known == fresh


def test_the_corrected_interval_is_the_one_at_that_confidence(files: tuple[Path, Path]) -> None:
    gates = {"accuracy": Gate(relative_margin=0.05), "f1": Gate(margin=0.05)}
    found = compared(*files, used(digest_of(*files), *OTHERS), gates=gates)
    again = compared(*files, None, gates=gates, confidence=0.99)
    assert found.reuse is not None
    assert found.reuse.confidence == pytest.approx(0.99)
    expected = {
        (m.metric, m.base_weight): m.interval
        for m in again.measurements
        if m.slice == "all" and m.metric in gates
    }
    assert len(expected) == 3
    for corrected in found.reuse.corrected:
        wanted = expected[corrected.metric, corrected.base_weight]
        assert corrected.interval == pytest.approx(wanted, rel=1e-9)


def test_a_copy_of_the_base_asks_nothing(files: tuple[Path, Path]) -> None:
    test_set = digest_of(*files)
    found = compared(files[0], files[0], used(test_set, *OTHERS)).reuse
    assert found is not None
    assert (found.test_set, found.decisions) == (test_set, 4)


def test_the_order_of_rows_and_how_labels_are_written_change_nothing(tmp_path: Path) -> None:
    base = written(tmp_path / "b.csv", lines(200, wrong=20))
    head = written(tmp_path / "h.csv", lines(200, wrong=22))
    shuffled = written(tmp_path / "s.csv", list(reversed(lines(200, wrong=20))))
    decimal = written(
        tmp_path / "d.csv", [line.replace(",", ".0,", 2) for line in lines(200, wrong=20)]
    )
    wider = written(
        tmp_path / "w.csv", [f"{line},x" for line in lines(200, wrong=20)], f"{HEADER},more"
    )
    found = {digest_of(path, head) for path in (base, shuffled, decimal, wider)}
    assert len(found) == 1


def test_the_head_cannot_name_another_test_set(tmp_path: Path) -> None:
    """Rows that the head leaves out, adds or labels anew do not make the test set a new one."""
    base = written(tmp_path / "b.csv", lines(200, wrong=20))
    fewer = written(tmp_path / "f.csv", lines(190, wrong=22))
    more = written(tmp_path / "m.csv", lines(210, wrong=22))
    labelled = written(tmp_path / "l.csv", ["0,1,1", *lines(200, wrong=22)[1:]])
    assert len({digest_of(base, head) for head in (base, fewer, more, labelled)}) == 1
    changed = written(tmp_path / "c.csv", lines(201, wrong=20))
    assert digest_of(changed, fewer) != digest_of(base, fewer)


def test_without_ids_the_place_of_a_row_counts_and_without_labels_the_id(tmp_path: Path) -> None:
    plain = written(tmp_path / "p.csv", ["1,1", "0,0", "1,0"] * 30, "y_true,y_pred")
    turned = written(tmp_path / "t.csv", ["0,0", "1,1", "1,0"] * 30, "y_true,y_pred")
    assert digest_of(plain, plain) != digest_of(turned, turned)
    gates = {"mean:grade": Gate(margin=0.1)}
    graded = written(tmp_path / "g.csv", [f"{n},{n % 5}" for n in range(60)], "id,grade")
    better = written(tmp_path / "h.csv", [f"{n},{n % 7}" for n in range(60)], "id,grade")
    found = compared(graded, better, Ledger(), gates=gates).reuse
    assert found is not None
    assert found.test_set == compared(better, graded, Ledger(), gates=gates).reuse.test_set  # type: ignore[union-attr]
    nameless = written(tmp_path / "n.csv", [str(n % 5) for n in range(60)], "grade")
    unknown = compared(nameless, nameless, Ledger(), gates=gates).reuse
    assert unknown is not None
    assert unknown.test_set is None
    assert "neither ids nor labels" in (unknown.missing or "")


@pytest.mark.parametrize(
    ("ledger", "says"),
    [
        (None, "no ledger.json"),
        (Ledger(missing="the remote is away"), "the remote is away"),
        (Ledger(unreadable={"churn": "line 3 is no JSON"}), "line 3 is no JSON"),
    ],
)
def test_a_ledger_that_cannot_be_read_is_said(
    files: tuple[Path, Path], ledger: Ledger | None, says: str
) -> None:
    found = compared(*files, ledger).reuse
    assert found is not None
    assert found.decisions is None
    assert says in (found.missing or "")
    assert found.corrected == ()


def test_clusters_and_rankings_are_corrected_as_they_are_measured(tmp_path: Path) -> None:
    """Whole patients stay whole at the corrected confidence, and queries are a test set too."""
    patients = [f"{line},{number // 4}" for number, line in enumerate(lines(400, wrong=60))]
    others = [f"{line},{number // 4}" for number, line in enumerate(lines(400, wrong=71))]
    header = f"{HEADER},patient"
    base = written(tmp_path / "b.csv", patients, header)
    head = written(tmp_path / "h.csv", others, header)
    ranked = [f"{n},{n // 5},{n % 3},{n * 7 % 11}" for n in range(400)]
    moved = [f"{n},{n // 5},{n % 3},{n * 5 % 13}" for n in range(400)]
    first = written(tmp_path / "r.csv", ranked, "id,query,relevance,score")
    second = written(tmp_path / "s.csv", moved, "id,query,relevance,score")
    margin = Gate(margin=0.05)
    asked = {"columns": {"entity": "patient"}, "gates": {"accuracy": margin}}
    ranking = {
        "task": "ranking",
        "columns": {"query": "query", "label": "relevance", "score": "score"},
        "gates": {"ndcg@3": margin},
    }
    for left, right, rule in ((base, head, asked), (first, second, ranking)):
        plain = compared(left, right, Ledger(), **rule).reuse
        assert plain is not None
        assert plain.test_set is not None
        found = compared(left, right, used(plain.test_set, *OTHERS), **rule).reuse
        again = compared(left, right, None, confidence=0.99, **rule)
        assert found is not None
        (corrected,) = found.corrected
        expected = {(m.metric, m.slice): m.interval for m in again.measurements}
        assert corrected.interval == pytest.approx(expected[corrected.metric, "all"], rel=1e-9)
