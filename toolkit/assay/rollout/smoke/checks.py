"""The questions of the smoke test, each with its own state; what cannot be asked says why."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from assay.errors import OutsideError
from assay.evidence import SmokeCheck, SmokeTest, StageState
from assay.rollout.smoke.answers import finite, predictions_in
from assay.rollout.smoke.client import Client
from assay.rollout.smoke.offline import offline
from assay.rollout.smoke.promised import Promised, check, frames, unanswered
from assay.rollout.smoke.signature import NUMBERS, Example, Frame, Input

_OK = 200
_REFUSED = range(400, 500)
_NO_NUMBER = "assay: this is no number"


def smoke_test(client: Client, promised: Promised) -> SmokeTest:
    """Ask everything, in this order; raises OutsideError where the server does not answer."""
    checks = (
        _example(client, promised),
        _signature(client, promised),
        offline(client, promised),
    )
    # Last, because it is about every answer that came before.
    return smoke_document(client.address, promised, (_version(client, promised), *checks))


def smoke_document(address: str, promised: Promised, checks: tuple[SmokeCheck, ...]) -> SmokeTest:
    """Sum the checks up: one that failed fails, a demanded one not measured leaves it so."""
    states = {check.state for check in checks}
    demanded = {check.state for check in checks if check.name in promised.demanded}
    state = StageState.PASSED
    if StageState.FAILED in states:
        state = StageState.FAILED
    elif demanded != {StageState.PASSED}:
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
        return check("version", StageState.FAILED, "No answer came from a model.")
    if not wrong:
        sentence = "Every answer names this version."
        return check("version", StageState.PASSED, sentence, count=len(named))
    return check(
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
    example, what = promised.example, "The model's own example"
    if example is None and promised.sample is not None:
        frame = frames(promised.sample, promised.inputs, promised.sample.rows[:1])
        example = Example(body=frame.body(), rows=1, frame=frame)
        what = "The model was saved without an example; a test row in its place"
    if example is None:
        why = "The model was saved without an input example: give save_model input_example=."
        return check("example", StageState.NOT_MEASURED, why)
    reply = client.score(example.body)
    wrong = unanswered(reply, example.rows)
    if wrong is None and not finite(predictions_in(reply.body, example.rows)):
        wrong = "a prediction is not a finite number"
    count = example.rows or 1
    return check(
        "example",
        StageState.FAILED if wrong else StageState.PASSED,
        f"{what} is not answered: {wrong}." if wrong else f"{what} is answered, row by row.",
        count=count,
        wrong=count if wrong else 0,
    )


def _signature(client: Client, promised: Promised) -> SmokeCheck:
    """What breaks the contract is the caller's fault: a 4xx, neither an answer nor a 5xx."""
    good = _good(promised)
    if not promised.inputs:
        why = "The model's signature has no named columns."
        return check("signature", StageState.NOT_MEASURED, why)
    if good is None:
        why = "There is no row that the signature accepts: neither an example nor test rows."
        return check("signature", StageState.NOT_MEASURED, why)
    asked, wrong = 0, []
    for what, body, fits in _questions(good, promised.inputs):
        asked += 1
        status = client.score(body).status
        if not fits(status):
            wrong.append(f"{what}: {status}")
    if not wrong:
        sentence = "Missing columns, values of another type and broken bodies are refused by a 4xx."
        return check("signature", StageState.PASSED, sentence, count=asked)
    return check(
        "signature",
        StageState.FAILED,
        f"{len(wrong)} of {asked} requests are not answered as the signature says.",
        count=asked,
        wrong=len(wrong),
        examples=wrong,
    )


def _good(promised: Promised) -> Frame | None:
    """One row that holds every column of the signature."""
    frame = promised.example.frame if promised.example is not None else None
    names = {each.name for each in promised.inputs}
    if frame is not None and names <= set(frame.columns):
        return Frame(columns=frame.columns, rows=frame.rows[:1])
    if promised.sample is None:
        return None
    return frames(promised.sample, promised.inputs, promised.sample.rows[:1])


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


def load_bodies(promised: Promised, *, most: int = 200) -> tuple[bytes, ...]:
    """Return requests of one row each for a load test; none where no row is known."""
    if promised.sample is not None and promised.inputs:
        rows = promised.sample.rows[:most]
        return tuple(frames(promised.sample, promised.inputs, (row,)).body() for row in rows)
    if promised.example is None:
        return ()
    frame = promised.example.frame
    if frame is None:
        return (promised.example.body,)
    return tuple(Frame(columns=frame.columns, rows=(row,)).body() for row in frame.rows[:most])
