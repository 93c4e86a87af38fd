"""OpenMetrics and JUnit: read back by others' parsers, equal to the verdict, whatever the names."""

from __future__ import annotations

from typing import Any

import pytest
from defusedxml import ElementTree
from hypothesis import given
from hypothesis import strategies as st
from junitparser import JUnitXml
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from assay.config import Severity
from assay.evidence import Outcome, Rule, State, Verdict
from assay.report.junit import junit
from assay.report.openmetrics import openmetrics
from support.hostile import HOSTILE
from support.reports import rule, verdict
from support.reviewed import SITUATIONS

Samples = dict[tuple[str, str, str, str], float]


def samples(found: Verdict) -> Samples:
    """Sample value by name, model, metric and slice."""
    return {
        (
            sample.name,
            sample.labels.get("model", ""),
            sample.labels.get("metric", ""),
            sample.labels.get("slice", "") + sample.labels.get("state", ""),
        ): sample.value
        for family in text_string_to_metric_families(openmetrics(found))
        for sample in family.samples
    }


@pytest.mark.parametrize("name", SITUATIONS)
def test_every_number_of_a_gate_is_a_sample(name: str) -> None:
    judged = SITUATIONS[name]().verdict
    found = samples(judged)
    for one in judged.rules:
        kind = "assay_gate" if one.gate else "assay_metric"
        place = (one.model, one.metric, one.slice)
        assert found.get((f"{kind}_difference", *place)) == one.difference
        assert found.get((f"{kind}_base", *place)) == one.base
        assert found.get((f"{kind}_head", *place)) == one.head
        assert found.get((f"{kind}_margin", *place)) == one.margin
        ends = one.interval or (None, None)
        assert found.get((f"{kind}_difference_low", *place)) == ends[0]
        assert found.get((f"{kind}_difference_high", *place)) == ends[1]
        state = (f"{kind}_state", one.model, one.metric, one.slice + one.state.value)
        assert found[state] == 1
    assert found["assay_verdict", "", "", judged.state.value] == 1
    assert sum(value for key, value in found.items() if key[0] == "assay_verdict") == 1


def test_the_worst_slice_is_a_family_of_its_own() -> None:
    plain = rule("accuracy", State.WORSE, 0.8, 0.7, 0.02, slice="plan=full")
    searched = plain.model_copy(update={"searched": 40, "interval": (-0.2, -0.01)})
    found = samples(verdict(Outcome.WARN, (plain, searched)))
    place = (plain.model, "accuracy", "plan=full")
    assert found["assay_worst_slice_difference_low", *place] == -0.2
    assert plain.interval is not None
    assert found["assay_gate_difference_low", *place] == plain.interval[0]


def hostile(*names: str) -> Verdict:
    rules = tuple(
        rule("accuracy", State.WORSE, 0.8, 0.7, 0.02).model_copy(
            update={"model": name, "metric": name, "slice": name}
        )
        for name in names
    )
    return Verdict(state=Outcome.FAIL, sentence=names[0], rules=rules)


@pytest.mark.parametrize("nasty", HOSTILE)
def test_hostile_names_stay_names(nasty: str) -> None:
    judged = hostile(nasty, nasty + "\x00")
    text = openmetrics(judged)
    assert len(list(text_string_to_metric_families(text))) > 8
    assert all(character.isprintable() or character == "\n" for character in text)
    suites = JUnitXml.fromstring(junit(judged).encode())
    assert sum(len(suite) for suite in suites) == 2


@given(st.text(min_size=1, max_size=40))
def test_any_name_can_be_exported(name: str) -> None:
    judged = hostile(name)
    assert list(text_string_to_metric_families(openmetrics(judged)))
    assert ElementTree.fromstring(junit(judged)).tag == "testsuites"


def outcomes(judged: Verdict) -> tuple[int, int, int]:
    """Cases, failures and skips, as a parser counts them."""
    cases = [case for suite in JUnitXml.fromstring(junit(judged).encode()) for case in suite]
    kinds = [type(result).__name__ for case in cases for result in case.result]
    return len(cases), kinds.count("Failure"), kinds.count("Skipped")


@pytest.mark.parametrize("name", SITUATIONS)
def test_a_case_fails_where_its_rule_blocks(name: str) -> None:
    judged = SITUATIONS[name]().verdict
    severities = [one.severity for one in judged.rules] + [one.severity for one in judged.stages]
    cases, failures, _ = outcomes(judged)
    assert (cases, failures) == (len(severities), severities.count(Severity.BLOCK))
    assert (failures > 0) == (judged.state is Outcome.FAIL)


def test_what_was_not_measured_and_does_not_block_is_skipped() -> None:
    absent = Rule(
        model="m",
        metric="roc_auc",
        state=State.NOT_MEASURED,
        reason="no probabilities",
        gate=False,
        severity=Severity.OFF,
        decides=False,
    )
    assert outcomes(verdict(Outcome.PASS, (absent,))) == (1, 0, 1)


def test_the_counts_on_the_suites_are_right() -> None:
    root = ElementTree.fromstring(junit(SITUATIONS["broken-data"]().verdict))
    suites: list[Any] = root.findall("testsuite")
    assert [int(s.attrib["tests"]) for s in suites] == [len(s.findall("testcase")) for s in suites]
    assert int(root.attrib["failures"]) == len(root.findall(".//failure"))
    numbers = [case.findtext("system-out") or "" for case in suites[0].findall("testcase")]
    assert "base 0.8036; head 0.8011; difference −0.0025" in numbers[0]


def test_the_same_verdict_gives_the_same_bytes() -> None:
    judged = SITUATIONS["fail"]().verdict
    assert openmetrics(judged) == openmetrics(judged)
    assert junit(judged) == junit(judged)
