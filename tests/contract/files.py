"""The YAML files that the contract tests read, parsed once."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
SLUG = "assay-ml/assay"
OURS = sorted((ROOT / ".github/workflows").glob("*.yml"))
CALLERS = sorted((ROOT / "template-repo/.github/workflows").glob("*.yml"))
ACTIONS = [ROOT / "action.yml", *sorted((ROOT / "actions").glob("*/action.yml"))]


@cache
def load(path: Path) -> dict[str, Any]:
    """Return a workflow or action as plain data; the key ``on`` stays a string."""
    data: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)  # noqa: S506 -- BaseLoader makes strings only
    return data


def jobs(path: Path) -> dict[str, dict[str, Any]]:
    """Return the jobs of a workflow by id."""
    found: dict[str, dict[str, Any]] = load(path)["jobs"]
    return found


def steps(path: Path) -> list[tuple[str, dict[str, Any]]]:
    """Return every step of a workflow or composite action, with its job's id."""
    data = load(path)
    if "runs" in data:
        return [("", step) for step in data["runs"]["steps"]]
    return [(name, step) for name, job in data["jobs"].items() for step in job.get("steps", ())]


def uses(path: Path) -> list[str]:
    """Return every ``uses`` of a file, of jobs and of steps."""
    called = [job["uses"] for job in load(path).get("jobs", {}).values() if "uses" in job]
    return [*called, *(step["uses"] for _, step in steps(path) if "uses" in step)]


def is_reusable(path: Path) -> bool:
    """Whether a workflow is called by others."""
    trigger = load(path)["on"]
    return "workflow_call" in trigger


def name_of(path: Path) -> str:
    """Return a file's path in the repository, as a test's id."""
    return str(path.relative_to(ROOT))


REUSABLE = [path for path in OURS if is_reusable(path)]
