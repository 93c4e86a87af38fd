"""What a verdict shows in the log and on the job's page: one annotation for each deciding rule."""

from __future__ import annotations

from assay.config import Severity
from assay.evidence import Verdict
from assay.github.commands import Annotation, Level
from assay.verdict.sentence import claim_sentence


def verdict_annotations(verdict: Verdict) -> list[Annotation]:
    """Return an error for each rule that blocks and a warning for each that warns."""
    found = []
    for stage in verdict.stages:
        if stage.severity is not Severity.OFF:
            name = f"{stage.model}: {stage.stage}" if stage.model else stage.stage
            found.append(_annotation(stage.severity, name, stage.message))
    for rule in (*verdict.rules, *verdict.anchored):
        if rule.severity is not Severity.OFF:
            text = claim_sentence(rule)
            found.append(_annotation(rule.severity, f"{rule.model}: {rule.metric}", text))
    return found


def _annotation(severity: Severity, title: str, message: str) -> Annotation:
    level: Level = "error" if severity is Severity.BLOCK else "warning"
    return Annotation(level=level, title=title, message=message)
