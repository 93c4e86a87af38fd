"""What every workflow may do, and to what it is bound."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from contract.files import (
    ACTIONS,
    CALLERS,
    OURS,
    REUSABLE,
    ROOT,
    SLUG,
    jobs,
    load,
    name_of,
    steps,
)

ALL = [*OURS, *CALLERS]
CONSUMER_STAGES = ("actions/test", "actions/train", "actions/check-data", "actions/checkout")
FOR_TRAINING = {"dvc-credentials", "training"}
"""What a job that runs the consumer's code may be handed."""


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


KEYS = re.compile(
    r"secrets\.(signing_key|intent_key|branch_token|registry|image_registry|app_key)\b"
)


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
