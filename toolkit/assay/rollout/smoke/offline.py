"""The question whether what is served is what was evaluated offline."""

from __future__ import annotations

from assay.evidence import SmokeCheck, StageState
from assay.rollout.smoke.answers import (
    NotComparableError,
    compare,
    differing,
    predictions_in,
)
from assay.rollout.smoke.client import Client
from assay.rollout.smoke.promised import Promised, check, frames, unanswered
from assay.tables.scored_rows import Sample

_AT_ONCE = 20


def offline(client: Client, promised: Promised) -> SmokeCheck:
    """Send test rows, and hold what comes back to what was predicted when it was judged."""
    sample = promised.sample
    if sample is None:
        return _as_written(client, promised)
    answers, rows = [], sample.rows
    for start in range(0, len(rows), _AT_ONCE):
        part = rows[start : start + _AT_ONCE]
        reply = client.score(frames(sample, promised.inputs, part).body())
        wrong = unanswered(reply, len(part))
        if wrong is not None:
            ids = [row.id for row in part]
            sentence = f"Test rows are not answered: {wrong}."
            return check(
                "offline", StageState.FAILED, sentence,
                count=start + len(part), wrong=len(part), examples=ids,
            )  # fmt: skip
        answers += predictions_in(reply.body, len(part))
    try:
        found = compare(answers, rows, tolerance=promised.tolerance)
    except NotComparableError as error:
        why = f"Nothing served can be held to the predictions file: {error}."
        return check("offline", StageState.NOT_MEASURED, why, count=len(rows))
    apart = len(found.differing)
    beside = _beside(sample)
    return check(
        "offline",
        StageState.FAILED if apart else StageState.PASSED,
        f"{apart:,} of {len(rows):,} test rows are served other {found.what} than the gate "
        f"judged{beside}."
        if apart
        else f"{len(rows):,} test rows are served the {found.what} that the gate judged{beside}.",
        count=len(rows),
        wrong=apart,
        largest=found.largest,
        examples=found.differing,
    )


def _as_written(client: Client, promised: Promised) -> SmokeCheck:
    """Without test rows: hold the answer to the example to what the pipeline wrote for it."""
    example, why = promised.example, promised.why_none
    if example is None or example.expected is None:
        return check("offline", StageState.NOT_MEASURED, why)
    reply, count = client.score(example.body), len(example.expected)
    wrong = unanswered(reply, example.rows)
    if wrong is not None:
        sentence = f"The example is not answered: {wrong}."
        return check("offline", StageState.FAILED, sentence, count=count, wrong=count)
    answers = predictions_in(reply.body, example.rows)
    places = differing(answers, example.expected, tolerance=promised.tolerance)
    said = "served otherwise than" if places else "served as"
    return check(
        "offline",
        StageState.FAILED if places else StageState.PASSED,
        f"{len(places) or count:,} of {count:,} rows of the example are {said} "
        f"output_example.json says, which the pipeline evaluated offline. {why}",
        count=count,
        wrong=len(places),
        examples=[f"row {place + 1}" for place in places],
    )


def _beside(sample: Sample) -> str:
    """How many of the judged rows could have been drawn, where it is not all."""
    if sample.joined == sample.predicted:
        return ""
    return f" ({sample.joined:,} of the {sample.predicted:,} judged rows are in {sample.file.name})"
