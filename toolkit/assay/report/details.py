"""What a reader unfolds: every metric and slice, power, matrices, curves and lineage."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from assay.evidence import Comparison, Curve, Rule, Training
from assay.report import numbers
from assay.report.bundle import ModelEvidence, Report
from assay.report.escape import cell_code, code, text
from assay.report.gates import rule_table, sort_key
from assay.report.lead import short
from assay.report.table import and_more, bullets, paragraphs, table

MOST_RULES = 200
MOST_CLASSES = 12
_MOST_LINEAGE = 40
_FALSE_POSITIVE_RATES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5)


def _of(report: Report, model: str) -> list[Rule]:
    return sorted((rule for rule in report.verdict.rules if rule.model == model), key=sort_key)


def all_metrics(report: Report, model: str) -> str:
    """Return every metric over all rows, those for information too."""
    rules = [rule for rule in _of(report, model) if rule.slice == "all"]
    if not any(not rule.gate for rule in rules):
        return ""
    return rule_table(rules[:MOST_RULES], models=False)


def all_slices(report: Report, model: str) -> str:
    """Return every claim on every slice."""
    rules = [rule for rule in _of(report, model) if rule.slice != "all" and rule.searched is None]
    if not rules:
        return ""
    shown = rules[:MOST_RULES]
    return paragraphs(
        rule_table(shown, models=False, slices=True),
        and_more(len(shown), len(rules), "verdict.json"),
    )


def power(report: Report, model: str) -> str:
    """Return what differences the test set can show, and the rows that the margin asks for."""
    rules = [
        rule
        for rule in _of(report, model)
        if rule.gate
        and rule.slice == "all"
        and (rule.detectable is not None or rule.rows_needed is not None)
    ]
    rows = [
        (
            cell_code(rule.metric, most=60),
            numbers.count(rule.n),
            "–" if rule.detectable is None else f"{rule.detectable:.3g}",
            "–" if rule.rows_needed is None else numbers.count(rule.rows_needed),
        )
        for rule in rules
    ]
    header = ("Metric", "Test rows", "Detectable difference", "Rows for equal models to pass")
    return table(header, rows, right=(1, 2, 3))


def confusion(found: Comparison) -> str:
    """Return the confusion matrices as one table: rows are labels, cells read base → head."""
    details = found.details
    classes, base, head = details.classes, details.confusion_base, details.confusion_head
    size = len(classes)
    if not size or len(head) != size or any(len(line) != size for line in head):
        return ""
    with_base = len(base) == size and all(len(line) == size for line in base)
    if size > MOST_CLASSES:
        return _per_class(classes, base if with_base else (), head)
    rows = []
    for label, name in enumerate(classes):
        row = [cell_code(name, most=40)]
        for predicted in range(size):
            after = numbers.count(head[label][predicted])
            before = f"{numbers.count(base[label][predicted])} → " if with_base else ""
            shown = f"{before}{after}"
            row.append(f"**{shown}**" if label == predicted else shown)
        rows.append(row)
    names = [f"predicted {cell_code(name, most=40)}" for name in classes]
    header = ("Label" + (", base → head" if with_base else ""), *names)
    return paragraphs(
        table(header, rows, right=tuple(range(1, size + 1))), _flipped(found), _agreement(found)
    )


def _per_class(
    classes: Sequence[str], base: Sequence[Sequence[int]], head: Sequence[Sequence[int]]
) -> str:
    """With many classes: the rows of each label and how many of them are right."""
    rows = [
        (
            cell_code(name, most=40),
            numbers.count(sum(head[index])),
            numbers.count(base[index][index]) if base else "–",
            numbers.count(head[index][index]),
        )
        for index, name in enumerate(classes[:100])
    ]
    return paragraphs(
        table(("Label", "Rows", "Right on base", "Right on head"), rows, right=(1, 2, 3)),
        and_more(len(rows), len(classes), "comparison.json"),
    )


def _flipped(found: Comparison) -> str:
    examples = found.details.flipped_examples
    shown = ", ".join(code(row, most=40) for row in examples)
    return f"Right on the base, wrong on the head, such as: {shown}." if shown else ""


def _agreement(found: Comparison) -> str:
    cells = found.details
    counts = (
        ("both right", cells.both_right),
        ("only the base right", cells.base_only_right),
        ("only the head right", cells.head_only_right),
        ("neither right", cells.neither_right),
    )
    shown = [f"{name} {numbers.count(value)}" for name, value in counts if value is not None]
    return f"Rows: {', '.join(shown)}." if shown else ""


def roc(found: Comparison) -> str:
    """Return the ROC curves as true positive rates at usual false positive rates."""
    curves = {curve.side: curve for curve in found.details.curves if curve.kind == "roc"}
    sides = [side for side in ("base", "head") if side in curves and len(curves[side].x) > 1]
    rows = [
        (
            numbers.percent(rate),
            *(numbers.percent(_at(curves[side], rate)) for side in sides),
        )
        for rate in _FALSE_POSITIVE_RATES
    ]
    header = ("False positive rate", *(f"True positive rate, {side}" for side in sides))
    return table(header, rows, right=tuple(range(len(header)))) if sides else ""


def _at(curve: Curve, x: float) -> float:
    """Interpolate a curve whose x ascends."""
    points = list(zip(curve.x, curve.y, strict=False))
    for (x0, y0), (x1, y1) in pairwise(points):
        if x0 <= x <= x1:
            return max(y0, y1) if x1 == x0 else y0 + (y1 - y0) * (x - x0) / (x1 - x0)
    return points[-1][1] if x > points[-1][0] else points[0][1]


def calibration(found: Comparison) -> str:
    """Return the calibration curves: in each bin, what was predicted and what happened."""
    parts = []
    for side in ("base", "head"):
        for curve in found.details.curves:
            if curve.kind != "calibration" or curve.side != side or not curve.x:
                continue
            counts: Sequence[int | None] = curve.n or [None] * len(curve.x)
            rows = [
                (
                    numbers.percent(predicted),
                    numbers.percent(observed),
                    "–" if rows is None else numbers.count(rows),
                )
                for predicted, observed, rows in zip(curve.x, curve.y, counts, strict=False)
            ]
            header = (f"Predicted, {side}", "Observed", "Rows")
            parts.append(table(header, rows[:20], right=(0, 1, 2)))
    return paragraphs(*parts)


def lineage(model: ModelEvidence) -> str:
    """Return what both sides were made from, side by side."""
    sides = (model.base, model.head)
    if not any(sides):
        return ""
    facts = [_facts(side) if side else {} for side in sides]
    names = list(dict.fromkeys([*facts[0], *facts[1]]))
    rows = [(name, facts[0].get(name, "–"), facts[1].get(name, "–")) for name in names]
    return paragraphs(
        table(("", "Base", "Head"), rows[:_MOST_LINEAGE]),
        and_more(min(len(rows), _MOST_LINEAGE), len(rows), "training.json"),
        _notes(model.comparison),
    )


def _notes(found: Comparison | None) -> str:
    return bullets(text(note, most=300) for note in found.notes[:20]) if found else ""


def _facts(side: Training) -> dict[str, str]:
    made = side.lineage
    commit = (
        f"{short(made.commit)}{' with local changes' if made.dirty else ''}"
        if made.commit
        else None
    )
    facts = {
        "Commit": commit,
        "Tree": cell_code(made.tree[:12]) if made.tree else None,
        "Made by": cell_code(side.command, most=80) if side.command else None,
        "Trained by": _orchestrated(side),
        "Chosen": _selection(side),
        "Took": numbers.duration(side.seconds) + (", cache hit" if side.cache_hit else ""),
        "Started": cell_code(side.started, most=40) if side.started else None,
        "Environment": _environment(side),
        "Seed": str(made.seed) if made.seed is not None else None,
        "Host": _joined(made.host, made.platform),
        "Model file": _digest(side.model_digest),
        "Test set": _digest(side.test_set_digest),
        "Predictions": _digest(side.predictions.sha256 if side.predictions else None),
        "MLflow": cell_code(side.tracking, most=120) if side.tracking else None,
    }
    facts |= {cell_code(name, most=80): _digest(value) for name, value in sorted(made.dvc.items())}
    return {name: value for name, value in facts.items() if value is not None}


def _orchestrated(side: Training) -> str | None:
    run = side.orchestrated
    return cell_code(f"{run.orchestrator} run {run.run} at {run.server}", most=160) if run else None


def _selection(side: Training) -> str | None:
    chosen = side.selection
    if chosen is None:
        return None
    best = next((each for each in chosen.experiments if each.name == chosen.chosen), None)
    given = ", ".join(f"{name}={value}" for name, value in best.params.items()) if best else ""
    said = f"{given or chosen.chosen}; of {len(chosen.experiments)}, by {chosen.metric}"
    return cell_code(f"{said} ({chosen.data} data)", most=200)


def _environment(side: Training) -> str | None:
    made = side.lineage
    digest = made.environment_digest
    kind = made.environment_kind + (f" {digest[:12]}" if digest else "")
    return _joined(kind, f"Python {made.python}" if made.python else None)


def _joined(*parts: str | None) -> str | None:
    joined = ", ".join(part for part in parts if part)
    return cell_code(joined, most=120) if joined else None


def _digest(value: str | None) -> str | None:
    return cell_code(value[:12]) if value else None
