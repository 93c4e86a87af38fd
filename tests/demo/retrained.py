"""From a look that blocks to the model that serves: retrained, gated, merged, delivered, asked."""

from __future__ import annotations

import http.client
import json
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from demo.delivery import ROOT, Delivery, show
from demo.run import say, verdict_of

_CALLER = """\
name: Retrain

on:
  workflow_dispatch: {{inputs: {{at: {{description: As of when to look, required: true}}}}}}
  workflow_run:
    workflows: [Model]
    types: [completed]

permissions: {{}}

jobs:
  look:
    if: github.event_name != 'workflow_run'
    runs-on: ubuntu-latest
    permissions: {{contents: read}}
    outputs: {{artifact-id: "${{{{ steps.upload.outputs.artifact-id }}}}"}}
    steps:
      - uses: {checkout}
        with: {{persist-credentials: false}}
      - uses: {monitor}
        with:
          at: ${{{{ inputs.at }}}}
          state: {state}
          reference: {reference}
          exit-zero: true
      - id: upload
        uses: {upload}
        with: {{name: assay-look, path: .assay/evidence, include-hidden-files: true}}

  retrain:
    needs: look
    if: "!cancelled()"
    permissions: {{actions: read, contents: write, pull-requests: write}}
    uses: {retrain}
    with: {{look-artifact: "${{{{ needs.look.outputs.artifact-id }}}}"}}
"""
"""Looks as of a moment of the simulated month, which `monitor.yml` cannot: it looks now."""


def write_caller(template: Path, *, state: Path, reference: Path) -> None:
    """Write the consumer's retrain.yml, with the references that our own workflows have."""
    ours = (ROOT / ".github/workflows/monitor.yml").read_text(encoding="utf-8")

    def used(what: str) -> str:
        return re.findall(rf"uses: ({re.escape(what)}@\S+)", ours)[0]

    monitor = used("assay-ml/assay/actions/monitor")
    _, _, ref = monitor.partition("@")
    text = _CALLER.format(
        checkout=used("actions/checkout"),
        upload=used("actions/upload-artifact"),
        monitor=monitor,
        retrain=f"assay-ml/assay/.github/workflows/retrain.yml@{ref}",
        state=state,
        reference=reference,
    )
    (template / ".github/workflows/retrain.yml").write_text(text, encoding="utf-8")


@dataclass(frozen=True)
class Ended:
    """How far a retraining came: ``how`` in a word, and the version that serves."""

    how: str
    version: str | None = None


def retrain(at: Delivery, moment: datetime) -> Ended:
    """Retrain through the shipped workflows as of a look, gate, merge and deliver."""
    harness = at.harness
    asked = harness.dispatch_event("main", {"at": f"{moment:%Y-%m-%dT%H:%MZ}"})
    show(harness.run("retrain.yml", asked))
    pulls = list(harness.github.records.pulls.values())
    if len(pulls) != 1:
        return Ended("not proposed")
    (pull,) = pulls
    changed = harness.remote.git("diff", "--name-only", "main", pull.head_ref)
    say(f"Pull request '{pull.title}', which changes {changed} ...")
    judged = harness.run("pull-request.yml", harness.pull_request_event(pull))
    show(judged)
    verdict = verdict_of(judged)
    say(f"  {verdict.get('sentence', 'There is no verdict.')}")
    for rule in gates(verdict):
        say(f"  {rule}")
    show(harness.run("retrain.yml", harness.workflow_run_event(judged)))
    if harness.github.records.pulls[pull.number].state != "open":
        return Ended("closed")
    if verdict.get("state") not in {"pass", "warn"}:
        return Ended("refused")
    at.merge(pull)
    at.deliver()
    say("  The controller takes it from here ...")
    if at.wait_for("promoted", decisions=1) != "promoted":
        return Ended("not delivered")
    return Ended("retrained", str(at.ended()[-1]["artifact_digest"]))


def gates(verdict: dict[str, Any]) -> list[str]:
    """The gated metrics of a verdict, one line each."""
    return [
        f"{rule['metric']}: {rule['base']:.4f} to {rule['head']:.4f}, {rule['state']}"
        for rule in verdict.get("rules", [])
        if rule["gate"] and rule["slice"] == "all" and rule["head"] is not None
    ]


def ask(port: int, row: str) -> tuple[str, float]:
    """Ask the router about one logged row: the version that answers, and how likely a visit is."""
    sent = json.loads(row)
    body = {"dataframe_split": {"columns": list(sent), "data": [list(sent.values())]}}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        headers = {"content-type": "application/json"}
        connection.request("POST", "/invocations", json.dumps(body), headers)
        answer = connection.getresponse()
        found = json.loads(answer.read())
        return str(answer.getheader("x-assay-version")), float(found["predictions"][0][1])
    finally:
        connection.close()
