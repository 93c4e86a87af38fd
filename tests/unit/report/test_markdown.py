"""The comment says what the verdict says, in its order."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

import pytest

from assay.config import Comment, Severity
from assay.evidence import Comparison, Event, Override, State, Verdict
from assay.report.markdown import render
from assay.report.numbers import MOST_PLACES
from assay.verdict.claims import NEW_MODEL
from support.comments import shows, tables
from support.reports import MODEL, plan, rule, training, with_rules
from support.reviewed import SITUATIONS, failing, not_measured, passing

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("name", SITUATIONS)
def test_the_comment_is_the_golden_one(name: str) -> None:
    """Set ASSAY_UPDATE_GOLDEN=1 to write the files anew, and read their diff."""
    golden = GOLDEN / f"{name}.md"
    markdown = render(SITUATIONS[name]())
    if os.environ.get("ASSAY_UPDATE_GOLDEN") == "1":
        golden.write_text(markdown, encoding="utf-8")
    assert markdown == golden.read_text(encoding="utf-8")


def gate_rows(markdown: str) -> list[list[str]]:
    """The cells of the first table, as shown."""
    return next(tables(markdown))[1]


def shown_numbers(cell: str) -> list[str]:
    return re.findall(r"[+−]?\d[\d,]*(?:\.\d+)?", cell)


@pytest.mark.parametrize("name", SITUATIONS)
def test_every_number_of_the_gate_table_is_the_verdicts(name: str) -> None:
    report = SITUATIONS[name]()
    rules = {
        rule.metric: rule for rule in report.verdict.rules if rule.gate and rule.slice == "all"
    }
    rows = gate_rows(render(report))
    assert {row[0].partition(" ")[0] for row in rows} == set(rules)
    for metric, base, head, difference, margin, _ in rows:
        judged = rules[metric.partition(" ")[0]]
        wanted = [judged.base, judged.head, judged.difference, *(judged.interval or ())]
        found = shown_numbers(f"{base} {head} {difference}")
        assert len(found) == len([value for value in wanted if value is not None])
        pairs = zip(found, (value for value in wanted if value is not None), strict=True)
        assert all(shows(printed, value) for printed, value in pairs)
        assert [shows(printed, judged.margin or 0) for printed in shown_numbers(margin)] == [True]


@pytest.mark.parametrize("name", SITUATIONS)
def test_the_order_of_the_page(name: str) -> None:
    markdown = render(SITUATIONS[name]())
    order = [
        "### Assay: ",
        SITUATIONS[name]().verdict.sentence.split(",")[0].split("_")[0],
        "- Compared: ",
        "| Metric | Base |",
        "**Data checks**",
        "**Tests**",
        "**What changed**",
        "<summary>Lineage</summary>",
        "<summary>Earlier verdicts</summary>",
        "```sh",
    ]
    positions = [markdown.index(part) for part in order]
    assert positions == sorted(positions)


def test_several_models_are_named_and_the_untouched_counted() -> None:
    report = failing()
    first = report.models[0]
    second = replace(first, plan=first.plan.model_copy(update={"name": "churn"}))
    third = replace(first, plan=first.plan.model_copy(update={"name": "idle", "touched": False}))
    rules = report.verdict.rules + tuple(
        one.model_copy(update={"model": "churn", "decides": False}) for one in report.verdict.rules
    )
    report = with_rules(replace(report, models=(first, second, third)), *rules)
    markdown = render(report)
    assert "| Model | Metric |" in markdown
    assert f"#### `{MODEL}`" in markdown
    assert "#### `churn`" in markdown
    assert "Not touched by this change: `idle`." in markdown
    assert "<summary>Lineage of churn</summary>" in markdown


def test_an_accepted_verdict_names_who_accepted_it() -> None:
    report = failing()
    accepted = Override(label="accept-model", by="octo", at="2026-11-20T10:00:00Z")
    verdict = report.verdict.model_copy(update={"override": accepted})
    markdown = render(replace(report, verdict=verdict))
    assert markdown.startswith("### Assay: fail, accepted\n")
    assert "Accepted by `octo` with the label `accept-model`" in markdown


def test_a_configuration_of_another_title_is_named() -> None:
    report = passing()
    named = report.plan.model_copy(update={"comment": Comment(title="fraud_eu")})
    assert render(replace(report, plan=named)).startswith("### Assay (fraud\\_eu): pass\n")


def test_a_forks_numbers_are_marked() -> None:
    markdown = render(replace(passing(), computed_by="stranger/churn"))
    assert "computed by the code of `stranger/churn`" in markdown


def test_a_number_without_an_interval_says_so() -> None:
    scalar = rule("auc_file", State.NO_WORSE, 0.871, 0.873, 0.1, interval=None)
    markdown = render(with_rules(passing(), scalar))
    assert "| +0.00200, no interval |" in markdown


def test_a_relative_margin_is_a_share_of_the_base() -> None:
    relative = rule("accuracy", State.NO_WORSE, 0.8, 0.81, 0.01, margin=None, relative_margin=0.02)
    row = gate_rows(render(with_rules(passing(), relative)))[0]
    assert row[4].replace("\N{NO-BREAK SPACE}", " ") == "2 % of base"


def test_a_missing_base_is_said_once_with_all_that_was_tried() -> None:
    markdown = render(not_measured())
    assert (
        "- Nothing could be compared: the base has no predictions.\n- Tried stored outputs: dvc"
        in (markdown)
    )
    assert "- Tried running it again: the training command ended with exit code 255.\n" in markdown
    assert "Not measured, or not settled" not in markdown


def test_reasons_are_said_once_for_all_their_metrics() -> None:
    undefined = {"reason": "one class only", "interval": None, "difference": None}
    rules = [
        rule(metric, State.NOT_MEASURED, 0.8, 0.8, 0.01, **undefined) for metric in ("f1", "mcc")
    ]
    markdown = render(with_rules(passing(), *rules))
    assert "- `f1`, `mcc`: not measured, one class only.\n" in markdown


def test_a_local_run_judges_the_work_tree() -> None:
    local = plan(event=Event())
    assert "- Compared: the work tree at c0ffeec, with 9b8e7db." in render(
        replace(passing(), plan=local)
    )


def test_of_several_models_each_has_one_item() -> None:
    made = plan()
    other = made.models[0].model_copy(update={"name": "fraud"})
    made = made.model_copy(update={"models": (*made.models, other)})
    models = (passing().models[0], replace(passing().models[0], plan=other))
    lead = render(replace(passing(), plan=made, models=models)).split("| Model |")[0]
    assert lead.count("\n- ") == 3
    assert "- `fraud`: 4,038 test rows joined by id. The base's predictions come from pred" in lead


def test_a_new_model_says_so_once() -> None:
    made = plan()
    reason = "judged by its own rules: new, the base has no such model"
    new = made.models[0].model_copy(update={"rules_from": "head", "reason": reason})
    found = replace(
        not_measured().models[0],
        plan=new,
        base=training("base", predictions=None, reason=reason),
        comparison=Comparison(model=MODEL, not_measured=NEW_MODEL),
    )
    markdown = render(replace(not_measured(), plan=made, models=(found,)))
    assert markdown.count("has no such model") == 1
    assert "- Judged by its own rules: new, the base has no such model. There is no" in markdown
    assert "Nothing could be compared" not in markdown


def test_an_empty_verdict_still_reads() -> None:
    markdown = render(
        replace(passing(), verdict=Verdict(state="pass", sentence="Nothing to judge."))
    )
    assert "No metric was judged." in markdown


def test_severity_is_said_where_it_acts() -> None:
    warned = rule("accuracy", State.WORSE, 0.8, 0.7, 0.01, severity=Severity.WARN)
    assert "| worse, warns |" in render(with_rules(passing(), warned))
    assert MOST_PLACES == 8
