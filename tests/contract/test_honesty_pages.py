"""The committed tables of the simulations are of the grid and the numbers that the suite has."""

from __future__ import annotations

import csv
import re
from pathlib import Path

from honesty import change_part, quiet_part
from honesty.apart import CHANGES, WORLDS
from honesty.estimates import KINDS as DRIFTS
from honesty.estimates import METRICS as ESTIMATED
from honesty.grid import DISCORDANCES, PREVALENCES, ROWS, WON
from honesty.metrics import METRICS
from honesty.monitoring_page import NOT_RUN, PARTS, parts_of
from honesty.report import between
from honesty.rollouts_page import CASES, KINDS
from honesty.simulation import counted
from honesty.verdicts import CONFIGS, RUNS

HONESTY = Path(__file__).resolve().parents[2] / "docs/honesty"


def rows() -> list[dict[str, str]]:
    with (HONESTY / "cells.csv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def test_every_cell_of_every_metric_is_in_the_table() -> None:
    names = ("metric", "rows", "kind", "discordance", "won")
    found = [tuple(row[name] for name in names) for row in rows()]
    asked = [
        (name, str(cell.n), str(cell.kind), str(cell.discordance), str(cell.won))
        for name, metric in METRICS.items()
        for cell in metric.world.cells
    ]
    assert sorted(found) == sorted(asked)


def test_the_grid_is_the_one_that_is_promised() -> None:
    assert ROWS == (200, 1_000, 10_000)
    assert PREVALENCES == (0.5, 0.1, 0.02)
    assert DISCORDANCES == (0.001, 0.01, 0.06, 0.2)
    assert WON == (0.5, 0.25, 0.05, 0.0)


def test_the_page_says_what_was_drawn() -> None:
    page = (HONESTY / "coverage.md").read_text(encoding="utf-8")
    counts = {int(row["drawn"]) for row in rows() if counted(row["metric"])}
    drawn = {int(row["drawn"]) for row in rows() if not counted(row["metric"])}
    assert (
        f"{len(METRICS)} metrics, {len(rows()):,} cells; {between(counts)} test sets a cell where "
        f"counts are drawn, {between(drawn)} where rows are."
    ) in page
    command = re.search(r"`tests/honesty/table\.py --draws (\d+) --row-draws (\d+)`", page)
    assert command is not None
    assert (max(counts), max(drawn)) == tuple(int(count) for count in command.groups())


def test_verdicts_say_how_many_runs() -> None:
    page = (HONESTY / "verdicts.md").read_text(encoding="utf-8")
    assert f"{RUNS:,} runs of one claim, {CONFIGS:,} of a whole config." in page


def test_rollouts_have_a_row_for_every_strategy_and_version() -> None:
    page = (HONESTY / "rollouts.md").read_text(encoding="utf-8")
    runs = re.search(r"^([\d,]+) rollouts a row", page, re.MULTILINE)
    assert runs is not None
    rows = {
        tuple(cell.strip() for cell in line.split("|")[1:4])
        for line in page.splitlines()
        if line.startswith("| ")
    }
    for kind in KINDS:
        for case in CASES:
            assert (kind, case.name, f"{case.margin:g}") in rows


def test_monitoring_has_every_part_and_row() -> None:
    page = (HONESTY / "monitoring.md").read_text(encoding="utf-8")
    parts = parts_of(page)
    assert list(parts) == list(PARTS)
    for name, text in parts.items():
        assert f"Command: `--part {name}`." in text
        kept = "**Promises that this does not show to be kept: none.**" in text
        assert kept is not (NOT_RUN in text)
    for world in (*quiet_part.PROMISED, *quiet_part.BEYOND):
        row = f"| {world.name} | {quiet_part.years_of(world)} |"
        assert NOT_RUN in parts["quiet"] or row in parts["quiet"]
    for name in change_part.METHODS:
        assert f"| {name} |" in parts["change"]
    for change in CHANGES:
        for world in WORLDS:
            assert f"| {change} | {world} |" in parts["apart"]
    for drop in change_part.DROPS:
        assert f"| {100 * drop:.0f} points |" in parts["change"]
    for kind in DRIFTS:
        for metric in ESTIMATED:
            assert f"| {kind} | {metric} |" in parts["estimates"]


def test_other_thresholds_of_the_quiet_years_are_those_that_the_docs_name() -> None:
    page = (HONESTY.parent / "monitoring.md").read_text(encoding="utf-8")
    for shift, rule in quiet_part.RULES.items():
        row = f"| {shift:g} | {rule.psi:g} | {rule.jensen_shannon:g} | {rule.wasserstein:g} |"
        assert row in page


def test_monitoring_says_how_many_runs() -> None:
    page = (HONESTY / "monitoring.md").read_text(encoding="utf-8")
    quiet = f"| {quiet_part.USUAL.name} | {quiet_part.YEARS} |"
    assert NOT_RUN in page or quiet in page
    assert f"{change_part.RUNS:,} runs of each drop" in page
