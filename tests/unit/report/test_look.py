"""A look for people and for scrapers: escaped, complete, and honest about what it stands on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from assay.config import Severity
from assay.evidence import ProblemKind
from assay.report.exposition import exposition
from assay.report.look_metrics import NAMES, Silenced, look_families, merged
from assay.report.look_page import look_html, look_markdown
from support.watching import DIGEST, look, problem


def samples(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(text: str, gauge: str, /, **labels: str) -> float:
    return samples(text)["assay_monitor_" + gauge, tuple(sorted(labels.items()))]


def test_the_page_leads_with_what_is_wrong_and_says_on_how_many_labels_it_stands() -> None:
    page = look_markdown(look(problem()), owner="churn team")
    assert page.startswith("### `churn` in production: 1 problem, 1 of them urgent\n")
    assert "910 of 1,000 predictions (91" in page
    assert "More are expected." in page
    assert "30 of 1,200 predictions" in page
    assert "Owner: churn team." in page
    assert "Drift: 1 of 2 columns moved" in page
    assert "f1 fell by 0.06" in page


def test_a_look_that_found_nothing_says_so() -> None:
    assert "nothing to act on" in look_markdown(look())


def test_a_look_without_predictions_or_labels_has_a_page() -> None:
    page = look_markdown(look(windows=(), labels=None, version=None, heartbeats=(), rules=()))
    assert "No predictions were read." in page


@given(st.text(min_size=1, max_size=60))
def test_no_name_reaches_the_page_as_markup(word: str) -> None:
    nasty = f"<img src=x onerror=alert(1)>{word}|@all"
    page = look_html(
        look(
            problem(subject=nasty, sentence=nasty),
            unreadable=(nasty,),
            sentence=nasty,
        ),
        owner=nasty,
        runbook=nasty,
    )
    assert "<img" not in page
    assert "@all" not in look_markdown(look(problem(sentence=nasty)))


def test_the_gauges_are_those_of_the_look() -> None:
    silence = Silenced(kind="quality", subject="f1", until=5.0)
    text = exposition(look_families(look(problem()), [silence]))
    assert (
        value(text, "problem", model="churn", kind="quality", subject="f1", severity="block") == 1
    )
    assert value(text, "label_coverage", model="churn", provisional="false") == 0.91
    assert value(text, "label_coverage", model="churn", provisional="true") == 0.025
    assert value(text, "serving_info", model="churn", artifact_digest=DIGEST) == 1
    assert value(text, "predictions", model="churn") == 1200
    assert (
        value(
            text,
            "quality",
            model="churn",
            metric="f1",
            slice="all",
            provisional="false",
            estimated="false",
        )
        == 0.81
    )
    assert value(text, "heartbeat_silent", model="churn", name="log") == 0
    moved = {"model": "churn", "column": "age", "role": "feature", "against": "reference"}
    assert value(text, "drift_effect", measure="psi", **moved) == 0.31
    assert value(text, "drift_cost", **moved) == 0.01
    until = value(
        text, "silenced_until_timestamp_seconds", model="churn", kind="quality", subject="f1"
    )
    assert until == 5.0
    states = [
        value(text, "rule_state", model="churn", metric="f1", slice="all", state=state)
        for state in ("worse", "better")
    ]
    assert states == [1, 0]


def test_only_listed_names_are_written_and_each_family_once() -> None:
    both = merged([look_families(look(problem())), look_families(look(model="other"))])
    names = [family.name for family in both]
    assert len(names) == len(set(names))
    assert set(names) <= NAMES
    assert value(exposition(both), "predictions", model="other") == 1200


@given(st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=4))
def test_any_names_give_text_that_a_scraper_reads(words: list[str]) -> None:
    problems = [
        problem(ProblemKind.SCHEMA, word, severity=Severity.WARN) for word in dict.fromkeys(words)
    ]
    text = exposition(look_families(look(*problems)))
    read = [key for key in samples(text) if key[0] == "assay_monitor_problem"]
    assert len(read) == len(problems)


@pytest.mark.parametrize("name", sorted(NAMES))
def test_names_are_prometheus_names(name: str) -> None:
    assert name.replace("_", "a").isalpha()
