"""The questions of the smoke test, each with its own state; what cannot be asked says why."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from assay.errors import OutsideError
from assay.evidence import SmokeCheck, SmokeTest, StageState
from assay.evidence.staging import SmokeName
from assay.rollout.smoke.answers import NotComparableError, compare, predictions_in
from assay.rollout.smoke.client import Client, Reply
from assay.rollout.smoke.signature import NUMBERS, Frame, Input, frame_of
from assay.tables.scored_rows import Sample, ScoredRow

_EXAMPLES = 5
_AT_ONCE = 20
_OK = 200
_REFUSED = range(400, 500)
_NO_NUMBER = "assay: this is no number"


@dataclass(frozen=True, kw_only=True)
class Promised:
    """What the version should be and do. Without a sample, ``why_none`` says why."""

    model: str
    artifact_digest: str
    inputs: tuple[Input, ...]
    example: Frame | None
    sample: Sample | None
    why_none: str
    tolerance: float


def smoke_test(client: Client, promised: Promised) -> SmokeTest:
    """Ask everything, in this order; raises OutsideError where the server does not answer."""
    checks = (
        _example(client, promised),
        _signature(client, promised),
        _offline(client, promised),
    )
    # Last, because it is about every answer that came before.
    return smoke_document(client.address, promised, (_version(client, promised), *checks))


def smoke_document(address: str, promised: Promised, checks: tuple[SmokeCheck, ...]) -> SmokeTest:
    """Sum the checks up: one that failed fails, one that was not measured leaves it so."""
    states = {check.state for check in checks}
    state = StageState.PASSED
    if StageState.FAILED in states:
        state = StageState.FAILED
    elif states != {StageState.PASSED}:
        state = StageState.NOT_MEASURED
    return SmokeTest(
        model=promised.model,
        artifact_digest=promised.artifact_digest,
        address=address,
        tolerance=promised.tolerance,
        state=state,
        checks=checks,
    )


def not_measured(address: str, promised: Promised, why: OutsideError) -> SmokeTest:
    """The document of a server that did not answer."""
    check = SmokeCheck(name="version", state=StageState.NOT_MEASURED, sentence=why.message)
    return smoke_document(address, promised, (check,))


def _version(client: Client, promised: Promised) -> SmokeCheck:
    """Every answer of a model names the version; what a router says itself (5xx) need not."""
    named = [reply.version for reply in client.replies if reply.status < 500]
    others = sorted({str(found)[:64] for found in named if found != promised.artifact_digest})
    wrong = sum(found != promised.artifact_digest for found in named)
    if not named:
        return _check("version", StageState.FAILED, "No answer came from a model.")
    if not wrong:
        sentence = "Every answer names this version."
        return _check("version", StageState.PASSED, sentence, count=len(named))
    return _check(
        "version",
        StageState.FAILED,
        f"{wrong:,} of {len(named):,} answers name another version, or none. Where it has only a "
        "share of the traffic, name its own address with --url.",
        count=len(named),
        wrong=wrong,
        examples=others,
    )


def _example(client: Client, promised: Promised) -> SmokeCheck:
    """Ask for the rows that the model was saved with; a test row stands in where there are none."""
    frame, what = promised.example, "The model's own example"
    if frame is None and promised.sample is not None:
        frame = _frames(promised.sample, promised.inputs, promised.sample.rows[:1])
        what = "The model was saved without an example; a test row in its place"
    if frame is None:
        why = "The model was saved without an input example of named columns."
        return _check("example", StageState.NOT_MEASURED, why)
    wrong = _unanswered(client.score(frame.body()), len(frame.rows))
    return _check(
        "example",
        StageState.FAILED if wrong else StageState.PASSED,
        f"{what} is not answered: {wrong}." if wrong else f"{what} is answered, row by row.",
        count=len(frame.rows),
        wrong=len(frame.rows) if wrong else 0,
    )


def _unanswered(reply: Reply, rows: int) -> str | None:
    """Why a reply is not one prediction for each row."""
    if reply.status != _OK:
        return f"status {reply.status}"
    try:
        predictions_in(reply.body, rows)
    except ValueError as error:
        return str(error)
    return None


def _signature(client: Client, promised: Promised) -> SmokeCheck:
    """What breaks the contract is the caller's fault: a 4xx, neither an answer nor a 5xx."""
    good = _good(promised)
    if not promised.inputs:
        why = "The model's signature has no named columns."
        return _check("signature", StageState.NOT_MEASURED, why)
    if good is None:
        why = "There is no row that the signature accepts: neither an example nor test rows."
        return _check("signature", StageState.NOT_MEASURED, why)
    asked, wrong = 0, []
    for what, body, fits in _questions(good, promised.inputs):
        asked += 1
        status = client.score(body).status
        if not fits(status):
            wrong.append(f"{what}: {status}")
    if not wrong:
        sentence = "Missing columns, values of another type and broken bodies are refused by a 4xx."
        return _check("signature", StageState.PASSED, sentence, count=asked)
    return _check(
        "signature",
        StageState.FAILED,
        f"{len(wrong)} of {asked} requests are not answered as the signature says.",
        count=asked,
        wrong=len(wrong),
        examples=wrong,
    )


