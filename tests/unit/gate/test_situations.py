"""Five situations through the real gate: the comment a reviewer reads, number by number."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from assay.evidence import Outcome, Rule, State, Verdict
from support.comments import shows, tables
from support.situations import SITUATIONS, judged

GOLDEN = Path(__file__).parent / "golden"
NUMBER = re.compile(r"(?<![\w.=-])[+−]?\d[\d,]*(?:\.\d+)?")
CLAIMS = {"Metric", "Base", "Head", "State"}


@pytest.fixture(scope="module", params=SITUATIONS)
def situation(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A judged evidence folder, in a folder named like the situation."""
    name = str(request.param)
    return judged(name, tmp_path_factory.mktemp("situations") / name)


def comment(situation: Path) -> str:
    return (situation / "report.md").read_text(encoding="utf-8")


def numbers_of(rule: Rule, columns: list[str]) -> list[float]:
    """A rule's numbers in the order its row prints them."""
    wanted = [float(rule.n)] if "Rows" in columns else []
    wanted += [v for v in (rule.base, rule.head, rule.difference) if v is not None]
    wanted += rule.interval or ()
    return wanted + ([rule.margin] if "Margin" in columns and rule.margin is not None else [])


def test_the_comment_is_the_golden_one(situation: Path) -> None:
    """Set ASSAY_UPDATE_GOLDEN=1 to write the files anew, and read their diff."""
    golden = GOLDEN / f"{situation.name}.md"
    if os.environ.get("ASSAY_UPDATE_GOLDEN") == "1":
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(comment(situation), encoding="utf-8")
    assert comment(situation) == golden.read_text(encoding="utf-8")


def test_every_number_of_a_claim_is_the_verdicts(situation: Path) -> None:
    verdict = Verdict.read(situation)
    rules = {(rule.metric, rule.slice): rule for rule in verdict.rules if rule.searched is None}
    seen = 0
    for header, rows in tables(comment(situation)):
        if not set(header) >= CLAIMS:
            continue
        for cells in rows:
            named = dict(zip(header, cells, strict=True))
            metric = named["Metric"].partition(" ")[0]
            rule = rules[metric, named.get("Slice", "all")]
            printed = [
                number
                for column, cell in named.items()
                if column not in {"Metric", "Slice", "State", "Model"}
                for number in NUMBER.findall(cell)
            ]
            wanted = numbers_of(rule, header)
            assert len(printed) == len(wanted), (named, wanted)
            assert all(map(shows, printed, wanted)), (named, wanted)
            seen += 1
    gates = [rule for rule in verdict.rules if rule.gate and rule.slice == "all"]
    assert seen >= len(gates)


def test_every_gate_is_in_the_first_table_with_its_state(situation: Path) -> None:
    verdict = Verdict.read(situation)
    header, rows = next(tables(comment(situation)))
    gates = {rule.metric: rule for rule in verdict.rules if rule.gate and rule.slice == "all"}
    shown = {row[0].partition(" ")[0]: row[header.index("State")] for row in rows}
    assert set(shown) == set(gates)
    for metric, rule in gates.items():
        assert shown[metric].partition(",")[0] == rule.state.value.replace("-", " ")


def test_the_sentence_is_the_verdicts_and_its_numbers_are_those_of_what_decides(
    situation: Path,
) -> None:
    verdict = Verdict.read(situation)
    said = comment(situation).splitlines()[2].strip("*").replace("\\", "")
    assert said == verdict.sentence
    told = [rule for rule in verdict.rules if rule.difference is not None]
    if verdict.state is Outcome.FAIL and not told:
        return
    numbers = [n for n in NUMBER.findall(said) if "." in n]
    assert any(
        all(any(shows(n, wanted) for n in numbers) for wanted in numbers_of(rule, []))
        for rule in told
    )


STATES = {
    "clear-win": (Outcome.PASS, State.BETTER),
    "clear-loss": (Outcome.FAIL, State.WORSE),
    "small-test-set": (Outcome.WARN, State.INCONCLUSIVE),
    "hidden-slice": (Outcome.WARN, State.NO_WORSE),
    "missing-base": (Outcome.FAIL, State.NOT_MEASURED),
}


def test_the_situation_is_what_its_name_says(situation: Path) -> None:
    verdict = Verdict.read(situation)
    gates = {rule.state for rule in verdict.rules if rule.gate and rule.slice == "all"}
    assert (verdict.state, gates) == (STATES[situation.name][0], {STATES[situation.name][1]})


def test_the_hidden_slice_is_named_in_the_first_sentence(situation: Path) -> None:
    if situation.name == "hidden-slice":
        assert "region=west" in Verdict.read(situation).sentence


def test_the_same_files_give_the_same_bytes(situation: Path, tmp_path: Path) -> None:
    again = judged(situation.name, tmp_path / situation.name)
    assert comment(again) == comment(situation)
