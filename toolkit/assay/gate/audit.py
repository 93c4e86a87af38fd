"""The last job's audit of the jobs it needed: cancelled, failed or skipped is never a pass."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from assay.errors import InputError

_RESULTS = frozenset({"success", "failure", "cancelled", "skipped"})


@dataclass(frozen=True, kw_only=True)
class Need:
    """One needed job: how it ended, and its outputs."""

    job: str
    result: str
    outputs: dict[str, str]


def parse_needs(text: str) -> tuple[Need, ...]:
    """Read ``toJSON(needs)``; raises InputError where it is not that."""
    try:
        data: Any = json.loads(text)
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict) or not data:
        raise InputError(
            "`needs` is not the JSON of the needs context.",
            remedy="Pass needs: ${{ toJSON(needs) }} from a job that needs the others.",
        )
    needs = []
    for job, value in data.items():
        result = value.get("result") if isinstance(value, dict) else None
        if result not in _RESULTS:
            raise InputError(
                f"`needs` has no result for the job {str(job)[:80]!r}.",
                remedy="Pass needs: ${{ toJSON(needs) }} unchanged.",
            )
        outputs = value.get("outputs") or {}
        needs.append(
            Need(
                job=str(job),
                result=result,
                outputs={str(k): str(v) for k, v in outputs.items()}
                if isinstance(outputs, dict)
                else {},
            )
        )
    return tuple(needs)


def audit(needs: tuple[Need, ...]) -> tuple[str, ...]:
    """Return one sentence for each job that did not do what the gate relies on.

    The model jobs may be skipped only where the plan succeeded and says that nothing is touched.
    """
    by_job = {need.job: need for need in needs}
    plan = by_job.get("plan")
    nothing_touched = (
        plan is not None and plan.result == "success" and plan.outputs.get("any") == "false"
    )
    problems = []
    for need in needs:
        if need.result == "success" or (
            need.result == "skipped" and need.job == "model" and nothing_touched
        ):
            continue
        words = {"failure": "failed", "cancelled": "was cancelled", "skipped": "was skipped"}
        problems.append(f"The job `{need.job}` {words[need.result]}.")
    return tuple(problems)
