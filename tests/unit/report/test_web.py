"""``report.html`` as text: deterministic, closed, escaped; tests/browser opens it for real."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from importlib.resources import files

import pytest

from assay.evidence import Curve
from assay.report.bundle import Report
from assay.report.web.data import MOST_CLAIMS, embedded, page_data
from assay.report.web.document import report_page
from support.hostile import HOSTILE
from support.reports import MODEL, rule, verdict
from support.reviewed import SITUATIONS, passing

VENDORED = {
    "d3.min.js": "d3 7.9.2",
    "plot.umd.min.js": "@observablehq/plot 0.6.17",
}


class Elements(HTMLParser):
    """Every element's name and attributes."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def elements(page: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = Elements()
    parser.feed(page)
    return parser.found


@pytest.mark.parametrize("name", SITUATIONS)
def test_the_same_evidence_gives_the_same_bytes(name: str) -> None:
    assert report_page(SITUATIONS[name]()) == report_page(SITUATIONS[name]())


@pytest.mark.parametrize("name", SITUATIONS)
def test_nothing_is_fetched_and_no_style_or_handler_is_inline(name: str) -> None:
    for tag, attributes in elements(report_page(SITUATIONS[name]())):
        assert tag not in {"link", "img", "iframe", "object", "base", "form-action"}
        assert not {"src", "style", "srcset", "action"} & set(attributes)
        assert not [key for key in attributes if key.startswith("on")]


def test_the_policy_names_every_script_by_its_hash() -> None:
    page = report_page(passing())
    policy = next(a["content"] for t, a in elements(page) if "http-equiv" in a) or ""
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy
    assert policy.count("'sha256-") == page.count("<script>") + 2


def test_every_claim_is_in_the_table_and_in_the_data() -> None:
    made = SITUATIONS["fail"]()
    page = report_page(made)
    assert page.count('<tr data-place="') == len(made.verdict.rules)
    listed = page_data(made)["claims"]
    assert {(c["metric"], c["slice"], c["difference"]) for c in listed} == {
        (r.metric, r.slice, r.difference) for r in made.verdict.rules
    }


def test_what_decides_leads_the_first_chart() -> None:
    first = page_data(SITUATIONS["fail"]())["headline"][0]
    assert (first["metric"], first["slice"], first["decides"]) == ("accuracy", "all", True)


def with_rules(made: Report, count: int) -> Report:
    one = made.verdict.rules[0]
    rules = tuple(one.model_copy(update={"slice": f"column={place}"}) for place in range(count))
    return Report(plan=made.plan, verdict=verdict(made.verdict.state, rules), models=made.models)


def test_beyond_the_most_claims_the_page_says_where_the_rest_is() -> None:
    page = report_page(with_rules(passing(), MOST_CLAIMS + 7))
    assert "And 7 more claims in verdict.json." in page
    assert page.count('<tr data-place="') == MOST_CLAIMS


@pytest.mark.parametrize("nasty", [*HOSTILE, "</script>", "\u2028", "<!--<script>"])
def test_a_name_ends_no_element(nasty: str) -> None:
    one = rule("accuracy", passing().verdict.rules[0].state, 0.8, 0.81, 0.01)
    named = one.model_copy(update={"metric": nasty, "slice": nasty, "model": nasty})
    made = passing()
    plain = report_page(made)
    page = report_page(
        Report(plan=made.plan, verdict=verdict(made.verdict.state, (named,)), models=made.models)
    )
    tags = [tag for tag, _ in elements(page)]
    for tag in ("script", "style", "main", "img"):
        assert tags.count(tag) == [t for t, _ in elements(plain)].count(tag)
    data = re.search(r'id="data">(.*?)</script>', page)
    assert data is not None
    assert data[1].isascii()
    assert not set("<>&") & set(data[1])
    json.loads(data[1])


def test_embedded_data_comes_back_as_it_was() -> None:
    data = {"a": "</script>\u2028<!-- & ]]>", MODEL: [1.5, None, "é"]}
    assert json.loads(embedded(data)) == data


@pytest.mark.parametrize("name", VENDORED)
def test_a_vendored_script_says_its_version_and_has_its_licence(name: str) -> None:
    """That it is the package's own file, tests/browser/test_vendored.py compares."""
    assets = files("assay.report.web").joinpath("assets")
    head = assets.joinpath(name).read_text(encoding="utf-8")[:120]
    assert f"v{VENDORED[name].split()[1]} " in head
    licence = assets.joinpath(f"LICENSE.{name.split('.', maxsplit=1)[0]}").read_text(
        encoding="utf-8"
    )
    assert "this permission notice appear in all copies" in licence
    assert licence in report_page(passing())


def test_the_vendored_scripts_are_the_reviewed_ones() -> None:
    digests = {
        name: hashlib.sha256(
            files("assay.report.web").joinpath("assets", name).read_bytes()
        ).hexdigest()
        for name in VENDORED
    }
    assert digests == {
        "d3.min.js": "912111098ea99503a6f4967361d2bbdc9dbf58cf9c678c8e27e5b02d1a07f0c1",
        "plot.umd.min.js": "4358086467740777dd788d6b27a95cebdbaefdd50c730a3060117073bd7134cb",
    }


def test_every_curve_has_a_table() -> None:
    made = SITUATIONS["pass"]()
    model = made.models[0]
    assert model.comparison is not None
    details = model.comparison.details
    curves = (*details.curves, Curve(kind="pr", side="base", x=(0.5,), y=(0.75,)))
    found = model.comparison.model_copy(
        update={"details": details.model_copy(update={"curves": curves})}
    )
    page = report_page(replace(made, models=(replace(model, comparison=found),)))
    for heading in ("ROC curve", "Precision and recall", "Calibration"):
        assert f"<h4>{heading}</h4>" in page
    assert '<td class="number">50\N{NO-BREAK SPACE}%</td><td class="number">75' in page
    assert "<h4>Scores</h4>" not in page
