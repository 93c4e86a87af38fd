"""Older verdicts, carried from one comment to the next inside an HTML comment.

The previous comment's body is untrusted: people with write access can edit it. Whatever does
not read as exactly what we write is dropped, never repaired.
"""

from __future__ import annotations

import json
import re
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from assay.evidence import Outcome, Plan, Verdict
from assay.report import numbers
from assay.report.escape import clean, code, text
from assay.report.table import table
from assay.report.words import OUTCOMES

MOST_ENTRIES = 100
_MOST_SENTENCE = 160
_LINE = re.compile(r"^<!-- assay-history:1 (\[.*\]) -->\s*$", re.MULTILINE)
_MOST_PAYLOAD = 20_000
_UNSAFE = str.maketrans({character: f"\\u{ord(character):04x}" for character in "<>&-@#`|"})
_BARS = "▁▂▃▄▅▆▇█"

Commit = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40}(?:[0-9a-f]{24})?$")]


class Entry(BaseModel):
    """One older verdict; ``metric`` and its ``head`` value are the deciding rule's, if any."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    commit: Commit
    run: Annotated[int, Field(gt=0, lt=2**63)] | None = None
    attempt: Annotated[int, Field(gt=0, lt=2**31)] | None = None
    state: Annotated[Outcome, Field(strict=False)]
    sentence: Annotated[str, StringConstraints(max_length=_MOST_SENTENCE * 2)]
    metric: Annotated[str, StringConstraints(max_length=400)] | None = None
    head: float | None = None

    @property
    def key(self) -> tuple[str, int | None, int | None]:
        """What makes two entries the same run of the same commit."""
        return (self.commit, self.run, self.attempt)


_ENTRIES = TypeAdapter(list[Entry])


def entry_of(plan: Plan, verdict: Verdict) -> Entry | None:
    """Return the line that this verdict will be in later comments; None without a commit id."""
    commit = plan.event.head_sha or plan.head.commit
    deciding = next(
        (rule for rule in verdict.rules if rule.decides and rule.head is not None), None
    )
    first = next((rule for rule in verdict.rules if rule.gate and rule.head is not None), None)
    rule = deciding or first
    try:
        return Entry(
            commit=commit,
            run=plan.event.run_id,
            attempt=plan.event.run_attempt,
            state=verdict.state,
            sentence=clean(verdict.sentence, most=_MOST_SENTENCE),
            metric=clean(f"{rule.model} {rule.metric} {rule.slice}", most=_MOST_SENTENCE)
            if rule
            else None,
            head=rule.head if rule else None,
        )
    except ValidationError:
        return None


def older_entries(body: str, current: Entry | None, *, most: int) -> tuple[Entry, ...]:
    """Read the older verdicts, newest first, from the body of the comment about to be replaced.

    A body without them, or with anything that we do not write, has none. The same run of the
    same commit is not its own history.
    """
    found = _LINE.findall(body)
    if not found or len(found[-1]) > 2 * _MOST_PAYLOAD:
        return ()
    try:
        entries = _ENTRIES.validate_python(json.loads(found[-1]))
    except (ValueError, RecursionError):
        return ()
    if current is not None:
        entries = [entry for entry in entries if entry.key != current.key]
    return tuple(entries[: min(most, MOST_ENTRIES)])


def payload(current: Entry | None, older: tuple[Entry, ...]) -> str:
    """Return the hidden line that carries the history, this verdict first.

    The oldest verdicts are left out where they would take too much of the comment.
    """
    entries = ([current] if current else []) + list(older)
    if not entries:
        return ""
    packed: list[str] = []
    for entry in entries:
        value = entry.model_dump(mode="json", exclude_none=True)
        packed.append(_harmless(json.dumps(value, separators=(",", ":"), ensure_ascii=True)))
        if sum(map(len, packed)) > _MOST_PAYLOAD:
            packed.pop()
            break
    return f"<!-- assay-history:1 [{','.join(packed)}] -->"


def _harmless(packed: str) -> str:
    """Escape inside JSON strings what HTML or GitHub would read; numbers keep their sign."""
    parts = re.split(r'("(?:[^"\\]|\\.)*")', packed)
    return "".join(part.translate(_UNSAFE) if part.startswith('"') else part for part in parts)


def history_table(older: tuple[Entry, ...]) -> str:
    """Return one line for each older verdict, newest first."""
    rows = [
        (entry.commit[:7], OUTCOMES[entry.state], text(entry.sentence, most=_MOST_SENTENCE))
        for entry in older
    ]
    return table(("Commit", "Verdict", "In a sentence"), rows)


def trend(current: Entry | None, older: tuple[Entry, ...]) -> str:
    """Return the current metric's head values over the runs, oldest first, as a line of bars."""
    if current is None or current.head is None:
        return ""
    same = [entry for entry in older if entry.metric == current.metric]
    values = [entry.head for entry in (*reversed(same), current) if entry.head is not None]
    if len(values) < 2:
        return ""
    low, high = min(values), max(values)
    scale = (len(_BARS) - 1) / (high - low) if high > low else 0.0
    bars = "".join(_BARS[round((value - low) * scale)] for value in values)
    places = numbers.places_without_interval(low, high)
    shown = f"{numbers.number(low, places)} to {numbers.number(high, places)}"
    return f"Head's {code(current.metric or '')} over these runs, oldest first: {bars} ({shown})."
