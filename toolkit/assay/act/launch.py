"""From a run's facts to act's command line, and from how act ended to a result."""

from __future__ import annotations

import difflib
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import assay
from assay.act.events import Event
from assay.act.ports import free_port
from assay.act.process import Ended
from assay.act.references import OWN_SLUG, References
from assay.act.stand_in import stand_ins_for
from assay.errors import InputError, OutsideError


@dataclass(frozen=True, kw_only=True)
class Launch:
    """Everything about one attempt of one run that act is told.

    ``folder`` takes the files that are written for act; ``token`` becomes ``GITHUB_TOKEN``.
    """

    act: Path
    event: Event
    workflow: str
    found: References
    folder: Path
    env: Mapping[str, str]
    secrets: Mapping[str, str]
    variables: Mapping[str, str]
    default_branch: str
    action_cache: Path
    toolkit: Path
    offline: bool


def step_environment(
    *, store: Path, slug: str, event: Event, run_id: int, attempt: int, number: int
) -> dict[str, str]:
    """What act is told of the run, and what the stand-ins need, as ``--env-file`` takes it."""
    return {
        "ASSAY_ACT_STORE": str(store),
        "ASSAY_ACT_PYTHON": sys.executable,
        "ASSAY_ACT_TOOLKIT": str(Path(assay.__file__).resolve().parents[1]),
        "GITHUB_REPOSITORY": slug,
        "GITHUB_REF": event.ref,
        "SHA_REF": event.sha,
        "GITHUB_RUN_ID": str(run_id),
        "GITHUB_RUN_ATTEMPT": str(attempt),
        "GITHUB_RUN_NUMBER": str(number),
    }


def command(launch: Launch) -> list[str]:
    """act's command line; its event, secrets and environment are written beside the log.

    Secrets go through a file that only the user can read, never through arguments. The files also
    keep act from reading ``.env`` and ``.secrets`` of the consumer.
    """
    files: dict[str, tuple[str, Mapping[str, Any]]] = {
        "--eventpath": ("event.json", launch.event.payload),
        "--secret-file": ("secrets.yml", launch.secrets),
        "--env-file": ("env.yml", launch.env),
        "--var-file": ("vars.yml", launch.variables),
        "--input-file": ("inputs.yml", {}),
    }
    words = [str(launch.act), launch.event.name, "--json", "--workflows", launch.workflow]
    for flag, (name, content) in files.items():
        place = launch.folder / name
        place.touch(mode=0o600)
        place.write_text(json.dumps(content), encoding="utf-8")
        words += [flag, str(place)]
    words += ["--actor", launch.event.actor, "--action-cache-path", str(launch.action_cache)]
    words += ["--concurrent-jobs", "1", "--defaultbranch", launch.default_branch]
    for label in launch.found.labels:
        words += ["--platform", f"{label}=-self-hosted"]
    for ref in launch.found.own_refs:
        words += ["--local-repository", f"{OWN_SLUG}@{ref}={launch.toolkit}"]
    return words + _third_party(launch)


def _third_party(launch: Launch) -> list[str]:
    """Stand-ins if offline; else act's servers and the real actions from github.com.

    act takes the address of actions from ``GITHUB_SERVER_URL``, which is the local GitHub's here,
    so each real action is named as one of github.com.
    """
    uses = launch.found.third_party
    if launch.offline:
        options = ["--no-skip-checkout", "--no-cache-server"]
        for name, place in stand_ins_for(uses).items():
            options += ["--local-repository", f"{name}={place}"]
        return options
    options = ["--artifact-server-addr", "127.0.0.1", "--artifact-server-port", str(free_port())]
    options += ["--artifact-server-path", str(launch.folder / "artifacts")]
    options += ["--cache-server-addr", "127.0.0.1"]
    for repository in sorted({use.repository for use in uses}):
        options += ["--replace-ghe-action-with-github-com", repository]
    return options


def find_workflow(consumer: Path, workflow: str) -> Path:
    """The workflow file that ``workflow`` names; InputError with the nearest name if none."""
    folder = Path(".github", "workflows")
    tries = [Path(workflow), *(folder / f"{workflow}{end}" for end in ("", ".yml", ".yaml"))]
    for name in tries:
        place = (consumer / name).resolve()
        if place.is_file() and consumer.resolve() in place.parents:
            return consumer / name
    present = sorted(p.name for p in (consumer / folder).glob("*.y*ml"))
    near = difflib.get_close_matches(Path(workflow).name, present, n=1, cutoff=0.5)
    hint = f"Did you mean '{near[0]}'?" if near else f"There are: {', '.join(present)}."
    if not present:
        hint = "Write .github/workflows/pull-request.yml: Assay's README.md shows one."
    raise InputError(
        f"there is no workflow '{workflow}' in the commit that the run would take it from.",
        remedy=hint,
    )


def conclude(ended: Ended, log: Path) -> str:
    """success, failure or timeout.

    Raises InputError if act skipped a job for its label, OutsideError if it ran no job at all.
    """
    if ended.exit_code is None:
        return "timeout"
    if ended.stream.unsupported:
        raise InputError(
            f"act skipped a job because of its label: {ended.stream.unsupported[0]}",
            remedy="Write the label under runs-on, or as the default of an input named runs-on….",
        )
    if not ended.stream.jobs():
        words = "\n".join(ended.stream.loose[-5:]) or "it said nothing"
        raise OutsideError(
            f"act ran no job (exit code {ended.exit_code}): {words}", remedy=f"Its log is {log}."
        )
    return "success" if ended.exit_code == 0 else "failure"
