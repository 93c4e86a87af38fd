"""Which models run, and what a job that did not do its part does to the gate."""

from __future__ import annotations

import pytest

from .conftest import StartGated
from .gating import BETTER, TOY, document, gate_job, models

pytestmark = [pytest.mark.act, pytest.mark.timeout(900)]

MODEL = """\
  {name}:
    path: {name}
    paths: ["{name}/**"]
    predictions: predictions.csv
    environment: none
    tests: null
    train: {{command: python3 train.py}}
    gates:
      accuracy: {{margin: 0.01}}
    tracking: {{enabled: false}}
"""
CONFIG = "version: 1\nmodels:\n" + MODEL.format(name="one") + MODEL.format(name="two")
TRAIN = (TOY / "train.py").read_text()


def test_a_pull_request_runs_what_it_touches_and_has_one_comment(start_gated: StartGated) -> None:
    files: dict[str, str | bytes] = {"assay.yaml": CONFIG}
    for name in ("one", "two"):
        files |= {f"{name}/train.py": TRAIN, f"{name}/skill.txt": "800\n"}
    gated = start_gated(files)

    pull = gated.propose("change", {"README.md": "Ask somebody.\n"})
    untouched = gated.gate(pull)
    assert gate_job(untouched).result == "success", gate_job(untouched).log
    assert models(untouched) == {}
    assert gated.comment(pull).body.startswith("### Assay: pass\n")

    pull = gated.push(pull, {"two/skill.txt": BETTER})
    one_of_two = gated.gate(pull, "synchronize")
    assert gate_job(one_of_two).result == "success", gate_job(one_of_two).log
    assert set(models(one_of_two)) == {"two"}

    crash = "raise SystemExit('the disk is haunted')\n"
    pull = gated.push(pull, {"one/train.py": crash})
    both = gated.gate(pull, "synchronize")
    assert {name: job.result for name, job in models(both).items()} == {
        "one": "success",
        "two": "success",
    }
    assert gate_job(both).result == "failure"
    body = gated.comment(pull).body
    assert body.startswith("### Assay: fail\n")
    assert "the disk is haunted" in body
    assert "0.850" in body
    states = {rule["model"]: rule["state"] for rule in document(both, "verdict.json")["rules"]}
    assert states == {"one": "not-measured", "two": "better"}


def test_a_broken_configuration_is_shown_on_its_line_and_never_passes(
    start_gated: StartGated,
) -> None:
    gated = start_gated()
    broken = (TOY / "assay.yaml").read_text().replace("margin", "margn")
    pull = gated.propose("change", {"assay.yaml": broken})
    run = gated.gate(pull)
    assert run.job("Plan").result == "failure"
    assert gate_job(run).result == "failure"
    shown = next(note for note in run.annotations if note.job.endswith("Plan"))
    assert (shown.properties["file"], shown.properties["line"]) == ("assay.yaml", "10")
    assert "margin" in shown.message
    assert "The job `plan` failed." in " ".join(
        note.message for note in run.annotations if note.job.endswith("Assay gate")
    )


def test_a_model_job_that_breaks_off_blocks(start_gated: StartGated) -> None:
    gated = start_gated()
    lost = (TOY / "assay.yaml").read_text().replace("environment: none", "path: nowhere")
    pull = gated.propose("change", {"assay.yaml": lost})
    run = gated.gate(pull)
    assert gate_job(run).result == "failure"
    assert document(run, "verdict.json")["state"] == "fail"
    assert gated.comment(pull).body.startswith("### Assay: fail\n")
