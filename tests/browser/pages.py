"""Reports for the browser: what a reviewer meets, a hundred slices, and hostile names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from assay.evidence import (
    Comparison,
    Curve,
    Details,
    Effect,
    Finding,
    FlippedRow,
    Histogram,
    Outcome,
    Rows,
    State,
)
from assay.report.bundle import Report
from assay.report.web.document import report_page
from support.reports import data_report, report, rule, verdict
from support.reviewed import failing, passing
from support.situations import judged

CURVES = tuple(
    Curve(kind=kind, side=side, x=(0, 0.2, 0.5, 1), y=(0.1, 0.5, 0.7 + shift, 1), n=n)
    for kind, n in (
        ("roc", ()),
        ("pr", ()),
        ("calibration", (9, 8, 7, 6)),
        ("scores", (1, 2, 3, 4)),
    )
    for side, shift in (("base", 0.0), ("head", 0.1))
)


def histogram(name: str) -> Finding:
    """A drifted column with a histogram."""
    return Finding(
        check="drift",
        dataset="base/head train",
        columns=(name,),
        message="the distribution moved",
        effects=(Effect(name="psi", value=0.31, threshold=0.2),),
        histogram=Histogram(
            cells=("0 … 10", name, "no value"), reference=(500, 300, 200), current=(100, 700, 200)
        ),
    )


def flipped(kind: str, name: str, count: int) -> tuple[FlippedRow, ...]:
    """Rows that one side alone has right."""
    base, head = ("1", "0") if kind == "lost" else ("0", "1")
    return tuple(
        FlippedRow(
            id=f"{name}-{kind}-{place:02}",
            label="1",
            base=base,
            head=head,
            base_score=0.61,
            head_score=0.42,
        )
        for place in range(count)
    )


def comparison(name: str, rows: int) -> Comparison:
    """A binary comparison with everything that is drawn."""
    return Comparison(
        model="doctor-visit",
        rows=Rows(joined=4038),
        details=Details(
            classes=(name, "0"),
            confusion_base=((1402, 411), (382, 1843)),
            confusion_head=((1431, 382), (371, 1854)),
            curves=CURVES,
            both_right=3102,
            base_only_right=143,
            head_only_right=183,
            neither_right=610,
            lost=flipped("lost", name, rows),
            won=flipped("won", name, rows),
        ),
    )


def drawn(name: str = "amount") -> Report:
    """A failing report with slices, curves, flipped rows and drift; ``name`` stands everywhere."""
    made = failing()
    model = made.models[0]
    return replace(
        made,
        models=(replace(model, comparison=comparison(name, 8), data=data_report(histogram(name))),),
    )


def hundred_slices() -> Report:
    """Ten metrics on a hundred slices, and as many examples as there can be."""
    metrics = [f"metric_{place}" for place in range(10)]
    rules = tuple(
        rule(metric, State.NO_WORSE, 0.8, 0.81, 0.011, slice=where, n=812)
        for metric in metrics
        for where in ("all", *(f"column_{i % 7}=a value of some length {i}" for i in range(100)))
    )
    findings = tuple(histogram(f"column_{place}") for place in range(24))
    return report(
        verdict(Outcome.PASS, rules),
        comparison=comparison("a class", 50),
        data=data_report(*findings),
    )


def hostile(nasty: str) -> Report:
    """The drawn report with one string in the place of every name."""
    made = drawn(nasty)
    rules = tuple(
        one.model_copy(
            update={
                "metric": f"mean:{nasty}{place}",
                "slice": "all" if place < 2 else nasty,
                "reason": nasty,
            }
        )
        for place, one in enumerate(made.verdict.rules)
    )
    judged_again = made.verdict.model_copy(update={"rules": rules, "sentence": nasty})
    plan = made.plan.model_copy(
        update={"event": made.plan.event.model_copy(update={"head_branch": nasty, "title": nasty})}
    )
    return replace(made, plan=plan, verdict=judged_again, evidence_at=nasty)


def write(folder: Path, made: Report) -> Path:
    """Write a report's page; return its path."""
    path = folder / "report.html"
    path.write_text(report_page(made), encoding="utf-8")
    return path


def of_gate(folder: Path, name: str) -> Path:
    """The page the gate writes for a situation."""
    return judged(name, folder / name) / "report.html"


__all__ = ["drawn", "hostile", "hundred_slices", "of_gate", "passing", "write"]
