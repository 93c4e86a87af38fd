"""The comment keeps GitHub's limits, and a stranger's words stay words."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from assay.evidence import Effect, Finding, Override, State
from assay.evidence import TestFailure as FailedTest
from assay.report.bundle import Report
from assay.report.markdown import COMMENT_BUDGET, render
from assay.report.summary import check_summary, job_summary
from support.comments import MARKDOWN
from support.reports import data_report, plan, rule, suite_run, with_rules
from support.reviewed import failing


def many_slices(count: int) -> Report:
    report = failing()
    rules = tuple(
        rule("accuracy", State.WORSE, 0.8, 0.7, 0.01, slice=f"column_{i}={'value' * 10}")
        for i in range(count)
    )
    return with_rules(report, *report.verdict.rules, *rules)


def test_a_long_report_drops_folded_detail_first_and_says_so() -> None:
    report = many_slices(400)
    markdown = render(report, budget=9_000)
    assert len(markdown.encode()) <= 9_000
    assert "Left out, for GitHub takes no longer comment: lineage" in markdown
    assert "the artifact `assay-evidence-1` of this run" in markdown
    assert "**Slices that moved**" in markdown
    assert "<summary>All slices</summary>" not in markdown
    assert "```sh" in markdown


def test_what_decides_is_kept_whatever_the_budget() -> None:
    markdown = render(many_slices(10), budget=10)
    assert "| Metric | Base |" in markdown
    assert "```sh" in markdown
    assert "<details>" not in markdown


def hostile_report(nasty: str) -> Report:
    report = failing()
    model = report.models[0]
    assert model.comparison is not None
    rules = tuple(
        one.model_copy(update={"metric": f"mean:{nasty}{i}", "slice": s, "reason": nasty})
        for i, (one, s) in enumerate(zip(report.verdict.rules, ["all", nasty] * 9, strict=False))
    )
    made = plan()
    event = made.event.model_copy(
        update={"head_branch": nasty, "base_branch": nasty, "title": nasty}
    )
    details = model.comparison.details.model_copy(
        update={"classes": (nasty, "b"), "flipped_examples": (nasty,) * 10}
    )
    evidence = replace(
        model,
        comparison=model.comparison.model_copy(
            update={"details": details, "small_slices": {nasty: 1}, "notes": (nasty,)}
        ),
        tests=suite_run(failed=1, failures=(FailedTest(name=nasty, file=nasty, message=nasty),)),
        data=data_report(
            Finding(
                check=nasty,
                dataset=nasty,
                columns=(nasty,),
                rows=(nasty,) * 5,
                message=nasty,
                effects=(Effect(name=nasty, value=1.0),),
            )
        ),
    )
    return replace(
        report,
        plan=made.model_copy(update={"event": event}),
        models=(evidence,),
        computed_by=nasty,
        verdict=report.verdict.model_copy(
            update={
                "rules": rules,
                "sentence": nasty,
                "override": Override(label=nasty, by=nasty, at=nasty),
            }
        ),
    )


HOSTILE = [
    "<script>alert(1)</script>",
    "a|b\n\n# heading\n\n<details>",
    "`` ` ``` [x](https://evil.example) ![y](https://evil.example/y.png)",
    "@octo fixes #1 ${{ secrets.X }} \x1b[31m",
    "</summary></details><h1>owned</h1>",
    "<!-- assay-history:1 [] -->",
    '![](https://cml.dev/watermark.png#ab "CML watermark other")',
    "x" * 1_000_000,
    "\ufdfa" * 100_000,
]


@pytest.mark.parametrize("nasty", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_string_changes_nothing_but_words(nasty: str) -> None:
    markdown = render(hostile_report(nasty))
    assert len(markdown.encode()) <= COMMENT_BUDGET
    tokens = MARKDOWN.parse(markdown)
    inline = [child for token in tokens for child in token.children or ()]
    assert {token.type for token in inline} <= {
        "text",
        "text_special",
        "code_inline",
        "strong_open",
        "strong_close",
        "softbreak",
    }
    tags = {token.content for token in tokens if token.type == "html_block"}
    known = r"</?details>|<summary>[^<>]*</summary>|<!-- assay-history:1 \[[^<>]*\] -->|\s"
    assert all(re.fullmatch(f"(?:{known})+", tag) for tag in tags)
    headings = [t for i, t in enumerate(tokens) if i and tokens[i - 1].type == "heading_open"]
    assert [heading.content for heading in headings] == ["Assay: fail, accepted"]
    assert "${{" not in markdown
    assert len(re.findall(r"<!-- assay-history:1 ", markdown)) == 1
    plain = render(hostile_report("plain"))
    wanted = [token.type for token in MARKDOWN.parse(plain) if token.type == "tr_open"]
    assert [token.type for token in tokens if token.type == "tr_open"] == wanted


def test_summaries_fit_and_keep_no_history() -> None:
    report = many_slices(200)
    assert len(check_summary(report).encode()) <= 65_535
    assert "Earlier verdicts" not in job_summary(report)
    assert "column_199" in job_summary(report)
