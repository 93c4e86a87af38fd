from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from assay import config, evidence
from assay.config import Model
from assay.errors import InputError
from assay.evidence import StageState
from assay.training.environment import ConsumerEnvironment
from assay.training.junit import read_junit
from assay.training.tests import run_tests
from support.consumers import Recorder, builder


@pytest.fixture
def environment(tmp_path: Path) -> ConsumerEnvironment:
    made = builder(tmp_path, tmp_path, {"PASSWORD": "hunter22"})
    bare = Model.model_validate(
        {"predictions": "p.csv", "gates": {"accuracy": {"margin": 0.01}}, "environment": "none"}
    )
    return made.build(bare, tmp_path, Recorder())


def run(
    root: Path, environment: ConsumerEnvironment, files: dict[str, str], **tests: object
) -> evidence.TestRun:
    folder = root / "models" / "churn"
    for name, text in {"pytest.ini": "[pytest]\naddopts = -p no:cacheprovider", **files}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
    # Plugins of the test environment cost half a second each run and are not the consumer's.
    command = "PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 python -m pytest -q"
    return run_tests(
        "churn",
        config.Tests.model_validate({"command": command, **tests}),
        environment,
        folder=folder,
        root=root,
        scratch=root / ".assay" / "tmp",
        transcript=Recorder(),
    )


def test_failures_come_with_the_consumers_file_and_line(
    tmp_path: Path, environment: ConsumerEnvironment
) -> None:
    made = run(
        tmp_path,
        environment,
        {
            "code.py": """\
                def halve(value):
                    return value / 0
            """,
            "test_code.py": """\
                import json
                import pytest
                from code_under_test import halve

                def test_passes():
                    assert True

                @pytest.mark.skip
                def test_skipped():
                    assert False

                def test_fails():
                    assert 1 == 2, "hunter22 is wrong"

                def test_breaks_in_the_code():
                    halve(3)

                def test_breaks_in_a_library():
                    json.loads("{")

                @pytest.fixture
                def broken():
                    raise RuntimeError

                def test_cannot_start(broken):
                    pass
            """,
            "code_under_test.py": "def halve(value):\n    return value / 0\n",
        },
    )
    assert made.state is StageState.FAILED
    assert (made.passed, made.failed, made.errors, made.skipped) == (1, 3, 1, 1)
    places = {failure.name.split("::")[-1]: failure for failure in made.failures}
    assert places["test_fails"].file == "models/churn/test_code.py"
    assert places["test_fails"].line == 13
    assert "*** is wrong" in places["test_fails"].message
    code = places["test_breaks_in_the_code"]
    assert (code.file, code.line) == ("models/churn/code_under_test.py", 2)
    library = places["test_breaks_in_a_library"]
    assert (library.file, library.line) == ("models/churn/test_code.py", 19)
    assert places["test_cannot_start"].line == 23


def test_a_suite_that_passes(tmp_path: Path, environment: ConsumerEnvironment) -> None:
    made = run(tmp_path, environment, {"test_a.py": "def test_a(): pass\n"})
    assert (made.state, made.passed, made.reason) == (StageState.PASSED, 1, None)
    assert made.command.endswith("pytest -q")
    assert list((tmp_path / ".assay" / "tmp").iterdir()) == []


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({}, "no test was collected (a model that has none says `tests: null`)"),
        ({"test_a.py": "import pytest\n@pytest.mark.skip\ndef test_a(): pass\n"}, "skipped"),
        ({"conftest.py": "import os\nos._exit(9)\n"}, "exit code 9"),
        ({"pytest.ini": "[pytest]\naddopts = --no-such-option\n"}, "exit code 4"),
    ],
)
def test_what_measures_nothing_is_no_pass(
    tmp_path: Path, environment: ConsumerEnvironment, files: dict[str, str], reason: str
) -> None:
    made = run(tmp_path, environment, files)
    assert made.state is StageState.NOT_MEASURED
    assert reason in (made.reason or "")


def test_an_environment_without_pytest_is_named(
    tmp_path: Path, environment: ConsumerEnvironment
) -> None:
    command = "echo python: No module named pytest; false # pytest"
    made = run(tmp_path, environment, {}, command=command)
    assert made.state is StageState.NOT_MEASURED
    assert (made.reason or "").startswith("the model's environment has no pytest")


def test_a_module_that_cannot_be_imported_fails(
    tmp_path: Path, environment: ConsumerEnvironment
) -> None:
    made = run(tmp_path, environment, {"test_a.py": "import no_such_module_anywhere\n"})
    assert (made.state, made.errors) == (StageState.FAILED, 1)
    assert made.failures[0].file == "models/churn/test_a.py"


def test_a_timeout_is_not_measured(tmp_path: Path, environment: ConsumerEnvironment) -> None:
    made = run(tmp_path, environment, {}, command="sleep 9", timeout=0.2)
    assert made.state is StageState.NOT_MEASURED
    assert "stopped after" in (made.reason or "")


def test_a_pytest_that_another_program_starts_is_read_as_well(
    tmp_path: Path, environment: ConsumerEnvironment
) -> None:
    files = {
        "test_a.py": "def test_a(): assert False\n",
        "check.sh": "PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 python -m py''test -q\n",
    }
    made = run(tmp_path, environment, files, command="sh check.sh")
    assert (made.state, made.failed) == (StageState.FAILED, 1)
    assert made.failures[0].file == "models/churn/test_a.py"


@pytest.mark.parametrize(
    ("command", "state"), [("true", StageState.PASSED), ("exit 1", StageState.FAILED)]
)
def test_another_command_is_judged_by_its_exit_code(
    tmp_path: Path, environment: ConsumerEnvironment, command: str, state: StageState
) -> None:
    assert run(tmp_path, environment, {}, command=command).state is state


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<testsuites><testcase",
        '<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;&b;">]><testsuite name="&c;"/>',
        '<!DOCTYPE a [<!ENTITY f SYSTEM "file:///etc/passwd">]><testsuite name="&f;"/>',
    ],
)
def test_broken_or_hostile_xml_is_an_input_error(tmp_path: Path, text: str) -> None:
    report = tmp_path / "junit.xml"
    report.write_text(text)
    with pytest.raises(InputError, match="cannot be read"):
        read_junit(report, folder=tmp_path, root=tmp_path)


def test_a_place_outside_the_repository_is_none(tmp_path: Path) -> None:
    report = tmp_path / "junit.xml"
    report.write_text(
        '<testsuite><testcase name="t" classname="c" file="../../etc/passwd" line="x">'
        '<failure message="m">/etc/passwd.py:3: E\n.venv/lib/a.py:3: E</failure>'
        "</testcase></testsuite>"
    )
    results = read_junit(report, folder=tmp_path, root=tmp_path)
    assert (results.failures[0].file, results.failures[0].line) == (None, None)