def _good(promised: Promised) -> Frame | None:
    """One row that holds every column of the signature."""
    frame = promised.example
    names = {each.name for each in promised.inputs}
    if frame is not None and names <= set(frame.columns):
        return Frame(columns=frame.columns, rows=frame.rows[:1])
    if promised.sample is None:
        return None
    return _frames(promised.sample, promised.inputs, promised.sample.rows[:1])


def _questions(
    good: Frame, inputs: Sequence[Input]
) -> Iterator[tuple[str, bytes, Callable[[int], bool]]]:
    def refused(status: int) -> bool:
        return status in _REFUSED

    def answered(status: int) -> bool:
        return status == _OK

    for each in inputs:
        if each.name not in good.columns:
            continue
        holds = refused if each.required else answered
        yield f"without {each.name}", good.without(each.name).body(), holds
        if each.type in NUMBERS:
            yield f"text in {each.name}", good.replaced(each.name, _NO_NUMBER).body(), refused
    yield "no JSON", b"{", refused
    yield "no rows", b"{}", refused


def _offline(client: Client, promised: Promised) -> SmokeCheck:
    """Send test rows, and hold what comes back to what was predicted when it was judged."""
    sample = promised.sample
    if sample is None:
        return _check("offline", StageState.NOT_MEASURED, promised.why_none)
    answers, rows = [], sample.rows
    for start in range(0, len(rows), _AT_ONCE):
        part = rows[start : start + _AT_ONCE]
        reply = client.score(_frames(sample, promised.inputs, part).body())
        wrong = _unanswered(reply, len(part))
        if wrong is not None:
            ids = [row.id for row in part]
            sentence = f"Test rows are not answered: {wrong}."
            return _check(
                "offline", StageState.FAILED, sentence,
                count=start + len(part), wrong=len(part), examples=ids,
            )  # fmt: skip
        answers += predictions_in(reply.body, len(part))
    try:
        found = compare(answers, rows, tolerance=promised.tolerance)
    except NotComparableError as error:
        why = f"Nothing served can be held to the predictions file: {error}."
        return _check("offline", StageState.NOT_MEASURED, why, count=len(rows))
    differing = len(found.differing)
    beside = _beside(sample)
    return _check(
        "offline",
        StageState.FAILED if differing else StageState.PASSED,
        f"{differing:,} of {len(rows):,} test rows are served other {found.what} than the gate "
        f"judged{beside}."
        if differing
        else f"{len(rows):,} test rows are served the {found.what} that the gate judged{beside}.",
        count=len(rows),
        wrong=differing,
        largest=found.largest,
        examples=found.differing,
    )


def _beside(sample: Sample) -> str:
    """How many of the judged rows could have been drawn, where it is not all."""
    if sample.joined == sample.predicted:
        return ""
    return f" ({sample.joined:,} of the {sample.predicted:,} judged rows are in {sample.file.name})"


def _frames(sample: Sample, inputs: Sequence[Input], rows: Sequence[ScoredRow]) -> Frame:
    by_name = {each.name: each for each in inputs}
    columns = [by_name[name] for name in sample.columns]
    return frame_of([row.features for row in rows], columns, file=sample.file)


def load_bodies(promised: Promised, *, most: int = 200) -> tuple[bytes, ...]:
    """Return requests of one row each for a load test; none where no row is known."""
    if promised.sample is not None and promised.inputs:
        rows = promised.sample.rows[:most]
        return tuple(_frames(promised.sample, promised.inputs, (row,)).body() for row in rows)
    if promised.example is None:
        return ()
    frame = promised.example
    return tuple(Frame(columns=frame.columns, rows=(row,)).body() for row in frame.rows[:most])


def _check(
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
