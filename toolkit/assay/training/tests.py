"""Run the consumer's own tests in the consumer's environment."""

from __future__ import annotations

import re
import shlex
import tempfile
from pathlib import Path

from assay.config import Tests
from assay.errors import InputError
from assay.evidence import StageState, TestRun
from assay.training.environment import ConsumerEnvironment
from assay.training.junit import Results, read_junit
from assay.training.process import Ended, Transcript

_PYTEST = re.compile(r"(^|[\s/])(pytest|py\.test)(\s|$)")
_NO_TESTS = 5
_NO_PYTEST = "No module named pytest"
_NOT_ONE = "no test was collected (a model that has none says `tests: null`)"


def run_tests(
    name: str,
    tests: Tests,
    environment: ConsumerEnvironment,
    *,
    folder: Path,
    root: Path,
    scratch: Path,
    transcript: Transcript,
) -> TestRun:
    """Run the test command of model ``name`` in ``folder`` and say how it ended.

    pytest is asked for JUnit XML, in ``scratch``; a command that runs none is judged by its exit
    code alone. Failures carry paths from ``root``. A run that was stopped, found no
    test, or broke off before its report is ``not-measured``, with the reason.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=scratch, prefix="tests-") as temporary:
        report = Path(temporary) / "junit.xml"
        ended = environment.run(
            tests.command,
            cwd=folder,
            timeout=tests.timeout,
            transcript=transcript,
            extra={"PYTEST_ADDOPTS": _options(environment, report)},
        )
        run = TestRun(
            model=name,
            state=StageState.NOT_MEASURED,
            command=environment.redact(tests.command),
            seconds=round(ended.seconds, 3),
        )
        if not report.is_file():
            return _without_report(run, ended, tests)
        try:
            results = read_junit(report, folder=folder, root=root, redact=environment.redact)
        except InputError as error:
            return run.model_copy(update={"reason": error.message})
    return _by_report(run, ended, results, tests)


def _options(environment: ConsumerEnvironment, report: Path) -> str:
    """Options by which any pytest, also one that make or tox starts, leaves its report."""
    own = environment.variables.get("PYTEST_ADDOPTS", "")
    return f"{own} --junit-xml={shlex.quote(str(report))} -o junit_family=xunit1".strip()


def _without_report(run: TestRun, ended: Ended, tests: Tests) -> TestRun:
    """Judge a command by its exit code, unless it is a pytest that broke off."""
    if _PYTEST.search(tests.command):
        why = "pytest left no report"
        if any(_NO_PYTEST in line for line in ended.tail):
            why = "the model's environment has no pytest: add it to what that is made from"
        elif not ended.succeeded:
            why = ended.why("the test command", tests.timeout)
        return run.model_copy(update={"reason": why})
    return _by_exit_code(run, ended, tests)


def _by_exit_code(run: TestRun, ended: Ended, tests: Tests) -> TestRun:
    if ended.succeeded:
        return run.model_copy(update={"state": StageState.PASSED})
    state = StageState.NOT_MEASURED if ended.code is None else StageState.FAILED
    return run.model_copy(
        update={"state": state, "reason": ended.why("the test command", tests.timeout)}
    )


def _by_report(run: TestRun, ended: Ended, results: Results, tests: Tests) -> TestRun:
    why = None if ended.succeeded else ended.why("the test command", tests.timeout)
    counted = run.model_copy(
        update={
            "passed": results.passed,
            "failed": results.failed,
            "errors": results.errors,
            "skipped": results.skipped,
            "failures": results.failures,
        }
    )
    state, reason = StageState.FAILED, why
    if results.failed + results.errors:
        reason = None
    elif ended.code == _NO_TESTS or (ended.succeeded and results.total == 0):
        state, reason = StageState.NOT_MEASURED, _NOT_ONE
    elif ended.code is None:
        state = StageState.NOT_MEASURED
    elif ended.succeeded and results.passed == 0:
        state, reason = StageState.NOT_MEASURED, "every test was skipped"
    elif ended.succeeded:
        state = StageState.PASSED
    return counted.model_copy(update={"state": state, "reason": reason})
