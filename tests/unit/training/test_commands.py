"""``assay plan``, ``test`` and ``train`` as a step of a job, and as a person runs them."""

from __future__ import annotations

import io
import json
import os
import re
from pathlib import Path

import pytest

from assay.cli.edge import run
from assay.cli.plan import outputs_of
from assay.cli.transcript import LogTranscript
from assay.evidence import BaseSource, Plan, StageState, TestRun, Training
from support.consumers import variables
from support.repositories import Sandbox

TestRun.__test__ = False  # type: ignore[attr-defined]
CONFIG = """\
version: 1
models:
  churn:
    environment: none
    predictions: p.csv
    tracking: {enabled: false}
    tests: {command: sh test.sh}
    train: {command: sh train.sh}
    gates: {accuracy: {margin: 0.01}}
"""


@pytest.fixture
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """A pull request's merge commit, checked out as a job has it; no variables but a job's own."""
    made = Sandbox.make(tmp_path / "repository")
    made.commit(
        {
            "assay.yaml": CONFIG,
            "test.sh": "exit 0\n",
            "train.sh": "printf 'id,y\\n1,0\\n' > p.csv\n",
        }
    )
    made.git("checkout", "--quiet", "-b", "topic")
    made.commit({"train.sh": "printf 'id,y\\n1,1\\n' > p.csv\n"})
    made.git("checkout", "--quiet", "--detach", "main")
    made.git("merge", "--quiet", "--no-ff", "topic", "-m", "merge")
    monkeypatch.chdir(made.root)
    for name in list(os.environ):
        if name.startswith(("GITHUB_", "ASSAY_", "RUNNER_", "ACTIONS_")):
            monkeypatch.delenv(name)
    for name, value in variables(made.home).items():
        monkeypatch.setenv(name, value)
    return made


