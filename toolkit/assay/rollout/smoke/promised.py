"""What a version promised, and the words that every question of the smoke test shares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assay.evidence import SmokeCheck, StageState
from assay.evidence.staging import SmokeName
from assay.rollout.smoke.answers import predictions_in
from assay.rollout.smoke.client import Reply
from assay.rollout.smoke.signature import Example, Frame, Input, frame_of
from assay.tables.scored_rows import Sample, ScoredRow

QUESTIONS = frozenset[SmokeName]({"version", "example", "signature", "offline"})
_EXAMPLES = 5
_OK = 200


@dataclass(frozen=True, kw_only=True)
class Promised:
    """What the version should be and do. Without a sample, ``why_none`` says why.

    A question of ``demanded`` that is not measured leaves the whole test so.
    """

    model: str
    artifact_digest: str
    inputs: tuple[Input, ...]
    example: Example | None
    sample: Sample | None
    why_none: str
    tolerance: float
    demanded: frozenset[SmokeName] = QUESTIONS


def frames(sample: Sample, inputs: Sequence[Input], rows: Sequence[ScoredRow]) -> Frame:
    by_name = {each.name: each for each in inputs}
    columns = [by_name[name] for name in sample.columns]
    return frame_of([row.features for row in rows], columns, file=sample.file)


def unanswered(reply: Reply, rows: int | None) -> str | None:
    """Why a reply is not one prediction for each row."""
    if reply.status != _OK:
        return f"status {reply.status}"
    try:
        predictions_in(reply.body, rows)
    except ValueError as error:
        return str(error)
    return None


def check(
    name: SmokeName,
    state: StageState,
    sentence: str,
    *,
    count: int = 0,
    wrong: int = 0,
    largest: float | None = None,
    examples: Sequence[str] = (),
) -> SmokeCheck:
    return SmokeCheck(
        name=name,
        state=state,
        sentence=sentence,
        count=count,
        wrong=wrong,
        largest=largest,
        examples=tuple(example[:80] for example in examples[:_EXAMPLES]),
    )
