"""One exit, one message for each cause, whatever goes wrong inside a command."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from assay.cli.edge import run
from assay.errors import (
    AssayError,
    InputError,
    IntegrityError,
    Location,
    OutsideError,
    SeveralErrors,
    VerdictFailed,
)
from assay.github.commands import ANNOTATION_LIMIT

Probe = Callable[[click.Command], None]
TOOLKIT = Path(__file__).resolve().parents[3] / "toolkit"
TWO = SeveralErrors(
    (
        InputError("a is wrong.", where=Location(file="a.yaml", line=3, column=7)),
        SeveralErrors((InputError("b is wrong.", remedy="Write c."),)),
    )
)


def raising(error: BaseException) -> click.Command:
    def fail() -> None:
        raise error

    return click.Command("probe", callback=fail)


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (
            InputError("x is wrong.", where=Location(file="f", line=1), remedy="Write y."),
            2,
            "assay: error: f:1: x is wrong. Write y.\n",
        ),
        (OutsideError("git failed."), 3, "assay: error: git failed.\n"),
        (IntegrityError("no match."), 4, "assay: error: no match.\n"),
        (VerdictFailed("worse"), 1, ""),
        (TWO, 2, "assay: error: a.yaml:3:7: a is wrong.\nassay: error: b is wrong. Write c.\n"),
        (InputError("one\ntwo"), 2, "assay: error: one\n  two\n"),
        (KeyboardInterrupt(), 130, "Interrupted.\n"),
        (click.Abort(), 130, "Interrupted.\n"),
        (
            FileNotFoundError(errno.ENOENT, "No such file or directory", "/x"),
            3,
            (
                "assay: error: /x: No such file or directory. Check the path and its permissions, "
                "or name another one.\n"
            ),
        ),
        (
            OSError(errno.ENOSPC, "No space left on device"),
            3,
            "assay: error: No space left on device. Free some space and run again.\n",
        ),
        (
            click.FileError("x", "no such thing"),
            2,
            "assay: error: Could not open file 'x': no such thing. See 'assay --help'.\n",
        ),
        (
            ZeroDivisionError("division by zero"),
            70,
            (
                "assay: error: this is a defect of Assay, not of your input: ZeroDivisionError: "
                "division by zero. Run it again as `assay --debug ...` for the traceback, and "
                "report it.\n"
            ),
        ),
    ],
)
def test_an_error_becomes_its_code_and_its_words(
    error: BaseException,
    code: int,
    message: str,
    probe: Probe,
    capsys: pytest.CaptureFixture[str],
) -> None:
    probe(raising(error))
    assert run(["probe"]) == code
    assert capsys.readouterr() == ("", message)


def test_in_a_job_each_cause_is_one_annotation_at_its_place(
    probe: Probe, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    probe(raising(TWO))
    assert run(["probe"]) == 2
    assert capsys.readouterr() == (
        (
            "::error file=a.yaml,line=3,col=7,title=Invalid input::a is wrong.\n"
            "::error title=Invalid input::b is wrong. Write c.\n"
        ),
        "",
    )


def test_more_causes_than_github_shows_are_all_in_the_log(
    probe: Probe, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    probe(raising(SeveralErrors(tuple(InputError(f"cause {i}") for i in range(15)))))
    assert run(["probe"]) == 2
    lines = capsys.readouterr().out.splitlines()
    assert len([line for line in lines if line.startswith("::error")]) == ANNOTATION_LIMIT
    assert [line for line in lines if line.startswith("cause")] == [f"cause {i}" for i in range(15)]


@pytest.mark.parametrize("actions", ["true", ""])
def test_no_message_carries_a_command_or_an_escape(
    actions: str,
    probe: Probe,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", actions)
    text = "x\n::set-output name=a::b\r::error::c\x1b[31m\u202e##[error]d"
    probe(raising(InputError(text, where=Location(file=text), remedy=text)))
    assert run(["probe"]) == 2
    out, err = capsys.readouterr()
    assert not {"\x1b", "\r", "\u202e"} & set(out + err)
    assert len([line for line in out.splitlines() if "::" in line]) == (actions == "true")
    assert not [line for line in err.splitlines() if line.startswith("::")]


@pytest.mark.parametrize(
    ("arguments", "environ"), [(["--debug"], {}), ([], {"ASSAY_DEBUG": "true"})]
)
def test_a_traceback_only_where_it_is_asked_for(
    arguments: list[str],
    environ: dict[str, str],
    probe: Probe,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    probe(raising(InputError("x is wrong.")))
    assert run([*arguments, "probe"]) == 2
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize("value", ["", "false", "0"])
def test_debug_switched_off_is_off(
    value: str,
    probe: Probe,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ASSAY_DEBUG", value)
    probe(raising(ZeroDivisionError()))
    assert run(["probe"]) == 70
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["pln"], "There is no command 'pln'. Did you mean 'plan'? See 'assay --help'."),
        (["zebra"], "There is no command 'zebra'. See 'assay --help'."),
        (["../plan"], "There is no command '../plan'. Did you mean 'plan'? See 'assay --help'."),
        (["--verson"], "No such option '--verson'. Did you mean '--version'? See 'assay --help'."),
        (["plan", "--confg", "x"], "See 'assay plan --help'."),
        (["plan", "extra"], "Got unexpected extra argument (extra). See 'assay plan --help'."),
        (["schema", "zebra"], "See 'assay schema --help'."),
    ],
)
def test_wrong_arguments_are_the_users_input(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("assay: error: ")
    assert err.endswith(f"{message}\n")
    assert err.count("\n") == 1


def test_no_arguments_show_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 2
    assert "Commands:" in capsys.readouterr().err


def test_an_error_of_several_needs_a_cause() -> None:
    with pytest.raises(ValueError, match="at least one cause"):
        SeveralErrors(())


def test_each_class_has_a_code_of_its_own() -> None:
    kinds = [AssayError, VerdictFailed, InputError, OutsideError, IntegrityError]
    assert [kind.exit_code for kind in kinds] == [70, 1, 2, 3, 4]


def test_a_reader_that_went_away_is_no_verdict() -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as gone:
        done = subprocess.run(
            [sys.executable, "-m", "assay", "schema"],
            env={**os.environ, "PYTHONPATH": str(TOOLKIT)},
            stdout=gone,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert (done.returncode, done.stderr) == (141, b"")


def test_a_name_that_is_no_text_is_shown_escaped() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "assay", b"pl\xff\n"],
        env={**os.environ, "PYTHONPATH": str(TOOLKIT), "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith(b"assay: error: There is no command 'pl\\udcff\\n'.")
