"""A delivery that waits for a person: promoted before, refused, approved, and gone on with.

Real controllers serve at three targets. The second demands an approval, given by the workflow
Rollout; so does the last, given by a reviewer of its environment.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from assay.act.ports import free_port
from assay.act.result import RunResult
from assay.evidence import Intent, Observed
from assay.packaging.keys import sign
from assay.rollout.asking import Ask, ask
from assay.rollout.controller.clock import moment_of
from assay.rollout.controller.intake import checked
from assay.state import DESIRED, JOURNAL, observed_path, open_records

from .conftest import StartGated
from .delivering import (
    MODEL,
    PRIVATE,
    ROLLOUT,
    SECRETS,
    SLUG,
    controller,
    decisions,
    deliver,
    delivering,
    intents,
    logs,
    records,
    rules,
    until,
)
from .gating import BETTER, Gated, gate_job

pytestmark = [pytest.mark.act, pytest.mark.timeout(1500)]

STAGING, PILOT, PRODUCTION = "staging", "pilot", "production"
TARGETS = (STAGING, PILOT, PRODUCTION)
WAIT = {"deliver": "wait-minutes: 5", "rollout": "wait-minutes: 5"}
CRON = "17 * * * *"


@pytest.fixture
def gated(start_gated: StartGated, mlflow: str) -> Gated:
    files = delivering(
        {name: free_port() for name in TARGETS}, approval=(PILOT, PRODUCTION), **WAIT
    )
    variables = {"MLFLOW_TRACKING_URI": mlflow}
    return start_gated(files, secrets=SECRETS, variables=variables, timeout=900.0)


@pytest.fixture
def controllers(gated: Gated, mlflow: str) -> Iterator[ExitStack]:
    """A controller at each target, until the stack is closed."""
    # Not below tmp_path: the path of a socket may have 107 bytes.
    with tempfile.TemporaryDirectory(prefix="assay-hosts-") as hosts, ExitStack() as stack:
        for name in TARGETS:
            folder = Path(hosts, name)
            stack.enter_context(controller(gated.harness.remote, folder, name, mlflow))
        yield stack


def approve(gated: Gated, who: str) -> RunResult:
    inputs = {"operation": "approve", "model": MODEL, "target": PILOT}
    return gated.harness.run(ROLLOUT, gated.harness.dispatch_event("main", inputs, actor=who))


def reconciled(gated: Gated) -> RunResult:
    return gated.harness.run(ROLLOUT, gated.harness.schedule_event(CRON))


def asked_at(gated: Gated, target: str) -> Intent:
    """The only intent at a target, as its controller accepts it."""
    (signed,) = intents(gated, target)
    held = rules(target, approval=target != STAGING)
    return checked(signed, held, datetime.now(UTC))


def kinds(gated: Gated, target: str) -> list[str]:
    return [str(link.facts["kind"]) for link in decisions(gated, target)]


def test_what_waits_is_not_for_its_author_to_approve_and_goes_on_when_another_did(
    gated: Gated, controllers: ExitStack
) -> None:
    pull = gated.propose("change", {"skill.txt": BETTER})
    assert gate_job(gated.gate(pull)).result == "success"
    gated.harness.merge_pull_request(pull, squash=True)

    waiting = deliver(gated, pull.base_sha)
    assert waiting.result == "success", logs(waiting)
    assert asked_at(gated, STAGING).approver is None
    assert "promoted" in kinds(gated, STAGING)
    assert f"waits at {PILOT} for the approval" in waiting.job(f"Deploy toy to {PILOT}").log
    assert f"it waits at {PILOT}" in waiting.job(f"Deploy toy to {PRODUCTION}").log
    assert intents(gated, PILOT) == intents(gated, PRODUCTION) == ()

    own = approve(gated, pull.author)
    assert own.result == "failure", logs(own)
    assert "cannot approve its deployment" in logs(own)
    assert intents(gated, PILOT) == ()

    review = {"state": "approved", "environments": [{"name": PRODUCTION}], "user": {"login": "dan"}}
    gated.harness.github.records.approvals[own.run_id + 1] = [review]
    given = approve(gated, "cat")
    assert given.result == "success", logs(given)
    agreed, last = asked_at(gated, PILOT), asked_at(gated, PRODUCTION)
    assert (agreed.author, agreed.approver, agreed.pull_request) == ("octo", "cat", pull.number)
    assert (last.author, last.approver) == ("octo", "dan"), "each target asks its own reviewers"
    assert (
        agreed.artifact_digest == last.artifact_digest == asked_at(gated, STAGING).artifact_digest
    )
    assert given.job(f"Deploy toy to {PRODUCTION}").result == "success"
    until(lambda: "promoted" in kinds(gated, PRODUCTION), "a promotion in production")

    agrees_on_schedule_until_a_controller_is_silent(gated, controllers)


def agrees_on_schedule_until_a_controller_is_silent(gated: Gated, controllers: ExitStack) -> None:
    well = reconciled(gated)
    assert well.result == "success", logs(well)
    assert [f"toy at {name}: as asked" in logs(well) for name in TARGETS] == [True] * 3

    controllers.close()
    age_observation(gated, PILOT, hours=2)
    ask_earlier(gated, PRODUCTION, hours=1)
    before = tips(gated)
    ill = reconciled(gated)
    assert ill.result == "failure", logs(ill)
    said = logs(ill)
    assert f"toy at {STAGING}: as asked" in said
    assert f"toy at {PILOT}: its controller has said nothing for 120 minutes" in said
    assert f"toy at {PRODUCTION}: intent 2 (rollback, asked for by cat) has had no answer" in said
    assert tips(gated) == before, "it changes nothing"


def tips(gated: Gated) -> tuple[str, ...]:
    return tuple(gated.harness.remote.commit_of(name) for name in (DESIRED, JOURNAL))


def age_observation(gated: Gated, target: str, *, hours: int) -> None:
    """Leave the branch as a controller does that fell silent so long ago."""
    path = observed_path(target, MODEL)
    past = moment_of(datetime.now(UTC) - timedelta(hours=hours))
    with open_records(records(gated), JOURNAL) as branch:
        seen = Observed.parse(branch.read(path).files[path].decode(), file=path)
        old = seen.model_copy(update={"wall_time": past}).to_json().encode()
        branch.append(path, lambda _: {path: old}, message="long ago")


def ask_earlier(gated: Gated, target: str, *, hours: int) -> None:
    """Write an intent as it was so long ago."""
    wanted = Ask(kind="rollback", model=MODEL, target=target, repository=SLUG, author="cat")
    with open_records(records(gated), DESIRED) as branch:
        ask(
            branch,
            wanted,
            based_on=None,
            sign=lambda data: sign(data, PRIVATE),
            now=datetime.now(UTC) - timedelta(hours=hours),
        )
