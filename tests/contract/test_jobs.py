"""How the jobs of the gate, of a delivery and of a retraining hand on what they made."""

from __future__ import annotations

import re
from typing import Any

from contract.files import ROOT, jobs, load


def _gate() -> dict[str, Any]:
    return jobs(ROOT / ".github/workflows/pull-request.yml")


def _delivery() -> dict[str, Any]:
    return jobs(ROOT / ".github/workflows/deliver.yml")


def test_the_gate_needs_every_other_job_and_always_runs() -> None:
    found = _gate()
    gate = found["gate"]
    assert gate["name"] == "Assay gate"
    assert gate["if"] == "always()"
    assert set(gate["needs"]) == set(found) - {"gate"}
    audited = [step for step in gate["steps"] if "needs" in step.get("with", {})]
    assert [step["with"]["needs"] for step in audited] == ["${{ toJSON(needs) }}"]


def test_the_plan_is_taken_by_its_id_which_no_other_job_can_have() -> None:
    plan = "${{ needs.plan.outputs.artifact-id }}"
    assert _gate()["plan"]["outputs"]["artifact-id"] == "${{ steps.upload.outputs.artifact-id }}"
    for name in ("model", "gate"):
        taken = [
            step["with"]
            for step in _gate()[name]["steps"]
            if "actions/download-artifact@" in step.get("uses", "")
        ]
        assert [one["artifact-ids"] for one in taken if "artifact-ids" in one] == [plan], name
        others = [one["pattern"] for one in taken if "artifact-ids" not in one]
        assert set(others) <= {"assay-[abh]*"}, name


def test_no_cache_is_read_before_the_base_is_sealed() -> None:
    steps_of = [step.get("uses", "") for step in _gate()["model"]["steps"]]
    sealed = next(i for i, used in enumerate(steps_of) if "actions/upload-artifact@" in used)
    assert [i for i, used in enumerate(steps_of) if "actions/cache@" in used] > [sealed]
    cached = next(i for i, used in enumerate(steps_of) if "actions/cache@" in used)
    sides = [step.get("with", {}).get("side") for step in _gate()["model"]["steps"]]
    assert sealed < sides.index("anchor") < cached
    assert _gate()["model"]["steps"][cached - 1]["with"]["name"].startswith("assay-anchor-")
    before = _gate()["model"]["steps"][:sealed]
    ours = [step for step in before if "assay-ml/assay" in step.get("uses", "")]
    assert [step["with"].get("side") for step in ours] == ["base"]


def test_a_delivery_is_never_cancelled_and_its_targets_are_its_environments() -> None:
    for name in ("deliver.yml", "rollout.yml"):
        workflow = load(ROOT / ".github/workflows" / name)
        assert workflow["concurrency"]["cancel-in-progress"] == "false", name
    for name in ("stage", "deploy"):
        job = _delivery()[name]
        assert job["environment"] == "${{ matrix.at.target }}"
        assert job["permissions"] == {"actions": "read", "contents": "write"}
    assert _delivery()["stage"]["strategy"]["max-parallel"] == "1"


def test_what_is_registered_is_taken_by_id_from_the_run_that_judged_it() -> None:
    taken = [
        step["with"]
        for step in _delivery()["register"]["steps"]
        if "actions/download-artifact@" in step.get("uses", "")
    ]
    assert [one["artifact-ids"] for one in taken] == [
        "${{ needs.plan.outputs.artifact-id }}",
        "${{ needs.gate.outputs.evidence-id }}",
        "${{ matrix.model.artifact }}",
    ]
    assert taken[-1]["run-id"] == "${{ matrix.model.run }}"
    outputs = _gate()["gate"]["outputs"]
    assert outputs["evidence-id"] == "${{ steps.upload.outputs.artifact-id }}"


def test_the_bundle_is_attested_where_asked_and_signed_by_one_of_key_and_identity() -> None:
    steps_of = _delivery()["register"]["steps"]
    (attested,) = [one for one in steps_of if "attest-build-provenance@" in one.get("uses", "")]
    assert attested["if"] == "inputs.provenance"
    assert attested["with"] == {"subject-path": ".assay/bundle/bundle.json"}
    (packaged,) = [one for one in steps_of if "actions/package@" in one.get("uses", "")]
    assert packaged["with"]["keyless"] == "${{ inputs.keyless }}"
    key = "${{ !inputs.keyless && secrets.signing_key || '' }}"
    assert packaged["with"]["signing-key"] == key


def test_the_image_is_pushed_by_a_job_that_holds_its_registrys_credentials_alone() -> None:
    job = _delivery()["image"]
    assert job["if"] == "inputs.image != ''"
    assert job["permissions"] == {}
    assert set(re.findall(r"secrets\.([\w-]+)", str(job))) == {"image_registry"}
    assert "github.token" not in str(job)
    others = {name: one for name, one in _delivery().items() if name != "image"}
    assert "image_registry" not in str(others)


def test_what_runs_beside_a_target_is_asked_for_and_holds_nothing() -> None:
    """The runner is the consumer's own, and runs their tests."""
    job = _delivery()["test"]
    assert "inputs.staging-runs-on != ''" in job["if"]
    assert job["permissions"] == {"contents": "read"}
    assert "secrets." not in str(job)
    assert "github.token" not in str(job)


def test_no_target_is_asked_for_what_the_jobs_before_did_not_let_through() -> None:
    for name, before in (
        ("stage", ("image", "trial")),
        ("deploy", ("image", "trial", "stage", "test")),
    ):
        job = _delivery()[name]
        assert {"plan", "register", *before} <= set(job["needs"]), name
        assert "needs.register.result == 'success'" in job["if"], name
        for need in before:
            assert f"needs.{need}.result != 'failure'" in job["if"], name
            assert f"needs.{need}.result != 'cancelled'" in job["if"], name


def test_a_retraining_is_decided_before_their_code_runs_and_proposed_after_without_it() -> None:
    found = jobs(ROOT / ".github/workflows/retrain.yml")
    assert found["train"]["permissions"] == {"contents": "read"}
    assert found["propose"]["permissions"] == {"contents": "write", "pull-requests": "write"}
    taken = [
        step["with"]
        for step in found["propose"]["steps"]
        if "actions/download-artifact@" in step.get("uses", "")
    ]
    assert taken[0]["artifact-ids"] == "${{ needs.decide.outputs.artifact-id }}"
    # Listed, not named: none is a training that failed, an error is not.
    (left,) = [
        step["with"]["name"]
        for step in found["train"]["steps"]
        if "actions/upload-artifact@" in step.get("uses", "")
    ]
    assert taken[1]["pattern"] == left
    assert not any("continue-on-error" in step for step in found["propose"]["steps"])
    assert found["settle"]["if"] == "github.event_name == 'workflow_run'"
    assert found["decide"]["if"] == "github.event_name != 'workflow_run'"
