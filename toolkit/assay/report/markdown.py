"""The comment: sections in reading order, cut to a budget of bytes from the least needed up."""

from __future__ import annotations

from dataclasses import dataclass

from assay.report import details as folded
from assay.report.anchor import against_anchor
from assay.report.attribution import code_and_data, two_by_two
from assay.report.bundle import ModelEvidence, Report
from assay.report.escape import block, code, html_text
from assay.report.fairness import group_rates
from assay.report.gates import gate_table, moved_slices, unjudged
from assay.report.history import entry_of, history_table, payload, trend
from assay.report.lead import compared, sentence, title
from assay.report.reuse import corrected_intervals, use_of_test_set
from assay.report.search import worst_slices
from assay.report.seeds import seed_values, training_noise
from assay.report.stages import changes, data_checks, other_stages, test_messages, tests
from assay.report.table import details, paragraphs

COMMENT_BUDGET = 65_000
"""Bytes of UTF-8; GitHub refuses a comment above 65,536 characters."""

_ALWAYS = 0
_HISTORY = 1
_STAGE = 2
_SLICES = 3
_CHANGES = 4
_FOLDED = 5
_REPRODUCE = "how to reproduce"


@dataclass(frozen=True, kw_only=True)
class Section:
    """A piece of the comment; what has the highest ``rank`` is dropped first, the last of it."""

    name: str
    body: str
    rank: int = _ALWAYS


def render(report: Report, *, budget: int = COMMENT_BUDGET) -> str:
    """Return the Markdown of ``report`` in at most ``budget`` bytes of UTF-8.

    Where it would not fit, folded detail is left out first; what was left out and where it is
    stands at the end.
    """
    kept = [section for section in sections(report) if section.body]
    dropped: list[str] = []
    while True:
        markdown = _joined(kept, dropped, report)
        if len(markdown.encode()) <= budget or all(s.rank == _ALWAYS for s in kept):
            return markdown
        worst = max(range(len(kept)), key=lambda index: (kept[index].rank, index))
        dropped.append(kept.pop(worst).name)


def _joined(kept: list[Section], dropped: list[str], report: Report) -> str:
    bodies = {section.name: section.body for section in kept}
    if dropped:
        shown = ", ".join(dropped[:8])
        more = f" and {len(dropped) - 8} more" if len(dropped) > 8 else ""
        bodies[_REPRODUCE] = paragraphs(
            f"Left out, for GitHub takes no longer comment: {shown}{more}. "
            f"All of it is in {report.evidence_at}.",
            bodies[_REPRODUCE],
        )
    return paragraphs(*bodies.values()) + "\n"


def sections(report: Report) -> list[Section]:
    """Return every part of the comment, empty ones too, in reading order."""
    current = entry_of(report.plan, report.verdict)
    older = paragraphs(history_table(report.history), trend(current, report.history))
    return [
        Section(name="title", body=title(report)),
        Section(name="verdict", body=sentence(report)),
        Section(name="what was compared", body=compared(report)),
        Section(name="gates", body=gate_table(report)),
        Section(name="causes", body=code_and_data(report), rank=_STAGE),
        Section(name="the anchor", body=against_anchor(report), rank=_STAGE),
        Section(name="use of the test set", body=use_of_test_set(report), rank=_STAGE),
        Section(name="training noise", body=training_noise(report), rank=_SLICES),
        Section(name="slices that moved", body=moved_slices(report), rank=_SLICES),
        Section(name="the worst slice", body=worst_slices(report), rank=_SLICES),
        Section(name="what was not measured", body=unjudged(report), rank=_SLICES),
        Section(name="stages", body=other_stages(report), rank=_STAGE),
        *(section for model in report.touched for section in _stage_sections(model, report)),
        Section(name="what changed", body=changes(report), rank=_CHANGES),
        *(section for model in report.touched for section in _folded_sections(model, report)),
        Section(
            name="earlier verdicts",
            body=details("Earlier verdicts", older) if report.history else "",
            rank=_HISTORY,
        ),
        Section(name=_REPRODUCE, body=_reproduce(report)),
        Section(name="history", body=payload(current, report.history)),
    ]


def _stage_sections(model: ModelEvidence, report: Report) -> list[Section]:
    name = model.plan.name
    found = (("data checks", data_checks(model, report)), ("tests", tests(model, report)))
    heading = f"#### {code(name)}" if report.several else ""
    sections = []
    for what, body in found:
        if body:
            sections.append(
                Section(
                    name=_named(what, name, report), body=paragraphs(heading, body), rank=_STAGE
                )
            )
            heading = ""
    return sections


def _folded_sections(model: ModelEvidence, report: Report) -> list[Section]:
    """Return the folded details, the most asked for first: they are dropped from the end."""
    name, found = model.plan.name, model.comparison
    bodies = (
        ("failed tests", test_messages(model.tests)),
        ("all metrics", folded.all_metrics(report, name)),
        ("training seeds", seed_values(found)),
        ("confusion matrix", folded.confusion(found) if found else ""),
        ("all slices", folded.all_slices(report, name)),
        ("code and data", two_by_two(model.attribution) if model.attribution else ""),
        ("groups", group_rates(found) if found else ""),
        ("power", folded.power(report, name)),
        ("corrected intervals", corrected_intervals(report, name)),
        ("ROC curve", folded.roc(found) if found else ""),
        ("calibration", folded.calibration(found) if found else ""),
        ("lineage", folded.lineage(model)),
    )
    suffix = f" of {html_text(name)}" if report.several else ""
    return [
        Section(
            name=_named(what, name, report),
            body=details(f"{what[:1].upper()}{what[1:]}{suffix}", body),
            rank=_FOLDED + index,
        )
        for index, (what, body) in enumerate(bodies)
        if body
    ]


def _named(what: str, model: str, report: Report) -> str:
    return f"{what} of {code(model)}" if report.several else what


def _reproduce(report: Report) -> str:
    return paragraphs(
        "To compute this verdict again from its evidence:",
        block("\n".join(report.reproduce), language="sh"),
    )