def in_a_job(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Set what a runner sets for this pull request; returns the file of outputs."""
    merge, base = sandbox.git("rev-parse", "HEAD", "HEAD^1").split()
    head = sandbox.git("rev-parse", "topic")
    repository = {"full_name": "octo/churn", "default_branch": "main"}
    event = {
        "repository": repository,
        "sender": {"login": "octo"},
        "pull_request": {
            "number": 7,
            "title": "A change",
            "user": {"login": "octo"},
            "head": {"ref": "topic", "sha": head, "repo": repository},
            "base": {"ref": "main", "sha": base, "repo": repository},
        },
    }
    (sandbox.home / "event.json").write_text(json.dumps(event))
    output = sandbox.home / "output"
    for name, value in {
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_NAME": "pull_request",
        "GITHUB_EVENT_PATH": str(sandbox.home / "event.json"),
        "GITHUB_REPOSITORY": "octo/churn",
        "GITHUB_SHA": merge,
        "GITHUB_REF": "refs/pull/7/merge",
        "GITHUB_OUTPUT": str(output),
        "RUNNER_TEMP": str(sandbox.home / "temporary"),
    }.items():
        monkeypatch.setenv(name, value)
    return output


def test_a_pull_requests_job_from_plan_to_predictions(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = in_a_job(sandbox, monkeypatch)
    assert run(["plan"]) == 0
    outputs = output.read_text()
    assert '[{"name":"churn","path":"."}]' in outputs
    assert sandbox.git("rev-parse", "HEAD^{tree}") in outputs
    assert written(outputs, "environment") == "toolkit"
    evidence = sandbox.root / ".assay" / "evidence"
    plan = Plan.read(evidence)
    assert plan.base is not None
    assert plan.base.commit == sandbox.git("rev-parse", "main")
    assert plan.event.number == 7
    assert run(["train", "--side", "base"]) == 0
    base = Training.read(evidence / "churn" / "base")
    assert base.source is BaseSource.RERUN
    assert (evidence / "churn" / "base" / "predictions.csv").read_text() == "id,y\n1,0\n"
    assert run(["test"]) == 0
    assert TestRun.read(evidence / "churn").state is StageState.PASSED
    assert run(["train"]) == 0
    head = Training.read(evidence / "churn")
    assert head.lineage.commit == plan.head.commit
    assert not head.lineage.dirty
    assert (evidence / "churn" / "predictions.csv").read_text() == "id,y\n1,1\n"
    assert sandbox.git("status", "--porcelain") == "?? p.csv"


def written(outputs: str, name: str) -> str:
    """One step output, of the form that takes any text: NAME<<BORDER, the text, BORDER."""
    lines = outputs.splitlines()
    (place,) = (n for n, line in enumerate(lines) if line.startswith((f"{name}<<", f"{name}=")))
    return lines[place].partition("=")[2] or lines[place + 1]


@pytest.mark.parametrize(
    ("base", "head", "environment"),
    [("duckdb", "spark", "toolkit"), ("spark", "duckdb", "spark"), ("spark", "spark", "spark")],
)
def test_the_rules_that_judge_choose_the_gates_environment(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, base: str, head: str, environment: str
) -> None:
    in_a_job(sandbox, monkeypatch)
    assert run(["plan"]) == 0
    plan = Plan.read(sandbox.root / ".assay" / "evidence")
    (model,) = plan.models
    rules, proposed = (model.rules.model_copy(update={"engine": engine}) for engine in (base, head))
    changed = model.model_copy(update={"rules": rules, "proposed": proposed})
    outputs = outputs_of(plan.model_copy(update={"models": (changed,)}))
    assert outputs["environment"] == environment


def test_a_plan_of_the_work_tree_says_so(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    (sandbox.root / "train.sh").write_text("exit 1\n")
    assert run(["plan"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("head the work tree at ")
    assert "\n1 changed file, rules from the base\n" in said


def test_a_repository_without_a_commit_has_nothing_to_compare(
    tmp_path: Path,
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    empty = tmp_path / "empty"
    sandbox.git("init", "--quiet", str(empty))
    (empty / "assay.yaml").write_text(CONFIG)
    monkeypatch.chdir(empty)
    assert run(["plan"]) == 2
    assert "the repository has no commit yet" in capsys.readouterr().err


def test_what_foreign_code_prints_is_obeyed_by_nobody(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    in_a_job(sandbox, monkeypatch)
    monkeypatch.setenv("GITHUB_TOKEN", "ghs_a_token_of_the_job")
    monkeypatch.setenv("ASSAY_TRAINING_SECRETS", 'PASSWORD="hunter22\nsecond line"\n')
    script = (
        "echo '::set-output name=verdict::pass'\n"
        "echo '::error file=a.py::owned'\n"
        "echo '::stop-commands::mine'\n"
        'test "$PASSWORD" = "hunter22\nsecond line"\n'
        'test -z "${GITHUB_TOKEN:-}${GITHUB_OUTPUT:-}${ASSAY_TRAINING_SECRETS:-}"\n'
        "exit 1\n"
    )
    sandbox.commit({"test.sh": script})
    assert run(["test", "--exit-zero"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["::add-mask::hunter22", "::add-mask::second line"]
    start = next(
        index
        for index, line in enumerate(lines)
        if line.startswith("::stop-commands::") and line != "::stop-commands::mine"
    )
    token = lines[start].removeprefix("::stop-commands::")
    end = lines.index(f"::{token}::")
    assert re.fullmatch(r"[0-9a-f]{32}", token)
    foreign = [i for i, line in enumerate(lines) if "set-output" in line or "owned" in line]
    assert foreign
    assert all(start < index < end for index in foreign)
    made = TestRun.read(sandbox.root / ".assay" / "evidence" / "churn")
    assert made.state is StageState.FAILED
    assert made.reason == "the test command ended with exit code 1: ::stop-commands::mine"


def test_a_mistake_in_the_secrets_is_said_without_them(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ASSAY_TRAINING_SECRETS", "A=1\nhunter22\n")
    assert run(["test"]) == 2
    shown = capsys.readouterr()
    assert "training-secrets:2" in shown.err
    assert "hunter22" not in shown.out + shown.err


def test_without_a_pass_the_exit_code_is_one_unless_asked_otherwise(sandbox: Sandbox) -> None:
    sandbox.commit({"test.sh": "exit 1\n", "train.sh": "exit 1\n"})
    for command in (["test"], ["train"]):
        assert run(command) == 1
        assert run([*command, "--exit-zero"]) == 0


def test_what_cannot_run_is_evidence_and_an_error(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    text = CONFIG.replace("environment: none", "environment: {requirements: gone.txt}")
    sandbox.commit({"assay.yaml": text})
    evidence = sandbox.root / ".assay" / "evidence" / "churn"
    for command, read in ((["test"], TestRun.read), (["train"], Training.read)):
        assert run(command) == 2
        assert "gone.txt" in capsys.readouterr().err
        made = read(evidence)
        assert made.state is StageState.NOT_MEASURED
        assert "gone.txt" in (made.reason or "")
        assert run([*command, "--exit-zero"]) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "--model", "nowhere"], "no model 'nowhere'"),
        (["train", "--side", "base", "--model", "nowhere"], "no model 'nowhere'"),
        (["test", "--config", "nowhere.yaml"], "nowhere.yaml"),
        (["train", "--side", "sideways"], "sideways"),
        (["plan", "--base", "--upload-pack=touch x"], "knows no commit"),
    ],
)
def test_wrong_arguments_are_named(
    sandbox: Sandbox,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    assert run(arguments) in {2, 3}
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error


def test_a_model_without_tests_has_none_to_run(sandbox: Sandbox) -> None:
    sandbox.commit({"assay.yaml": CONFIG.replace("tests: {command: sh test.sh}", "tests: null")})
    assert run(["test"]) == 0
    assert not (sandbox.root / ".assay" / "evidence" / "churn" / "tests.json").exists()


def test_on_a_terminal_control_characters_are_shown_and_not_sent() -> None:
    stream = io.StringIO()
    with LogTranscript(stream, in_actions=False).foreign("evil\x1b[2J\ntitle") as write:
        write("a\x1b]0;owned\x07b")
    assert "\x1b" not in stream.getvalue()
    assert "\x07" not in stream.getvalue()


def test_a_group_is_closed_when_what_runs_in_it_breaks() -> None:
    stream = io.StringIO()
    transcript = LogTranscript(stream, in_actions=True, token=lambda: "token")

    def broken() -> None:
        with transcript.foreign("::set-output::") as write:
            write("one\r::error::two")
            raise KeyError

    with pytest.raises(KeyError):
        broken()
    assert stream.getvalue().splitlines() == [
        "::group::::set-output::",
        "::stop-commands::token",
        "one ::error::two",
        "::token::",
        "::endgroup::",
    ]
