"""``assay ledger`` and the plan that seals it, on a clone with a real remote."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from assay.cli.desired import Place, opened
from assay.cli.edge import run
from assay.evidence import Event, Ledger
from assay.github.settings import Settings
from support.ledgers import BRANCH, Kept
from support.repositories import git_variables


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kept:
    made = Kept.make(tmp_path)
    for name in ("GITHUB_EVENT_NAME", "GITHUB_OUTPUT", "RUNNER_TEMP", "GITHUB_REPOSITORY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in git_variables(tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(made.clone.root)
    return made


Captured = pytest.CaptureFixture[str]


def shown(captured: Captured, *more: str) -> list[dict[str, Any]]:
    captured.readouterr()
    assert run(["ledger", "show", "--json", *more]) == 0
    found: list[dict[str, Any]] = json.loads(captured.readouterr().out)
    return found


def sealed() -> Ledger:
    assert run(["plan"]) == 0
    return Ledger.read(Path(".assay/evidence"))


def test_an_empty_ledger_a_first_decision_a_rerun_and_another_head(
    kept: Kept, capsys: Captured
) -> None:
    assert shown(capsys) == []
    assert sealed() == Ledger()
    first = str(kept.evidence("first", wrong=41))
    assert run(["ledger", "append", "--evidence", first]) == 0
    assert "Counted: churn decided about" in capsys.readouterr().err
    assert run(["ledger", "append", "--evidence", first]) == 0
    assert "No new decision" in capsys.readouterr().err
    second = str(kept.evidence("second", wrong=42))
    assert run(["ledger", "append", "--evidence", second]) == 0
    (one,) = shown(capsys)
    assert (one["model"], one["decisions"], one["credit"]) == ("churn", 2, one["credit"])
    assert isinstance(one["credit"], int)
    assert [made["commit"] for made in one["last"]] == ["a" * 40, "a" * 40]
    found = sealed()
    assert found.commit == kept.git("rev-parse", BRANCH)
    (used,) = found.models["churn"].values()
    assert len(used.heads) == 2
    assert kept.clone.git("branch", "--all", "--list", "*desired*") == ""

    assert run(["ledger"]) == 0
    table = capsys.readouterr().out
    assert one["test_set"][:12] in table
    assert max(map(len, table.splitlines())) <= 100
    assert shown(capsys, "--model", "other") == []


def test_a_remote_that_is_away_leaves_what_the_clone_knows_and_says_so(
    kept: Kept, capsys: Captured
) -> None:
    assert run(["ledger", "append", "--evidence", str(kept.evidence("first", wrong=41))]) == 0
    away = kept.bare.rename(kept.bare.with_name("away.git"))
    assert run(["ledger", "show"]) == 3
    assert "asking assay/desired" in capsys.readouterr().err
    assert "asking assay/desired" in (sealed().missing or "")
    away.rename(kept.bare)
    kept.clone.git("fetch", "--quiet", "origin")
    kept.bare.rename(away)
    assert len(shown(capsys)) == 1
    assert sealed().models["churn"]


def test_a_clone_without_the_branch_reads_it_from_the_remote(
    kept: Kept, capsys: Captured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(["ledger", "append", "--evidence", str(kept.evidence("first", wrong=41))]) == 0
    single = tmp_path / "single"
    kept.clone.git("clone", "--quiet", "--single-branch", str(kept.bare), str(single))
    monkeypatch.chdir(single)
    assert len(shown(capsys)) == 1


def test_without_a_remote_there_is_nowhere_to_keep_it(kept: Kept, capsys: Captured) -> None:
    kept.clone.git("remote", "remove", "origin")
    assert run(["ledger", "show"]) == 2
    assert "git remote add origin" in capsys.readouterr().err


def test_a_damaged_file_is_named_in_place_of_its_numbers(kept: Kept, capsys: Captured) -> None:
    first = str(kept.evidence("first", wrong=41))
    assert run(["ledger", "append", "--evidence", first]) == 0
    (path,) = kept.git("ls-tree", "-r", "--name-only", BRANCH, "ledger/").splitlines()
    kept.clone.git("fetch", "--quiet", "origin")
    kept.clone.git("checkout", "--quiet", f"origin/{BRANCH}")
    kept.clone.commit({path: "{"}, message="break it")
    kept.clone.git("push", "--quiet", "origin", f"HEAD:refs/heads/{BRANCH}")
    kept.clone.git("checkout", "--quiet", "change")

    (one,) = shown(capsys)
    assert f"{path}:1: the last line is cut off" in one["damage"]
    assert run(["ledger"]) == 0
    assert "cut off" in capsys.readouterr().out
    assert f"{path}:1" in sealed().unreadable["churn"]
    second = str(kept.evidence("second", wrong=42))
    assert run(["ledger", "append", "--evidence", second]) == 4
    assert kept.git("show", f"{BRANCH}:{path}") == "{"


def test_a_plan_whose_rules_do_not_ask_takes_an_older_ledger_away(kept: Kept) -> None:
    sealed()
    text = (kept.clone.root / "assay.yaml").read_text().replace("    ledger: true\n", "")
    kept.clone.git("switch", "--quiet", "main")
    kept.clone.commit({"assay.yaml": text, ".gitignore": ".assay/"})
    kept.clone.git("switch", "--quiet", "--create", "next")
    kept.clone.commit({"train.py": "3"})
    assert run(["plan"]) == 0
    assert not Path(".assay/evidence/ledger.json").exists()


def test_altered_evidence_is_not_counted(kept: Kept, capsys: Captured) -> None:
    first = kept.evidence("first", wrong=41)
    predictions = first / "churn" / "predictions.csv"
    predictions.write_text(predictions.read_text() + "999,1,1\n")
    assert run(["ledger", "append", "--evidence", str(first)]) == 4
    assert shown(capsys) == []


def test_a_copy_of_the_base_is_no_decision(kept: Kept, capsys: Captured) -> None:
    same = str(kept.evidence("same", wrong=40))
    assert run(["ledger", "append", "--evidence", same]) == 0
    assert "No new decision" in capsys.readouterr().err
    assert shown(capsys) == []


def test_append_outside_a_job_names_the_evidence(kept: Kept, capsys: Captured) -> None:
    assert run(["ledger", "append"]) == 2
    assert "--evidence" in capsys.readouterr().err


def test_a_ledger_too_large_for_a_document_is_said(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(["ledger", "append", "--evidence", str(kept.evidence("first", wrong=41))]) == 0
    monkeypatch.setattr("assay.gate.ledger.MAX_DOCUMENT_BYTES", 100)
    assert "delete the files" in (sealed().missing or "")


@pytest.mark.parametrize(("branch_token", "used"), [(None, "job"), ("app", "app")])
def test_in_a_job_the_branch_is_githubs_and_its_own_token_goes_first(
    branch_token: str | None, used: str
) -> None:
    settings = Settings(
        in_actions=True,
        event=Event(name="workflow_run", repository="octo/churn"),
        token="job",
        server_url="https://github.example",
    )
    place = Place(
        settings=settings, environment={"PATH": "/usr/bin:/bin"}, branch_token=branch_token
    )
    with opened(place) as branch:
        sent = branch.branch.environment["GIT_CONFIG_VALUE_0"].removeprefix("Authorization: Basic ")
        assert branch.branch.remote == "https://github.example/octo/churn.git"
    assert base64.b64decode(sent).decode() == f"x-access-token:{used}"
