"""assay notify and assay silence at the command line, with a real remote."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.cli.edge import run
from support.github_stand_in import Answer, Asked, stand_in
from support.repositories import Sandbox, git_variables
from support.watching import CONFIG, look, problem


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone with a watched model, a look that found a problem, and a remote."""
    for name, value in git_variables(tmp_path).items():
        monkeypatch.setenv(name, value)
    for name in ("GITHUB_ACTIONS", "GITHUB_TOKEN", "ASSAY_WEBHOOK"):
        monkeypatch.delenv(name, raising=False)
    origin = Sandbox.make(tmp_path / "origin")
    origin.commit({"assay.yaml": CONFIG.replace("OWNER", "churn team")}, message="first")
    origin.git("clone", "--quiet", str(origin.root), str(tmp_path / "clone"))
    monkeypatch.chdir(tmp_path / "clone")
    look(problem()).write(Path(".assay/evidence/churn"))
    return tmp_path / "clone"


def test_a_silence_is_written_and_the_webhook_then_hears_nothing(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(asked: Asked) -> Answer:
        return Answer(document={})

    words = ["silence", "churn", "quality:f1", "--reason", "known", "--by", "kim"]
    with stand_in(answer) as server:
        monkeypatch.setenv("ASSAY_WEBHOOK", server.url)
        assert run(["ack", *words[1:]]) == 0
        assert run(["notify"]) == 0
        assert server.asked == []
        assert run([*words, "--until", "now"]) == 0
        assert run(["notify"]) == 0
        assert run(["notify"]) == 0
        assert len(server.asked) == 1, "what was held back is news once it is not"
    assert "ack: quality:f1 of churn, by kim" in capsys.readouterr().out
    assert run([*words, "--until", "soon"]) == 2
    assert run([*words, "--until", "90d"]) == 2
    assert run([*words, "--until", "8h"]) == 0


def test_a_webhook_that_is_away_is_exit_3_and_the_message_waits(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with stand_in(lambda _: Answer(status=404)) as server:
        assert run(["notify", "--webhook", server.url + "/s3cret"]) == 3
    shown = capsys.readouterr()
    assert "the webhook did not take the message (status 404)" in shown.err
    assert "s3cret" not in shown.err + shown.out
    assert list(Path(".assay/monitor/webhook").glob("*.json"))
    assert Path(".assay/evidence/churn/look.html").is_file()


def test_no_look_is_said(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["notify", "--evidence", "none"]) == 2
    assert "has no monitor.json" in capsys.readouterr().err
