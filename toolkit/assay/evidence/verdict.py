"""``verdict.json``: what the rules say of the evidence."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar, Literal

from pydantic import Field

from assay.config import Severity
from assay.evidence.base import Document, Part


class State(StrEnum):
    """What an interval shows about a difference (docs/statistics.md)."""

    BETTER = "better"
    NO_WORSE = "no-worse"
    WORSE = "worse"
    INCONCLUSIVE = "inconclusive"
    NOT_MEASURED = "not-measured"


class Outcome(StrEnum):
    """What the whole verdict says."""

    PASS = "pass"  # noqa: S105 -- a verdict, not a password
    WARN = "warn"
    FAIL = "fail"


class RuleReuse(Part):
    """A gate seen with every decision on its test set counted; a heuristic, it never blocks."""

    decisions: int
    credit: int | None = Field(
        default=None, description="Decisions that the margin affords: K. None without a margin."
    )
    confidence: float
    interval: tuple[float, float]
    state: State = Field(description="What the rule's state would be at this interval.")


class Rule(Part):
    """One judged claim."""

    model: str
    metric: str
    slice: str = "all"
    state: State
    flags: tuple[str, ...] = Field(
        default=(),
        description="small_loss, exceeds_margin, nominally_worse, no_interval, worn.",
    )
    reason: str | None = None
    base: float | None = None
    head: float | None = None
    difference: float | None = None
    interval: tuple[float, float] | None = None
    confidence: float = 0.95
    margin: float | None = None
    relative_margin: float | None = None
    higher_is_better: bool = True
    p_worse: float | None = None
    p_adjusted: float | None = None
    n: int = 0
    detectable: float | None = None
    rows_needed: int | None = None
    reuse: RuleReuse | None = None
    searched: int | None = Field(
        default=None,
        description="For the worst of several slices: how many were searched. The confidence and "
        "p_adjusted are corrected for all of them.",
    )
    against: Literal["base", "anchor"] = "base"
    anchor: str | None = Field(default=None, description="What the anchor is called.")
    gate: bool = Field(description="Whether this metric gates; others are for information.")
    severity: Severity = Field(description="What this rule's state does: block, warn or off.")
    decides: bool = Field(description="Whether the outcome would differ without this rule.")

    @property
    def has_margin(self) -> bool:
        """Whether the claim is judged against a margin."""
        return self.margin is not None or self.relative_margin is not None


class StageRule(Part):
    """One judged stage or data check."""

    model: str
    stage: Literal["plan", "tests", "data", "training", "comparison", "gate"]
    check: str | None = None
    severity: Severity
    message: str
    count: int | None = None
    decides: bool


class Proposed(Part):
    """What the rules of the pull request itself would have said, where it changes them."""

    state: Outcome
    changes: tuple[str, ...] = Field(description="One line per changed rule, base to head.")
    rules: tuple[Rule, ...] = ()


class Override(Part):
    """Who accepted a failing verdict, and when."""

    label: str
    by: str
    at: str


class Verdict(Document):
    """The verdict over all models of a run (or over one, in its own folder)."""

    SCHEMA: ClassVar[str] = "assay/verdict/1"
    FILE: ClassVar[str] = "verdict.json"

    state: Outcome
    sentence: str = Field(description="The verdict in one sentence, with the deciding number.")
    rules: tuple[Rule, ...] = ()
    anchored: tuple[Rule, ...] = Field(
        default=(), description="The same gates against the anchor, where the rules name one."
    )
    stages: tuple[StageRule, ...] = ()
    proposed: dict[str, Proposed] = Field(default_factory=dict)
    override: Override | None = None
