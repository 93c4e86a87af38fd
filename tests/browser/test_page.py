"""``report.html`` in a real browser: what it shows, what can be asked, and that it asks nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from browser.conftest import Open
from browser.pages import drawn, hostile, hundred_slices, of_gate, passing, write
from support.hostile import HOSTILE
from support.situations import SITUATIONS

pytestmark = pytest.mark.browser

MOST_BYTES = 2_000_000
ENDINGS = ("</script><script>pwned()</script>", '" onload=pwned()')


def visible_rows(page: Page, table: str) -> list[str]:
    return page.locator(f"{table} tbody tr:visible").all_inner_texts()


@pytest.mark.parametrize("name", SITUATIONS)
def test_the_gates_page_opens_without_a_word_or_a_request(
    opened: Open, tmp_path: Path, name: str
) -> None:
    found = opened(of_gate(tmp_path, name))
    expect(found.page.locator("h1")).to_contain_text("Assay: ")
    drawn_here = name != "missing-base"
    expect(found.page.locator("#forest svg")).to_have_count(1 if drawn_here else 0)
    assert (found.said, found.requests) == ([], [])


def test_the_first_screen_has_the_verdict_its_number_and_the_forest(
    opened: Open, tmp_path: Path
) -> None:
    page = opened(of_gate(tmp_path, "clear-loss")).page
    for part in ("h1", "header strong", "#forest svg"):
        box = page.locator(part).first.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] < 800
    expect(page.locator("header strong")).to_contain_text("a difference of −0.0325")
    label = page.locator("#forest svg").get_attribute("aria-label") or ""
    assert "accuracy: 0.8155 → 0.7830, −0.0325 [−0.0407, −0.0243], worse" in label


def test_claims_are_filtered_and_sorted(opened: Open, tmp_path: Path) -> None:
    found = opened(write(tmp_path, drawn()))
    page = found.page
    every = len(visible_rows(page, "#claims"))
    page.get_by_label("State").select_option("worse")
    worse = visible_rows(page, "#claims")
    assert 0 < len(worse) < every
    assert all("worse" in row for row in worse)
    expect(page.locator("#shown")).to_contain_text(f"{len(worse)} of {every} claims")
    page.get_by_label("Slice contains").fill("plan=")
    assert len(visible_rows(page, "#claims")) == 1
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("#shown")).to_contain_text(f"{every} of {every}")
    head = page.locator("#claims").get_by_role("columnheader", name="Difference")
    head.get_by_role("button").click()
    expect(head).to_have_attribute("aria-sort", "ascending")
    assert "0.652" in visible_rows(page, "#claims")[0]
    head.get_by_role("button").click()
    expect(head).to_have_attribute("aria-sort", "descending")
    assert "0.652" in visible_rows(page, "#claims")[-1]
    assert found.said == []


def test_everything_works_from_the_keyboard(opened: Open, tmp_path: Path) -> None:
    page = opened(write(tmp_path, drawn())).page
    page.get_by_label("Metric", exact=True).focus()
    page.keyboard.press("Tab")
    page.keyboard.press("w")  # a select takes the first option that begins so
    expect(page.get_by_label("State")).to_have_value("worse")
    page.locator("#claims th button").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#claims th").first).to_have_attribute("aria-sort", "ascending")
    page.locator(".confusion-view input").first.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".confusion td[data-base]").first).to_have_text("1,402")


def test_the_confusion_matrix_shows_either_side_and_the_change(
    opened: Open, tmp_path: Path
) -> None:
    page = opened(write(tmp_path, drawn())).page
    first = page.locator(".confusion td[data-base]").first
    for view, text in (("head", "1,431"), ("change", "+29"), ("base → head", "1,402 → 1,431")):
        page.locator(".confusion-view").get_by_label(view, exact=True).check()
        expect(first).to_have_text(text)


def test_flipped_examples_are_filtered(opened: Open, tmp_path: Path) -> None:
    page = opened(write(tmp_path, drawn())).page
    assert len(visible_rows(page, ".flipped")) == 16
    page.locator(".flipped-filter").get_by_label("won").check()
    assert all("won" in row for row in visible_rows(page, ".flipped"))
    page.get_by_label("Contains", exact=True).fill("won-03")
    assert len(visible_rows(page, ".flipped")) == 1
    expect(page.locator(".flipped-filter [role=status]")).to_have_text("1 of 16 rows are shown.")


def test_every_chart_is_there_and_named(opened: Open, tmp_path: Path) -> None:
    page = opened(write(tmp_path, drawn())).page
    labels = [svg.get_attribute("aria-label") or "" for svg in page.locator("svg[role=img]").all()]
    for start in ("Differences", "ROC", "Precision", "Calibration", "Shares of rows by score"):
        assert any(label.startswith(start) for label in labels), start
    assert page.locator(".drift svg").count() == 1


def test_pointing_at_an_interval_tells_its_numbers(opened: Open, tmp_path: Path) -> None:
    page = opened(write(tmp_path, drawn())).page
    page.locator("#forest svg g[data-part=dot] > *").first.hover()
    expect(page.locator("#forest svg g[aria-label=tip]")).to_contain_text("0.8036 → 0.7784")


def test_without_scripts_the_text_says_it_all(opened: Open, tmp_path: Path) -> None:
    found = opened(write(tmp_path, drawn()), script=False)
    page = found.page
    text = page.locator("main").inner_text()
    for part in ("Assay: fail", "0.8036", "0.7784", "health=poor", "1,402 → 1,431", "lost-03"):
        assert part in text, part
    assert page.locator("svg").count() == 0
    assert page.locator(".needs-script:visible").count() == 0
    assert "The charts need JavaScript" in text


@pytest.mark.parametrize("width", [400, 1280])
def test_nothing_is_wider_than_the_window(opened: Open, tmp_path: Path, width: int) -> None:
    page = opened(write(tmp_path, drawn()), width=width).page
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_charts_follow_the_window(opened: Open, tmp_path: Path) -> None:
    page = opened(write(tmp_path, drawn())).page
    page.set_viewport_size({"width": 500, "height": 800})
    page.wait_for_function("document.querySelector('#forest svg').clientWidth < 500")


def test_dark_is_dark(opened: Open, tmp_path: Path) -> None:
    page = opened(write(tmp_path, drawn()), scheme="dark").page
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert colour == "rgb(13, 17, 23)"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1280])
def test_axe_finds_nothing(
    opened: Open, tmp_path: Path, packages: Path, scheme: str, width: int
) -> None:
    page = opened(write(tmp_path, drawn()), scheme=scheme, width=width).page
    for summary in page.locator("summary").all():
        summary.click()
    # evaluate() is not held to the page's policy, a script element would be.
    page.evaluate((packages / "axe-core" / "axe.min.js").read_text(encoding="utf-8"))
    found: Any = page.evaluate("axe.run()")
    told = [
        (rule["id"], [node["html"][:200] for node in rule["nodes"]]) for rule in found["violations"]
    ]
    assert told == []


def test_a_hundred_slices_fit_in_two_megabytes(opened: Open, tmp_path: Path) -> None:
    path = write(tmp_path, hundred_slices())
    assert path.stat().st_size < MOST_BYTES
    found = opened(path)
    assert len(visible_rows(found.page, "#claims")) == 1010
    expect(found.page.locator("#shown")).to_contain_text("the first 25 are drawn")
    assert found.said == []


@pytest.mark.parametrize("nasty", [*HOSTILE, *ENDINGS])
def test_hostile_names_run_nothing_and_ask_for_nothing(
    opened: Open, tmp_path: Path, nasty: str
) -> None:
    found = opened(write(tmp_path, hostile(nasty)))
    expect(found.page.locator("#shown")).to_contain_text("claims are shown")
    assert found.page.locator("img, iframe, object, [onerror], [onload], main script").count() == 0
    assert found.page.locator("main a[href^='javascript']").count() == 0
    assert (found.said, found.requests) == ([], [])


def test_without_any_rule_there_is_still_a_page(opened: Open, tmp_path: Path) -> None:
    made = passing()
    bare = made.verdict.model_copy(update={"rules": ()})
    found = opened(write(tmp_path, type(made)(plan=made.plan, verdict=bare, models=())))
    expect(found.page.locator("main")).to_contain_text("No metric was judged")
    assert found.said == []
