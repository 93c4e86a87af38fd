"""How options reach a command: the line, ``ASSAY_*`` variables, the working directory."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from assay.cli.edge import run
from assay.cli.options import config_option, evidence_option, exit_zero_option, model_option
from assay.cli.outputs import OUTPUTS, write_outputs

Probe = Callable[[click.Command], None]


@pytest.fixture
def command(probe: Probe) -> None:
    @click.command()
    @config_option
    @model_option
    @evidence_option
    @exit_zero_option
    def show(config: Path, model: str | None, evidence: Path, exit_zero: bool) -> None:
        click.echo(f"{config} {model} {evidence} {exit_zero} {Path.cwd()}")

    probe(show)


def shown(
    capsys: pytest.CaptureFixture[str], *arguments: str, expected: int = 0
) -> tuple[str, str]:
    assert run(["probe", *arguments]) == expected
    return capsys.readouterr()


@pytest.mark.usefixtures("command")
def test_every_option_has_a_variable(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSAY_CONFIG", "a b.yaml")
    monkeypatch.setenv("ASSAY_MODEL", "fraud")
    monkeypatch.setenv("ASSAY_EVIDENCE", "out")
    monkeypatch.setenv("ASSAY_EXIT_ZERO", "true")
    assert shown(capsys)[0].startswith("a b.yaml fraud out True ")


@pytest.mark.usefixtures("command")
def test_the_line_wins_over_the_variable(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSAY_MODEL", "fraud")
    assert " churn " in shown(capsys, "--model", "churn")[0]


@pytest.mark.usefixtures("command")
def test_an_empty_variable_is_none(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("CONFIG", "MODEL", "EVIDENCE", "EXIT_ZERO", "WORKING_DIRECTORY", "DEBUG"):
        monkeypatch.setenv(f"ASSAY_{name}", "")
    assert shown(capsys)[0].startswith("assay.yaml None .assay/evidence False ")


@pytest.mark.usefixtures("command")
def test_a_switch_that_is_neither_is_refused(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSAY_EXIT_ZERO", "perhaps")
    assert "'perhaps' is not a valid boolean" in shown(capsys, expected=2)[1]


@pytest.mark.usefixtures("command")
def test_the_working_directory_is_entered_first(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path.parent)
    monkeypatch.setenv("ASSAY_WORKING_DIRECTORY", tmp_path.name)
    assert shown(capsys)[0].endswith(f"{tmp_path}\n")


@pytest.mark.usefixtures("command")
def test_a_working_directory_that_is_none_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ASSAY_WORKING_DIRECTORY", str(tmp_path / "none"))
    assert "Directory" in shown(capsys, expected=2)[1]


def test_outputs_are_written_where_the_runner_asks(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("GITHUB_OUTPUT", raising=False)
    write_outputs("test", state="passed")
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "out"))
    write_outputs("test", state="passed")
    assert "passed" in (tmp_path / "out").read_text()


def test_an_output_that_no_action_declares_is_a_defect() -> None:
    with pytest.raises(KeyError):
        write_outputs("test", verdict="pass")
    assert all(text.endswith(".") for outputs in OUTPUTS.values() for text in outputs.values())


def test_setup_lets_later_steps_call_assay_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_PATH", str(tmp_path / "path"))
    monkeypatch.setenv("RUNNER_TEMP", str(tmp_path / "temp"))
    monkeypatch.delenv("GITHUB_OUTPUT", raising=False)
    for _ in range(2):
        assert run(["setup"]) == 0
    folder = Path((tmp_path / "path").read_text().splitlines()[-1])
    assert [path.name for path in folder.iterdir()] == ["assay"]
    assert os.access(folder / "assay", os.X_OK)
    assert str(folder) in capsys.readouterr().out


def test_setup_outside_a_job_says_where_assay_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("GITHUB_PATH", "GITHUB_OUTPUT", "RUNNER_TEMP"):
        monkeypatch.delenv(name, raising=False)
    assert run(["setup"]) == 0
    folder = Path(capsys.readouterr().out.strip().rpartition(" in ")[2])
    assert os.access(folder / "assay", os.X_OK)
