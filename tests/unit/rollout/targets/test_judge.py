"""The judge of a step that another program routes: pass, fail, and not yet; over HTTP too."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from assay.config import Guards, Step, Strategy
from assay.errors import InputError, OutsideError
from assay.rollout.looks import replay
from assay.rollout.target import Counts
from assay.rollout.targets.kubernetes import Judge
from assay.rollout.targets.kubernetes.judge_web import KEPT, Judges, answer, serve
from support.clusters import CANARY, STABLE
from support.listening import answering

STRATEGY = Strategy(
    steps=(Step(weight=0.1, bake=60, requests=200), Step(weight=0.5, bake=60, requests=200)),
    guards=Guards(error_rate=0.02),
    deadline=600,
)


class World:
    """Counts that only grow, and a clock."""

    def __init__(self) -> None:
        self.now = 0.0
        self.counts = {STABLE: Counts(requests=10_000, errors=5_000, slow=5_000, units=10_000)}
        self.away = False

    def read(self) -> dict[str, Counts]:
        if self.away:
            raise OutsideError("the Kubernetes API does not answer")
        return dict(self.counts)

    def answered(self, digest: str, requests: int, errors: int = 0) -> None:
        before = self.counts.get(digest, Counts())
        self.counts[digest] = Counts(
            requests=before.requests + requests,
            errors=before.errors + errors,
            slow=before.slow + errors,
            units=before.units + requests,
        )

    def judge(self, candidate: str = CANARY, step: int = 0) -> Judge:
        return Judge(STRATEGY, candidate, step, self.read, clock=lambda: self.now)


@pytest.fixture
def world() -> World:
    return World()


def test_only_what_was_answered_since_it_began_counts(world: World) -> None:
    judge = world.judge()
    world.answered(STABLE, 5_000, errors=5)
    world.answered(CANARY, 500)
    found = judge.look()
    assert found.state == "inconclusive"
    assert found.evidence is not None
    (batch,) = found.evidence.rollout.batches
    assert (batch.serving.requests, batch.serving.errors) == (5_000, 5)
    assert batch.new.requests == 500


def test_a_step_passes_once_it_has_baked_with_enough_requests(world: World) -> None:
    judge = world.judge()
    world.answered(STABLE, 5_000, errors=5)
    world.now = 61
    world.answered(CANARY, 150)
    assert judge.look().state == "inconclusive"
    world.answered(CANARY, 100)
    assert judge.look().state == "pass"


def test_the_last_step_asks_for_proof(world: World) -> None:
    judge = world.judge(step=1)
    world.now = 61
    world.answered(STABLE, 300)
    world.answered(CANARY, 300)
    assert judge.look().state == "inconclusive"
    world.answered(STABLE, 5_000, errors=5)
    world.answered(CANARY, 5_000, errors=5)
    found = judge.look()
    assert found.state == "pass"
    assert found.evidence is not None
    assert replay(found.evidence) == found.evidence


def test_errors_fail_it_before_it_has_baked(world: World) -> None:
    judge = world.judge()
    world.answered(STABLE, 2_000)
    world.answered(CANARY, 300, errors=120)
    world.now = 2
    found = judge.look()
    assert found.state == "fail"
    assert "Goes back" in found.sentence


def test_what_is_inconclusive_at_the_deadline_fails(world: World) -> None:
    judge = world.judge()
    world.answered(STABLE, 5_000)
    world.now = STRATEGY.deadline
    assert judge.look().state == "fail"


def test_alone_there_is_nothing_to_compare_with(world: World) -> None:
    world.counts = {}
    judge = world.judge()
    world.answered(CANARY, 500)
    found = judge.look()
    assert (found.state, found.evidence) == ("inconclusive", None)


def test_a_step_that_is_none_is_refused(world: World) -> None:
    with pytest.raises(InputError, match="there is no step 2; the strategy has 2, from 0"):
        world.judge(step=2)


@pytest.fixture
def address(world: World) -> Iterator[str]:
    with answering(serve("127.0.0.1", 0, Judges(world.judge))) as found:
        yield found


def ask(url: str, data: bytes | None = None) -> tuple[int, Any]:
    try:
        with urllib.request.urlopen(url, data=data, timeout=10) as found:  # noqa: S310
            return found.status, json.load(found)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def test_over_http_a_gate_opens_on_a_pass_alone(world: World, address: str) -> None:
    query = f"?candidate={CANARY}&step=0"
    assert ask(f"{address}/verdict{query}")[1]["state"] == "inconclusive"
    assert ask(f"{address}/gate{query}", b"{}")[0] == 403
    assert ask(f"{address}/rollback{query}", b"{}")[0] == 403
    world.now = 61
    world.answered(STABLE, 5_000)
    world.answered(CANARY, 500)
    code, facts = ask(f"{address}/gate{query}", b"{}")
    assert (code, facts["state"]) == (200, "pass")
    assert ask(f"{address}/rollback{query}", b"{}")[0] == 403
    world.answered(STABLE, 5_000)
    world.answered(CANARY, 500, errors=200)
    assert ask(f"{address}/gate{query}", b"{}")[0] == 403
    assert ask(f"{address}/rollback{query}", b"{}")[0] == 200


def test_over_http_a_fail_stays_one(world: World, address: str) -> None:
    query = f"?candidate={CANARY}&step=0"
    ask(f"{address}/verdict{query}")
    world.answered(STABLE, 2_000)
    world.answered(CANARY, 300, errors=120)
    assert ask(f"{address}/rollback{query}")[0] == 200
    world.answered(CANARY, 100_000)
    assert ask(f"{address}/verdict{query}")[1]["state"] == "fail"


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/healthz", 200), ("/", 404), ("/verdict", 400), ("/verdict?candidate=x", 400),
        (f"/verdict?candidate={CANARY}&step=-1", 400), (f"/verdict?candidate={CANARY}&step=9", 400),
    ],
)  # fmt: skip
def test_what_is_no_question_gets_no_verdict(world: World, path: str, code: int) -> None:
    assert answer(Judges(world.judge), path)[0] == code


def test_while_the_cluster_is_away_there_is_no_verdict(world: World) -> None:
    judges = Judges(world.judge)
    asked = f"/gate?candidate={CANARY}"
    answer(judges, asked)
    world.away = True
    code, facts = answer(judges, asked)
    assert code == 503
    assert "does not answer" in facts["error"]


def test_only_some_judges_are_kept(world: World) -> None:
    judges = Judges(world.judge)
    for number in range(KEPT + 5):
        judges.verdict(f"{number:064x}", 0)
    assert len(judges._judges) == KEPT
