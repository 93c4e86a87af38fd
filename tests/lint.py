"""Runs every static check of the project, shows what failed, and ends with one line each."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "toolkit"))

from assay.act.tools import Toolbox  # noqa: E402 -- the path above comes first

BIN = Path(sys.executable).parent
WORKFLOWS = sorted(
    str(path.relative_to(ROOT))
    for folder in (".github/workflows", "template-repo/.github/workflows")
    for path in (ROOT / folder).glob("*.yml")
)
ACTIONS = ["action.yml", *(str(p.relative_to(ROOT)) for p in ROOT.glob("actions/*/action.yml"))]
SCHEMA = "docs/assay.schema.json"


def checks() -> dict[str, list[str]]:
    """Return the command line of every check, by its name."""
    python = ["toolkit", "tests", "bench", ".github/release.py"]
    return {
        "ruff": [f"{BIN}/ruff", "check", "--quiet", *python],
        "ruff format": [f"{BIN}/ruff", "format", "--check", "--quiet", *python],
        "mypy": [f"{BIN}/mypy", "-p", "assay"],
        "import-linter": [f"{BIN}/lint-imports", "--no-cache"],
        "actionlint": [str(Toolbox.of(ROOT, os.environ, print).actionlint()), "-color", *WORKFLOWS],
        "zizmor": [
            f"{BIN}/zizmor", "--offline", "--quiet", "--no-progress", ".github", "actions",
            "action.yml", "template-repo/.github",
        ],
        "schema of workflows": [
            f"{BIN}/check-jsonschema", "--builtin-schema", "vendor.github-workflows", *WORKFLOWS,
        ],
        "schema of actions": [
            f"{BIN}/check-jsonschema", "--builtin-schema", "vendor.github-actions", *ACTIONS,
        ],
        "schema of assay.yaml": [
            f"{BIN}/check-jsonschema", "--schemafile", SCHEMA, "template-repo/assay.yaml",
        ],
        "the schema itself": [f"{BIN}/check-jsonschema", "--check-metaschema", SCHEMA],
    }  # fmt: skip


def main() -> int:
    """Run the checks; return 1 where one failed."""
    environment = {**os.environ, "MYPYPATH": "toolkit", "PYTHONPATH": "toolkit"}
    failed = []
    for name, command in checks().items():
        started = time.monotonic()
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            failed.append(name)
            print(done.stdout, done.stderr, sep="", end="")
        state = "FAILED" if done.returncode else "ok"
        print(f"{name}: {state} ({time.monotonic() - started:.1f} s)", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
