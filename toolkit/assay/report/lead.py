"""The comment's first screen: the verdict, what was compared with what, and by whose rules."""

from __future__ import annotations

import re

from assay.config import Comment
from assay.evidence import Comparison, Plan, Revision
from assay.report import numbers
from assay.report.bundle import ModelEvidence, Report
from assay.report.drawn import drawn_in_words
from assay.report.escape import code, text
from assay.report.table import bullets, paragraphs
from assay.report.words import OUTCOMES, SOURCES
from assay.verdict.claims import NEW_MODEL

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
DEFAULT_TITLE = Comment().title
_EXAMPLES = 3
MOST_MODELS = 20
_MOST_WAYS = 5
_LONGEST_WAY = 400


def title(report: Report) -> str:
    """Return the heading: the verdict's word, and the configuration where there may be several."""
    name = report.plan.comment.title
    which = "" if name == DEFAULT_TITLE else f" ({text(name)})"
    said = "fail, accepted" if report.verdict.override else OUTCOMES[report.verdict.state]
    return f"### Assay{which}: {said}"


def sentence(report: Report) -> str:
    """Return the verdict in one sentence, and who accepted or computed it."""
    verdict = report.verdict
    lines = [f"**{text(verdict.sentence, most=600)}**"]
    if verdict.override:
        accepted = verdict.override
        lines.append(
            f"Accepted by {code(accepted.by)} with the label {code(accepted.label)} "
            f"at {text(accepted.at, most=40)}."
        )
    if report.computed_by:
        lines.append(
            f"The numbers were computed by the code of {code(report.computed_by)}, which Assay "
            "does not vouch for; the rules are the base's."
        )
    return paragraphs(*lines)


def compared(report: Report) -> str:
    """Say which commits were compared, by whose rules, and how each model's rows joined."""
    plan = report.plan
    items = [f"{_commits(plan)} {_rules(plan)}"]
    for model in report.touched[:MOST_MODELS]:
        lines = _model_lines(model)
        items += [f"{code(model.plan.name)}: {' '.join(lines)}"] if report.several else lines
    if len(report.touched) > MOST_MODELS:
        items.append(f"And {len(report.touched) - MOST_MODELS:,} more models.")
    untouched = [
        code(model.plan.name)
        for model in report.models
        if not (model.plan.touched or model.plan.removed)
    ]
    if untouched:
        shown = ", ".join(untouched[:10])
        more = f" and {len(untouched) - 10} more" if len(untouched) > 10 else ""
        items.append(f"Not touched by this change: {shown}{more}.")
    return bullets(items)


def short(commit: str) -> str:
    """Return a commit's first seven digits, which GitHub links; anything else is escaped."""
    return commit[:7] if _COMMIT.fullmatch(commit) else text(commit, most=40)


def _commits(plan: Plan) -> str:
    event = plan.event
    if plan.base is None:
        why = text(plan.why_no_base or "no reason was given")
        return f"Judged: {_head(plan)}; there is no base to compare with: {why}."
    base = f"{code(event.base_branch)} at " if event.base_branch else ""
    return f"Compared: {_head(plan)}, with {base}{_revision(plan.base)}."


def _head(plan: Plan) -> str:
    event = plan.event
    if event.name == "local":
        return f"the work tree at {_revision(plan.head)}"
    if event.name == "pull_request" and event.head_sha and event.head_branch:
        into = f" into {code(event.base_branch)}" if event.base_branch else ""
        return f"{code(event.head_branch)} at {short(event.head_sha)}, merged{into}"
    return _revision(plan.head)


def _revision(revision: Revision) -> str:
    return short(revision.commit)


def _rules(plan: Plan) -> str:
    file = code(plan.config_file)
    if plan.config_rules_from == "base":
        return f"The rules are those of the base's {file}."
    return f"The rules are those of the head's own {file}: the base has none that can judge."


def _model_lines(model: ModelEvidence) -> list[str]:
    drawn = drawn_in_words(model.comparison, escape=True) if model.comparison else ""
    lines = [line for line in (_rows(model), drawn, _base_source(model)) if line]
    lines += [f"Tried {text(way, most=_LONGEST_WAY)}." for way in _tried(model)]
    if model.plan.rules_from == "head":
        found = model.comparison
        alone = found is not None and found.not_measured == NEW_MODEL
        without = " There is no base to compare with." if alone else ""
        lines.append(f"{_capital(text(model.plan.reason))}.{without}")
    return lines


def _tried(model: ModelEvidence) -> tuple[str, ...]:
    return model.base.tried[:_MOST_WAYS] if model.base else ()


def _capital(said: str) -> str:
    return said[:1].upper() + said[1:]


def _rows(model: ModelEvidence) -> str:
    found = model.comparison
    if found is None:
        return "Nothing was compared: there is no comparison in the evidence."
    if found.not_measured is not None:
        is_new = found.not_measured == NEW_MODEL
        return "" if is_new else f"Nothing could be compared: {text(found.not_measured)}."
    rows = found.rows
    if rows is None:
        return ""
    parts = [f"{numbers.plural(rows.joined, 'test row')} joined by {text(rows.joined_by)}"]
    for side, only, examples in (
        ("base", rows.base_only, rows.base_only_examples),
        ("head", rows.head_only, rows.head_only_examples),
    ):
        if only:
            parts.append(f"{numbers.count(only)} only on the {side}{_such_as(examples)}")
    if rows.repeated_ids:
        parts.append(f"{numbers.plural(rows.repeated_ids, 'repeated id')} left out")
    if rows.labels_changed:
        parts.append(f"{numbers.plural(rows.labels_changed, 'label')} differ between the sides")
    return f"{'; '.join(parts)}.{_sameness(found)}"


def _sameness(found: Comparison) -> str:
    said = ""
    if found.test_set_changed:
        said = " **The test set changed**: only the rows on both sides are compared."
    if found.identical_model:
        return f"{said} The model files are identical."
    return f"{said} Every prediction is identical." if found.identical_predictions else said


def _such_as(examples: tuple[str, ...]) -> str:
    shown = ", ".join(code(value, most=40) for value in examples[:_EXAMPLES])
    return f" ({shown})" if shown else ""


def _base_source(model: ModelEvidence) -> str:
    base, found = model.base, model.comparison
    if base is None:
        return ""
    if base.source is None or base.predictions is None:
        reason = base.reason or "no reason was given"
        if base.tried or model.plan.rules_from == "head":
            return ""
        if found is not None and reason in (found.not_measured or ""):
            return ""
        return f"The base's predictions could not be had: {text(reason)}."
    how = text(base.source_detail) if base.source_detail else SOURCES[base.source]
    age = base.source_age_seconds
    when = "" if age is None else f" ({numbers.duration(age)} old)" if age >= 60 else " (just now)"
    return f"The base's predictions come from {how}{when}."
