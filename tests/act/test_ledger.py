"""The test-set ledger: counted by a workflow of its own, on a real remote, and read by the plan."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from assay.act.result import RunResult
from support.repositories import put_hook

from .conftest import StartGated
from .gating import BETTER, ROOT, TOY, Gated, assay, document, evidence, gate_job

pytestmark = [pytest.mark.act, pytest.mark.timeout(900)]

LEDGER = "ledger.yml"
BRANCH = "assay/desired"


def caller() -> str:
    """The caller that docs/owners.md shows."""
    page = (ROOT / "docs/owners.md").read_text(encoding="utf-8")
    (found,) = re.findall(r"^```yaml\n(name: Ledger.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert isinstance(found, str)
    return found


def asking() -> dict[str, str | bytes]:
    config = (TOY / "assay.yaml").read_text(encoding="utf-8")
    return {
        "assay.yaml": config.replace("    tests: null\n", "    tests: null\n    ledger: true\n"),
        f".github/workflows/{LEDGER}": caller(),
    }


def append(gated: Gated, run: RunResult) -> RunResult:
    """Run the ledger's workflow for a run that ended."""
    return gated.harness.run(LEDGER, gated.harness.workflow_run_event(run))


def lines(gated: Gated) -> list[dict[str, Any]]:
    remote = gated.harness.remote
    names = remote.git("ls-tree", "-r", "--name-only", BRANCH, "ledger/").splitlines()
    text = "\n".join(remote.git("show", f"{BRANCH}:{name}") for name in names)
    return [json.loads(line) for line in text.splitlines()]


def decisions(run: RunResult) -> int:
    count = document(run, "toy/comparison.json")["reuse"]["decisions"]
    assert isinstance(count, int)
    return count


def test_a_head_counts_a_rerun_is_free_and_another_head_counts(
    start_gated: StartGated, tmp_path: Path
) -> None:
    gated = start_gated(asking())
    pull = gated.propose("change", {"skill.txt": BETTER})
    first = gated.gate(pull)
    assert gate_job(first).result == "success", gate_job(first).log
    assert decisions(first) == 1
    assert "this is the first decision on it" in gated.comment(pull).body
    counted = append(gated, first)
    assert counted.result == "success", counted.jobs[0].log
    (line,) = lines(gated)
    head = document(first, "toy/training.json")["predictions"]["sha256"]
    assert (line["head"], line["run"], line["commit"]) == (head, first.run_id, pull.head_sha)

    again = gated.gate(pull, "synchronize")
    assert decisions(again) == 1
    free = append(gated, again)
    assert "No new decision" in free.jobs[0].log
    assert lines(gated) == [line]

    moved = gated.push(pull, {"skill.txt": "840\n"})
    other = gated.gate(moved, "synchronize")
    assert decisions(other) == 2
    assert append(gated, other).result == "success"
    assert [found["run"] for found in lines(gated)] == [first.run_id, other.run_id]
    assert gated.harness.remote.git("rev-list", "--count", BRANCH) == "2"
    assert "it has decided about 2 models, this one included" in gated.comment(pull).body
    folder = evidence(other, tmp_path / "evidence")
    replayed = assay("verify", "--replay", str(folder), cwd=tmp_path)
    assert "byte for byte the same" in replayed.stdout, replayed.stderr


def test_a_fork_counts_and_a_protected_branch_waits_for_the_next_run(
    start_gated: StartGated,
) -> None:
    gated = start_gated(asking())
    pull = gated.propose("change", {"skill.txt": BETTER}, fork="stranger/toy")
    first = gated.gate(pull)
    bare = gated.harness.remote.path
    take_away = put_hook(bare, "update", "echo 'protected by a ruleset' >&2; exit 1")
    refused = append(gated, first)
    assert refused.result == "failure"
    (said,) = [note.message for note in refused.annotations if note.level == "error"]
    assert "takes no push to assay/desired" in said
    assert "protected by a ruleset" in said
    assert [item.name for item in refused.artifacts] == ["assay-ledger-pending"]
    assert gate_job(first).result == "success"

    take_away()
    mine = gated.propose("mine", {"skill.txt": "840\n"})
    second = gated.gate(mine)
    assert decisions(second) == 1
    counted = append(gated, second)
    assert counted.result == "success", counted.jobs[0].log
    assert [found["run"] for found in lines(gated)] == [first.run_id, second.run_id]
