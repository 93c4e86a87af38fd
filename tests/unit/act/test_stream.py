"""act's JSON lines become jobs, steps, annotations and summaries."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.act.stream import Stream


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def entry(job: str, **more: Any) -> str:
    return json.dumps({"job": job, "jobID": "gate", "matrix": {}, **more})


def leg(name: str, number: int, **more: Any) -> str:
    return entry(f"w/Model {name}-{number}  ", matrix={"model": name}, jobID="model", **more)


def step(**more: Any) -> dict[str, Any]:
    return {"stage": "Main", "stepID": ["s"], "step": "a step", **more}


@pytest.fixture
def stream() -> Stream:
    return Stream(Clock())


def test_a_job_has_its_steps_results_outputs_and_times() -> None:
    clock = Clock()
    stream = Stream(clock)
    stream.feed(entry("w/Gate", msg="go", **step()))
    clock.now = 2.5
    output = {"command": "set-output", "name": "k", "arg": "v"}
    stream.feed(entry("w/Gate", **step(**output)))
    stream.feed(entry("w/Gate", **step(stepResult="success", executionTime=1_500_000_000)))
    stream.feed(entry("w/Gate", jobResult="success", msg="done"))

    (job,) = stream.jobs()
    assert (job.name, job.path, job.result, job.seconds) == ("Gate", "w/Gate", "success", 2.5)
    found = job.step("s")
    assert (found.result, found.seconds, found.outputs) == ("success", 1.5, {"k": "v"})
    with pytest.raises(KeyError):
        job.step("other")


def test_steps_inside_a_composite_action_do_not_count_as_the_jobs(stream: Stream) -> None:
    stream.feed(entry("w/Gate", **step(stepID=["s", "inner"], stepResult="failure")))
    stream.feed(entry("w/Gate", **step(stepResult="success")))
    (job,) = stream.jobs()
    assert [found.result for found in job.steps] == ["success"]


def test_a_leg_is_not_blamed_for_another(stream: Stream) -> None:
    stream.feed(leg("one", 1, **step(stepResult="success")))
    stream.feed(leg("two", 2, **step(stepResult="failure")))
    stream.feed(leg("one", 1, jobResult="failure"))
    stream.feed(leg("two", 2, jobResult="failure"))
    results = {job.name: (job.result, job.matrix) for job in stream.jobs()}
    assert results == {
        "Model one": ("success", {"model": "one"}),
        "Model two": ("failure", {"model": "two"}),
    }


def test_a_forgiven_failure_is_none_and_a_single_leg_keeps_its_name(stream: Stream) -> None:
    alone = {"matrix": {"model": "v-2"}, "jobID": "model"}
    stream.feed(entry("w/Model v-2", **alone, **step(msg="Failed but continue next step")))
    stream.feed(entry("w/Model v-2", **alone, **step(stepResult="failure")))
    stream.feed(entry("w/Model v-2", **alone, jobResult="failure"))
    (job,) = stream.jobs()
    assert (job.name, job.result, job.step("s").continued) == ("Model v-2", "success", True)


def test_annotations_and_summaries_are_collected_once(stream: Stream) -> None:
    error = {"command": "error", "arg": "bad", "kvPairs": {"file": "a.py", "line": "3"}}
    stream.feed(entry("w/Gate", raw="::error file=a.py,line=3::bad", **error))
    for ids in (["s", "inner"], ["s"]):
        stream.feed(entry("w/Gate", command="summary", content="## x\n", stepID=ids))
    (note,) = stream.annotations
    assert (note.level, note.message, note.job) == ("error", "bad", "w/Gate")
    assert note.properties == {"file": "a.py", "line": "3"}
    (job,) = stream.jobs()
    assert job.summary == "## x\n"
    assert "::error file=a.py,line=3::bad" in job.log


def test_a_skipped_platform_and_words_outside_jobs_are_kept(stream: Stream) -> None:
    stream.feed(entry("w/Gate", msg="🚧  Skipping unsupported platform -- Try running with `-P x`"))
    assert stream.feed("Error: something\n") is None
    stream.feed('{"level": "error", "msg": "no such file"}')
    assert len(stream.unsupported) == 1
    assert stream.loose == ["Error: something", "no such file"]
    assert stream.jobs() == ()


@given(st.text() | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps))
def test_no_line_that_is_not_acts_stops_it(line: str) -> None:
    stream = Stream(Clock())
    stream.feed(line)
    assert stream.jobs() == ()
