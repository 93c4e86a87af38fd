"""The page of a staging run."""

from __future__ import annotations

import re

from assay.evidence import (
    LoadRound,
    LoadSide,
    LoadTest,
    Outcome,
    SmokeCheck,
    SmokeTest,
    StageState,
    StagingPart,
    StagingReport,
    TestFailure,
    TestRun,
)
from assay.evidence.staging import outcome_of
from assay.report.staging import staging_summary
from assay.rollout.staging import judged
from support.rollouts import NEW, OLD

HOSTILE = "</td> | @octo <script>alert(1)</script> `x` [a](http://b) ::error::"
PART = StagingPart(name="smoke", state="failed", sentence=HOSTILE)


def report(*parts: StagingPart) -> StagingReport:
    return StagingReport(
        model="churn",
        target="staging",
        artifact_digest=NEW,
        serving_digest=OLD,
        state=outcome_of(parts),
        parts=parts,
    )


def part(state: str, name: str = "smoke") -> StagingPart:
    return StagingPart.model_validate({"name": name, "state": state, "sentence": "so"})


def test_what_was_not_measured_does_not_pass_and_what_was_left_out_does() -> None:
    passed, left = part("passed"), part("left-out", "load")
    assert outcome_of((passed, left)) is Outcome.PASS
    assert outcome_of((passed, part("warned", "load"))) is Outcome.WARN
    assert outcome_of((passed, part("not-measured", "load"))) is Outcome.FAIL
    assert outcome_of((passed, part("failed", "load"))) is Outcome.FAIL
    assert outcome_of((left,)) is Outcome.FAIL
    assert outcome_of(()) is Outcome.FAIL


def test_everything_foreign_is_escaped() -> None:
    check = SmokeCheck(
        name="offline", state=StageState.FAILED, sentence=HOSTILE, count=9, wrong=2,
        largest=0.25, examples=(HOSTILE,),
    )  # fmt: skip
    smoke = SmokeTest(
        model="churn", artifact_digest=NEW, address="http://h", tolerance=1e-6,
        state=StageState.FAILED, checks=(check,),
    )  # fmt: skip
    tests = TestRun(
        model="churn", state=StageState.FAILED, command=HOSTILE, failed=1,
        failures=(TestFailure(name=HOSTILE, message=HOSTILE),),
    )  # fmt: skip
    page = staging_summary(report(PART), smoke=smoke, tests=tests)
    assert "churn may not go on" in page
    assert not re.search(r"(?<!\\)<(script|/td)", page)
    assert "@octo" not in page
    assert not re.search(r"(?<!\\)\]\(http", page)
    for line in page.splitlines():
        if line.startswith("|"):
            assert line.replace("\\|", "").count("|") in {4, 7, 3}, line


def test_the_load_test_shows_both_versions_and_the_intervals() -> None:
    side = LoadSide(requests=100, errors=0, throughput=20, p50=10, p95=20, p99=40, memory=2**28)
    slower = side.model_copy(update={"p50": 15.0})
    rounds = (LoadRound(serving=side, new=slower),) * 6
    load = judged(LoadTest(serving=OLD, new=NEW, rounds=rounds))
    page = staging_summary(report(part("failed", "load")), load=load)
    assert (
        "| median latency (ms) | worse | 10.0 | 15.0 | −50.0 % [−50.0, −50.0] | 10\xa0% |" in page
    )
    assert "| memory (MiB) | no-worse | 256 | 256 |" in page
    assert "6 rounds by turns, 1,200 requests" in page
    assert f"Version `{NEW[:12]}`, beside `{OLD[:12]}` which serves." in page
