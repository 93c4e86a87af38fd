"""The model card, from evidence alone: what, data, metrics with intervals, slices, limits, lineage.

It begins with Hugging Face's front matter, so that a hub shows the measured metrics. Names in it
come from strangers: YAML is written by its own serializer, Markdown by report's escaping.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from assay.config import Task
from assay.evidence import Dataset, Rule
from assay.packaging.bundle import Bundle
from assay.packaging.gated import Gated
from assay.packaging.model_directory import ModelDirectory, plain
from assay.packaging.requirements import Package
from assay.report import details, numbers
from assay.report.bundle import ModelEvidence, Report
from assay.report.escape import cell_code, clean, code, text
from assay.report.gates import gate_table, moved_slices, unjudged
from assay.report.stages import data_checks, tests
from assay.report.table import and_more, bullets, paragraphs, table

MOST_FEATURES = 60
MOST_PACKAGES = 40
MOST_METRICS = 40
_TASKS = {
    Task.BINARY: "tabular-classification",
    Task.MULTICLASS: "tabular-classification",
    Task.MULTILABEL: "tabular-classification",
    Task.REGRESSION: "tabular-regression",
}
_LIBRARIES = {"sklearn": "sklearn", "transformers": "transformers", "keras": "keras"}


@dataclass(frozen=True, kw_only=True)
class Carded:
    """What a card is made of: the bundle's document still lacks its list of files."""

    bundle: Bundle
    gated: Gated
    directory: ModelDirectory
    packages: tuple[Package, ...]


def card_of(made: Carded) -> str:
    """Return the card as Markdown, with the front matter that Hugging Face reads."""
    report = _report(made.gated)
    found = report.models[0]
    said = made.bundle.verdict
    accepted = said.override
    return (
        paragraphs(
            f"---\n{_front_matter(made)}---",
            f"# {text(made.bundle.model)}",
            f"**{said.state.value.upper()}**: {text(said.sentence, most=600)}",
            f"Accepted by {text(accepted.by)} at {text(accepted.at)}." if accepted else "",
            "## What it is",
            _what(made),
            "## Data",
            _data(made.gated),
            "## Metrics",
            "Head is this model, base is what it replaced, on the same test rows.",
            gate_table(report),
            details.all_metrics(report, made.gated.name),
            "## Slices",
            moved_slices(report) or "No slices were declared.",
            details.all_slices(report, made.gated.name),
            "## Limits",
            _limits(made.gated, report, found),
            "## Lineage",
            details.lineage(found),
            _parameters(made.gated),
            _environment(made.packages),
        )
        + "\n"
    )


def _report(gated: Gated) -> Report:
    plan = gated.plan
    own = tuple(model for model in plan.models if model.name == gated.name)
    mine: tuple[Rule, ...] = tuple(r for r in gated.verdict.rules if r.model == gated.name)
    stages = tuple(stage for stage in gated.verdict.stages if stage.model == gated.name)
    model = ModelEvidence(
        plan=own[0],
        tests=gated.tests,
        data=gated.data,
        head=gated.training,
        base=gated.base,
        comparison=gated.comparison,
    )
    return Report(
        plan=plan.model_copy(update={"models": own}),
        verdict=gated.verdict.model_copy(update={"rules": mine, "stages": stages}),
        models=(model,),
        evidence_at="the folder `evidence`",
    )


def _front_matter(made: Carded) -> str:
    bundle = made.bundle
    library = next((_LIBRARIES[one] for one in bundle.flavors if one in _LIBRARIES), "mlflow")
    task = made.gated.comparison.task if made.gated.comparison else None
    matter: dict[str, Any] = {
        "library_name": library,
        "tags": ["assay", "mlflow"],
        "pipeline_tag": _TASKS.get(task) if task else None,
        "model-index": [{"name": bundle.model, "results": list(_results(made, task))}],
    }
    kept = {name: value for name, value in matter.items() if value}
    return yaml.safe_dump(kept, sort_keys=False, allow_unicode=True, width=1000)


