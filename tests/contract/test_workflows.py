"""What the workflows may do, and to what they are bound."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from contract.files import ACTIONS, CALLERS, OURS, ROOT, SLUG, is_reusable, jobs, load, steps

REUSABLE = [path for path in OURS if is_reusable(path)]
ALL = [*OURS, *CALLERS]
CALLER = re.compile(r"^```yaml\n(name: .*?)^```$", re.MULTILINE | re.DOTALL)
CONSUMER_STAGES = ("actions/test", "actions/train", "actions/check-data", "actions/checkout")


FOR_TRAINING = {"dvc-credentials", "training"}
"""What a job that runs the consumer's code may be handed."""


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", ALL, ids=name_of)
def test_nothing_is_granted_on_top_and_each_job_says_what_it_needs(path: Path) -> None:
    assert load(path)["permissions"] == {}
    for job, body in jobs(path).items():
        assert "permissions" in body, job


@pytest.mark.parametrize("path", [*ALL, *ACTIONS], ids=name_of)
def test_no_expression_reaches_a_shell(path: Path) -> None:
    for _, step in steps(path):
        assert "${{" not in step.get("run", "")


@pytest.mark.parametrize("path", ALL, ids=name_of)
def test_no_job_inherits_secrets(path: Path) -> None:
    assert all(job.get("secrets") != "inherit" for job in jobs(path).values())


def _action_of(reference: str) -> dict[str, Any] | None:
    name = reference.split("@", maxsplit=1)[0]
    if not name.startswith(SLUG) or name.endswith(".yml"):
        return None
    return load(ROOT / name.removeprefix(SLUG).lstrip("/") / "action.yml")


@pytest.mark.parametrize("path", ALL, ids=name_of)
def test_what_a_step_hands_to_our_actions_is_an_input_of_theirs(path: Path) -> None:
    for job, step in steps(path):
        action = _action_of(step.get("uses", ""))
        if action:
            unknown = set(step.get("with", {})) - set(action["inputs"])
            assert unknown == set(), (job, step["uses"])


