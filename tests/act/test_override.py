"""Accepting a failing verdict by a label."""

from __future__ import annotations

import pytest

from .conftest import StartGated
from .gating import TOY, WORSE, document, gate_job

pytestmark = [pytest.mark.act, pytest.mark.timeout(900)]

LABEL = "accept-worse"


def test_only_somebody_who_may_and_only_after_the_last_push(start_gated: StartGated) -> None:
    rules = (TOY / "assay.yaml").read_text() + f"override: {{label: {LABEL}}}\n"
    gated = start_gated({"assay.yaml": rules}, people=("reader", "writer"))
    github = gated.harness.github
    github.records.permissions.update(reader="read", writer="write")

    pull = gated.propose("change", {"skill.txt": WORSE})
    github.add_label(pull.number, LABEL, login="reader")
    first = gated.gate(pull)
    assert gate_job(first).result == "failure"

    by_reader = gated.gate(pull, rerun_of=first)
    assert gate_job(by_reader).result == "failure"
    assert "reader set the label" in gate_job(by_reader).log

    labels = f"/repos/{gated.harness.slug}/issues/{pull.number}/labels"
    github.demand("DELETE", f"{labels}/{LABEL}")
    github.add_label(pull.number, LABEL, login="writer")
    accepted = gated.gate(pull, rerun_of=by_reader)
    assert gate_job(accepted).result == "success", gate_job(accepted).log
    verdict = document(accepted, "verdict.json")
    assert (verdict["state"], verdict["override"]["by"]) == ("warn", "writer")
    body = gated.comment(pull).body
    assert body.startswith("### Assay: fail, accepted\n")
    assert f"Accepted by `writer` with the label `{LABEL}`" in body

    moved = gated.push(pull, {"skill.txt": "690\n"})
    later = gated.gate(moved, "synchronize")
    assert gate_job(later).result == "failure"
    assert "writer set the label accept-worse before the head's last push" in gate_job(later).log
    assert gated.comment(pull).body.startswith("### Assay: fail\n")


def test_without_the_rule_in_the_base_no_label_accepts(start_gated: StartGated) -> None:
    gated = start_gated()
    more = (TOY / "assay.yaml").read_text() + f"override: {{label: {LABEL}}}\n"
    pull = gated.propose("change", {"skill.txt": WORSE, "assay.yaml": more})
    gated.harness.github.add_label(pull.number, LABEL)
    run = gated.gate(pull)
    assert gate_job(run).result == "failure"
    assert "Accepting by label" not in gate_job(run).log
    assert document(run, "verdict.json")["override"] is None
