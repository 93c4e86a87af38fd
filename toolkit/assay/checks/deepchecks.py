"""deepchecks, started as a program of its own in an environment of its own.

What it finds becomes findings of source ``deepchecks``; what it was asked for and did not run
becomes one too.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from assay.checks.contents import has_classes
from assay.checks.side import Side
from assay.config import Data, Deepchecks, Severity, Task
from assay.environments import LONGEST_REASON, NotRunError, Tool, environment, run_script
from assay.evidence import Finding
from assay.tables.formats import Format, csv_header

SCRIPT = Path(__file__).with_name("deepchecks_suite.py")
PREFIX = "deepchecks:"
_RUN_SECONDS = 3600.0
_FOUND = {"FAIL", "WARN"}


def run_deepchecks(
    tool: Tool, data: Data, sides: Mapping[str, Side], task: Task | None
) -> tuple[tuple[str, ...], tuple[Finding, ...]]:
    """Run the suites that ``data.deepchecks`` asks for over the opened files.

    Returns the names of the checks that ran (``deepchecks:IsSingleValue``) and what they found.
    Never raises for a failure of deepchecks: that is a finding of its own, which blocks.
    """
    rules = data.deepchecks
    if rules is None:
        return (), ()
    try:
        python = environment(tool)
        with tempfile.TemporaryDirectory(prefix="assay-deepchecks-") as scratch:
            request = make_request(data, rules, sides, task, seed=tool.seed)
            result = _run_script(tool, python, Path(scratch), request)
    except NotRunError as why:
        return (), tuple(not_run(suite, "/".join(sides), str(why)) for suite in rules.suites)
    return read_result(result, rules, {name: side.rows.count for name, side in sides.items()})


def make_request(
    data: Data, rules: Deepchecks, sides: Mapping[str, Side], task: Task | None, *, seed: int
) -> dict[str, Any]:
    """What the script is told: files and their columns, roles, suites, and which checks are on."""
    label = data.label if any(side.has(data.label) for side in sides.values()) else None
    first = next(iter(sides.values()))
    return {
        "files": {
            name: {
                "path": str(side.rows.table.path.resolve()),
                "format": side.rows.table.format.value,
                "delimiter": _delimiter(side),
                "number": _unused(side),
                "columns": {column.name: column.type for column in side.rows.columns},
            }
            for name, side in sides.items()
        },
        "suites": list(rules.suites),
        "checks": {name: it is not Severity.OFF for name, it in rules.checks.items()},
        "seed": seed,
        "max_rows": rules.max_rows,
        "label": label,
        "id": data.id if first.has(data.id) else None,
        "label_type": _label_type(first, label, task),
        "categorical": [
            name
            for name, profile in first.profiles.items()
            if profile.kind in {"text", "boolean"} and name not in {label, data.id}
        ],
    }


def _delimiter(side: Side) -> str | None:
    table = side.rows.table
    return csv_header(table.path)[0] if table.format is Format.CSV else None


def _unused(side: Side) -> str:
    name = "row"
    while any(column.name.lower() == name for column in side.rows.table.columns):
        name += "_"
    return name


def _label_type(side: Side, label: str | None, task: Task | None) -> str | None:
    if label is None or label not in side.profiles:
        return None
    profile = side.profiles[label]
    if not has_classes(profile, task):
        return "regression"
    return "binary" if profile.distinct <= 2 else "multiclass"


def _run_script(
    tool: Tool, python: Path, scratch: Path, request: Mapping[str, Any]
) -> dict[str, Any]:
    asked, answered = scratch / "request.json", scratch / "result.json"
    asked.write_text(json.dumps(request), encoding="utf-8")
    variables = {
        "MPLCONFIGDIR": str(scratch),
        "PYTHONWARNINGS": "ignore",
        "DISABLE_DEEPCHECKS_ANONYMOUS_TELEMETRY": "true",
    }
    tool.say(f"Running deepchecks' {' and '.join(request['suites'])} ...")
    run_script(
        tool,
        python,
        SCRIPT,
        [asked, answered],
        seconds=_RUN_SECONDS,
        what="it failed",
        variables=variables,
    )
    try:
        result = json.loads(answered.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise NotRunError("it left no result") from None
    if not isinstance(result, dict):
        raise NotRunError("its result cannot be read")
    return result


def read_result(
    result: Mapping[str, Any], rules: Deepchecks, rows: Mapping[str, int]
) -> tuple[tuple[str, ...], tuple[Finding, ...]]:
    """Turn the script's result into the names of checks that ran and into findings; pure."""
    ran: dict[str, None] = {}
    findings: list[Finding] = []
    for entry in result.get("checks", []):
        name, dataset = str(entry["check"]), str(entry.get("dataset", "train/test"))
        state = entry["state"]
        if state == "not-run":
            findings.append(not_run(name, dataset, str(entry.get("reason"))))
        if state != "ran":
            continue
        ran[PREFIX + name] = None
        for condition in entry.get("conditions", []):
            said = f"{condition['name']}: {condition['details']}"
            if condition["category"] in _FOUND:
                findings.append(_failed(name, dataset, said + _sampled(rules, rows)))
            elif condition["category"] != "PASS":
                findings.append(not_run(name, dataset, said))
    asked = [name for name, severity in rules.checks.items() if severity is not Severity.OFF]
    seen = {str(entry["check"]) for entry in result.get("checks", [])}
    for name in (*asked, *(() if seen else rules.suites)):
        if name not in seen:
            findings.append(not_run(name, "train/test", "deepchecks does not list it"))
    return tuple(ran), tuple(findings)


def _sampled(rules: Deepchecks, rows: Mapping[str, int]) -> str:
    if all(count <= rules.max_rows for count in rows.values()):
        return ""
    return f" (in a sample of {rules.max_rows:,} rows)"


def _failed(name: str, dataset: str, message: str) -> Finding:
    return Finding(check=name, source="deepchecks", dataset=dataset, message=_short(message))


def not_run(name: str, dataset: str, reason: str) -> Finding:
    """Word the finding that a check, or a suite, was asked for and did not run."""
    return Finding(
        check=name,
        source="deepchecks",
        state="not-run",
        dataset=dataset,
        message=f"It did not run: {_short(reason)}",
    )


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= LONGEST_REASON else flat[: LONGEST_REASON - 1] + "…"