@pytest.mark.parametrize("path", ALL, ids=name_of)
def test_outputs_that_are_read_are_outputs_of_the_step(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    with_id = {step["id"]: step for _, step in steps(path) if "id" in step}
    for step_id, output in re.findall(r"steps\.([\w-]+)\.outputs\.([\w-]+)", text):
        action = _action_of(with_id[step_id].get("uses", ""))
        if action:
            assert output in action["outputs"], (step_id, output)


@pytest.mark.parametrize("path", REUSABLE, ids=name_of)
def test_every_input_and_secret_of_a_workflow_is_used_and_described(path: Path) -> None:
    call = load(path)["on"]["workflow_call"]
    text = path.read_text(encoding="utf-8")
    for kind in ("inputs", "secrets"):
        for name, body in call.get(kind, {}).items():
            assert re.search(rf"\b{kind}\.{re.escape(name)}\b", text), name
            assert body["description"].endswith("."), name


def _granted(permissions: dict[str, str]) -> dict[str, int]:
    return {scope: ("none", "read", "write").index(level) for scope, level in permissions.items()}


def _asked(body: dict[str, Any]) -> dict[str, int]:
    called = ROOT / body["uses"].split("@")[0].removeprefix(f"{SLUG}/")
    asked: dict[str, int] = {}
    for inner in jobs(called).values():
        for scope, level in _granted(inner["permissions"]).items():
            asked[scope] = max(level, asked.get(scope, 0))
    return asked


@pytest.mark.parametrize("path", CALLERS, ids=name_of)
def test_a_caller_grants_what_the_called_jobs_ask_and_no_more(path: Path) -> None:
    for job, body in jobs(path).items():
        assert _granted(body["permissions"]) == _asked(body), job


def test_the_callers_that_the_pages_show_grant_what_the_called_jobs_ask() -> None:
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    shown = [block for page in pages for block in CALLER.findall(page.read_text(encoding="utf-8"))]
    assert shown
    for block in shown:
        for body in yaml.safe_load(block)["jobs"].values():
            if "uses" in body:
                assert _granted(body["permissions"]) == _asked(body)


@pytest.mark.parametrize("path", CALLERS, ids=name_of)
def test_a_caller_is_short_and_never_skips_the_required_job(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) < 25
    trigger = load(path)["on"]
    for job in jobs(path).values():
        assert "if" not in job
    pull_request = trigger.get("pull_request") if isinstance(trigger, dict) else None
    assert not isinstance(pull_request, dict) or not {"paths", "paths-ignore"} & set(pull_request)


@pytest.mark.parametrize("path", CALLERS, ids=name_of)
def test_a_caller_hands_over_only_inputs_that_exist(path: Path) -> None:
    for body in jobs(path).values():
        call = load(ROOT / body["uses"].split("@")[0].removeprefix(f"{SLUG}/"))["on"][
            "workflow_call"
        ]
        assert set(body.get("with", {})) <= set(call.get("inputs", {}))
        assert set(body.get("secrets", {})) <= set(call.get("secrets", {}))


def test_a_job_runs_the_consumers_code_or_holds_a_privilege_never_both() -> None:
    for path in REUSABLE:
        for name, job in jobs(path).items():
            writes = "write" in job["permissions"].values()
            references = [step.get("uses", "") for step in job.get("steps", ())]
            runs_theirs = any(stage in ref for ref in references for stage in CONSUMER_STAGES[:3])
            runs_theirs |= any(
                step.get("with", {}).get("command") in {"trial", "stage"}
                for step in job.get("steps", ())
            )
            assert not (writes and runs_theirs), name
            if writes:
                assert not any("actions/checkout@" in ref for ref in references), name
                assert not any("actions/cache@" in ref for ref in references), name
            if runs_theirs:
                assert "github-token" not in str(job["steps"]), name
                assert "environment" not in job, name
                assert set(re.findall(r"secrets\.([\w-]+)", str(job))) <= FOR_TRAINING, name


def test_a_job_that_is_trusted_makes_its_environment_afresh() -> None:
    """On a runner that lives on, a pull request's job could have written to a shared one."""
    for path in REUSABLE:
        for name, job in jobs(path).items():
            references = [step.get("uses", "") for step in job.get("steps", ())]
            if any(stage in ref for ref in references for stage in CONSUMER_STAGES[:3]):
                continue
            for step in job.get("steps", ()):
                if step.get("uses", "").startswith(SLUG):
                    assert step["with"]["fresh"] == "true", name


def test_the_gate_needs_every_other_job_and_always_runs() -> None:
    found = jobs(ROOT / ".github/workflows/pull-request.yml")
    gate = found["gate"]
    assert gate["name"] == "Assay gate"
    assert gate["if"] == "always()"
    assert set(gate["needs"]) == set(found) - {"gate"}
    audited = [step for step in gate["steps"] if "needs" in step.get("with", {})]
    assert [step["with"]["needs"] for step in audited] == ["${{ toJSON(needs) }}"]


@pytest.mark.parametrize("path", REUSABLE, ids=name_of)
def test_a_concurrency_group_has_a_literal_prefix_of_its_own(path: Path) -> None:
    group = load(path)["concurrency"]["group"]
    assert group.startswith(f"assay-{path.stem}-")


@pytest.mark.parametrize("path", REUSABLE, ids=name_of)
def test_uploads_keep_dot_folders_and_names_carry_the_attempt(path: Path) -> None:
    for job, step in steps(path):
        if "actions/upload-artifact@" not in step.get("uses", ""):
            continue
        options = step["with"]
        assert options["include-hidden-files"] == "true", job
        attempted = options["name"].endswith("-${{ github.run_attempt }}")
        assert attempted or options.get("overwrite") == "true", job


@pytest.mark.parametrize("path", [*OURS], ids=name_of)
def test_a_checkout_leaves_no_credentials_behind(path: Path) -> None:
    for job, step in steps(path):
        if "actions/checkout@" in step.get("uses", ""):
            assert step.get("with", {}).get("persist-credentials") == "false", job


@pytest.mark.parametrize("path", OURS, ids=name_of)
def test_every_job_has_a_time_limit(path: Path) -> None:
    assert all("timeout-minutes" in job for job in jobs(path).values() if "steps" in job)


def _ours() -> dict[str, Any]:
    return jobs(ROOT / ".github/workflows/pull-request.yml")


def test_the_plan_is_taken_by_its_id_which_no_other_job_can_have() -> None:
    plan = "${{ needs.plan.outputs.artifact-id }}"
    assert _ours()["plan"]["outputs"]["artifact-id"] == "${{ steps.upload.outputs.artifact-id }}"
    for name in ("model", "gate"):
        taken = [
            step["with"]
            for step in _ours()[name]["steps"]
            if "actions/download-artifact@" in step.get("uses", "")
        ]
        assert [one["artifact-ids"] for one in taken if "artifact-ids" in one] == [plan], name
        others = [one["pattern"] for one in taken if "artifact-ids" not in one]
        assert set(others) <= {"assay-[abh]*"}, name


def test_no_cache_is_read_before_the_base_is_sealed() -> None:
    steps_of = [step.get("uses", "") for step in _ours()["model"]["steps"]]
    sealed = next(i for i, used in enumerate(steps_of) if "actions/upload-artifact@" in used)
    assert [i for i, used in enumerate(steps_of) if "actions/cache@" in used] > [sealed]
    cached = next(i for i, used in enumerate(steps_of) if "actions/cache@" in used)
    sides = [step.get("with", {}).get("side") for step in _ours()["model"]["steps"]]
    assert sealed < sides.index("anchor") < cached
    assert _ours()["model"]["steps"][cached - 1]["with"]["name"].startswith("assay-anchor-")
    before = _ours()["model"]["steps"][:sealed]
    ours = [step for step in before if "assay-ml/assay" in step.get("uses", "")]
    assert [step["with"].get("side") for step in ours] == ["base"]


KEYS = re.compile(
    r"secrets\.(signing_key|intent_key|branch_token|registry|image_registry|app_key)\b"
)


def _delivery() -> dict[str, Any]:
    return jobs(ROOT / ".github/workflows/deliver.yml")


@pytest.mark.parametrize("path", REUSABLE, ids=name_of)
def test_a_job_that_holds_a_key_checks_nothing_out_and_reads_no_cache(path: Path) -> None:
    for name, job in jobs(path).items():
        if not KEYS.search(str(job)):
            continue
        references = [step.get("uses", "") for step in job["steps"]]
        assert not any("actions/checkout@" in ref for ref in references), name
        assert not any("actions/cache@" in ref for ref in references), name
        ours = [step for step in job["steps"] if step.get("uses", "").startswith(SLUG)]
        assert ours, name
        assert all(step["with"]["fresh"] == "true" for step in ours), name
        commands = {step["with"].get("command") for step in ours}
        assert commands <= {None, "reconcile", "image"}, name


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
    outputs = _ours()["gate"]["outputs"]
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
