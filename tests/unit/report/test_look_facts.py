"""Every fact of a look reaches each output: changed in the look, it changes what is written."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from rich.console import Console

from assay.cli.monitor_table import print_look
from assay.evidence import Look
from assay.evidence.monitoring import Coverage, Drift, NewValue, Quality, Retrospect
from assay.report.exposition import exposition
from assay.report.look_metrics import look_families
from assay.report.look_page import look_markdown
from support.watching import DIGEST, PSI, look, problem

SELECTED = "Labels of one class come earlier."
Path = tuple[str | int, ...]

NOWHERE = {
    # What a rule is in a gate's report; a look names its problem instead.
    "rules.model", "rules.gate", "rules.severity", "rules.higher_is_better", "rules.against",
}  # fmt: skip
NOT_IN = {
    "page": {
        "windows.versions",  # How many there were.
        "rules.difference",  # The interval stands for it, between live and promised.
        "state",  # The headline counts what is urgent.
    },
    "terminal": {
        # Values by slice are counted alone, and columns that stayed.
        "model", "state", "at", "windows.versions", "drift.p_adjusted", "rules.difference",
        "rules.decides", "rules.confidence", "rules.slice",
    },
    "metrics": {
        # A gauge carries no sentence.
        "sentence", "notes", "unreadable", "problems.sentence", "rules.reason",
        "windows.coverage.selection", "windows.quality.reason",
        "drift.effects.threshold", "drift.leading", "drift.new.value", "drift.new.rows",
        "problems.step", "problems.command",
        "windows.start", "rules.decides",
        "rules.confidence",
    },
}  # fmt: skip


def full() -> Look:
    """Return a look in which nothing is empty."""
    found = look(
        problem(since="2026-03-08T10:00:00Z", step="Look:", command="assay history churn"),
        notes=("Nothing was scored.",),
        unreadable=("half.parquet: cut off",),
        retrospects=(Retrospect(metric="f1", windows=9, held=8, error=0.012, constant=0.05),),
        drift=(
            Drift(
                column="age",
                role="feature",
                effects=(PSI,),
                moved=True,
                cost=0.01,
                p_adjusted=1e-9,
                interval=(0.3, 0.4),
                leading=("plan",),
                new=(NewValue(value="team", rows=9),),
            ),
        ),
        labels={
            "known": 910, "new": 30, "corrected": 2, "contradictory": 1, "duplicates": 5,
            "orphans": 4, "ahead": 3,
        },
    )  # fmt: skip
    settled = found.windows[0]
    coverage = Coverage(
        labelled=910, delay_median=86_400, delay_90=500_000, provisional=False, selection=SELECTED
    )
    estimated = Quality(metric="f1", value=0.8, interval=(0.7, 0.9), estimated=True, n=1000)
    unmeasured = Quality(metric="recall", n=3, reason="too few labels")
    unjudged = found.rules[0].model_copy(
        update={"metric": "recall", "interval": None, "reason": "too few labels"}
    )
    return found.model_copy(
        update={
            "rules": (*found.rules, unjudged),
            "windows": (
                settled.model_copy(
                    update={
                        "coverage": coverage,
                        "quality": (*settled.quality, estimated, unmeasured),
                    }
                ),
            ),
        }
    )


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield every value that is there, with its place."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from leaves(each, (*path, key))
    elif isinstance(value, list | tuple):
        for place, each in enumerate(value):
            yield from leaves(each, (*path, place))
    elif value is not None:
        yield path, value


def changed(facts: dict[str, Any], path: Path) -> dict[str, Any]:
    """Return the facts with another value at one place."""
    inner: Any = facts
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = other(inner[path[-1]], path)
    return facts


def other(value: Any, path: Path) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value * 2 + 1
    if path == ("state",):
        return "pass"
    if path[0] == "rules" and path[-1] == "against":
        return "anchor"
    choices = {"state": "better", "severity": "warn", "kind": "drift", "against": "same hours",
               "role": "label"}  # fmt: skip
    if path[-1] in choices:
        return choices[str(path[-1])]
    return value.replace("2026", "2025") if value.startswith("2026-") else f"other-{value}"


def printed(found: Look) -> str:
    out = io.StringIO()
    print_look(Console(file=out, width=400, markup=False), found)
    return out.getvalue()


OUTPUTS: dict[str, Callable[[Look], str]] = {
    "page": look_markdown,
    "terminal": printed,
    "metrics": lambda found: exposition(look_families(found)),
}


def named(path: Path) -> str:
    return ".".join(part for part in path if isinstance(part, str) and part != DIGEST)


def facts() -> dict[str, Any]:
    made: dict[str, Any] = full().model_dump(mode="json")
    made.pop("schema", None)
    return made


@pytest.mark.parametrize("output", sorted(OUTPUTS))
def test_every_fact_reaches(output: str) -> None:
    write = OUTPUTS[output]
    before = write(Look.model_validate(facts()))
    places = [path for path, _ in leaves(facts())]
    reached = {
        named(path)
        for path in places
        if write(Look.model_validate(changed(facts(), path))) != before
    }
    assert set(map(named, places)) - reached == NOWHERE | NOT_IN[output]