def _results(made: Carded, task: Task | None) -> Iterator[dict[str, Any]]:
    rules = [
        rule
        for rule in made.gated.verdict.rules
        if rule.model == made.gated.name and rule.slice == "all" and rule.head is not None
    ]
    if not rules:
        return
    seen: dict[str, dict[str, Any]] = {}
    for rule in rules[:MOST_METRICS]:
        seen[rule.metric] = {"type": clean(rule.metric), "value": rule.head, "verified": False}
    kind = (_TASKS.get(task) if task else None) or "other"
    digest = made.gated.training.test_set_digest
    yield {
        "task": {"type": kind},
        "dataset": {
            "type": clean(made.bundle.repository),
            "name": f"{clean(made.bundle.model)} test set",
            "split": "test",
            **({"revision": digest} if digest else {}),
        },
        "metrics": list(seen.values()),
    }


def _what(made: Carded) -> str:
    bundle, described = made.bundle, made.directory.described
    facts = [
        ("Repository", cell_code(bundle.repository)),
        ("Commit that was judged", cell_code(bundle.commit)),
        ("Tree", cell_code(bundle.tree)),
        ("Formats", ", ".join(cell_code(flavor) for flavor in bundle.flavors)),
        ("MLflow", cell_code(plain(described.get("mlflow_version")) or "unknown")),
        ("Python", cell_code(made.directory.python or "unknown")),
        ("Model digest", cell_code(bundle.model_digest)),
    ]
    return paragraphs(table(("", ""), facts), _signature(described.get("signature")))


def _signature(signature: object) -> str:
    given = signature if isinstance(signature, dict) else {}
    parts = []
    for side, title in (("inputs", "Inputs"), ("outputs", "Outputs")):
        try:
            columns = yaml.safe_load(plain(given.get(side)) or "[]")
        except yaml.YAMLError:
            columns = []
        rows = [
            (cell_code(plain(one.get("name")) or "–"), cell_code(plain(one.get("type")) or "–"))
            for one in (columns if isinstance(columns, list) else [])
            if isinstance(one, dict)
        ]
        more = and_more(min(len(rows), MOST_FEATURES), len(rows), "`model/MLmodel`")
        parts += [table((title, "Type"), rows[:MOST_FEATURES]), more]
    return paragraphs(*parts) or "The model has no signature: what it takes is not checked."


def _data(gated: Gated) -> str:
    found: tuple[Dataset, ...] = gated.data.datasets if gated.data else ()
    rows = [
        (
            text(one.name),
            cell_code(one.file, most=80),
            numbers.count(one.rows),
            numbers.count(one.columns),
            cell_code(one.sha256[:12]),
        )
        for one in found
    ]
    header = ("Data", "File", "Rows", "Columns", "SHA-256")
    files = table(header, rows, right=(2, 3)) or "No data file was checked."
    compared = gated.comparison.rows if gated.comparison else None
    joined = f"Measured on {numbers.plural(compared.joined, 'test row')}." if compared else ""
    return paragraphs(files, joined)


def _limits(gated: Gated, report: Report, found: ModelEvidence) -> str:
    standing = [
        "The metrics hold for rows like the test set's; nothing here was measured elsewhere.",
        "Intervals are of the difference to the base, two-sided, from the test rows alone.",
    ]
    if gated.comparison is None:
        standing.append("Nothing was compared: there was no base, or no predictions of it.")
    return paragraphs(
        bullets(standing), unjudged(report), data_checks(found, report), tests(found, report)
    )


def _parameters(gated: Gated) -> str:
    rows = [
        (cell_code(name, most=80), cell_code(value, most=80))
        for name, value in sorted(gated.training.lineage.params.items())
    ]
    return paragraphs(
        table(("Parameter", "Value"), rows[:MOST_PACKAGES]),
        and_more(min(len(rows), MOST_PACKAGES), len(rows), "`evidence`"),
    )


def _environment(packages: tuple[Package, ...]) -> str:
    named = [
        code(f"{one.name} {one.version}" if one.version else f"{one.name} (not pinned)")
        for one in packages[:MOST_PACKAGES]
    ]
    more = and_more(len(named), len(packages), "`sbom.cdx.json`")
    return f"Packages: {', '.join(named)}. {more}".strip()
