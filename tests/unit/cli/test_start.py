"""What starting costs: nothing heavy is imported before a command needs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from assay.__main__ import spare_the_cache
from assay.cli import COMMANDS

TOOLKIT = Path(__file__).resolve().parents[3] / "toolkit"
HEAVY = {
    *("numpy", "scipy", "duckdb", "ibis", "sqlglot", "mlflow", "sqlalchemy", "pandas", "sklearn"),
    *("pyarrow", "github", "requests", "pydantic", "yaml", "statsmodels"),
}
ROOMS = {
    f"assay.{room}"
    for room in (
        *("config", "evidence", "git", "tables", "stats", "verdict", "report", "checks"),
        *("comparison", "training", "github", "registry", "gate", "act"),
    )
}
SCRIPT = """
import json, sys
from assay.__main__ import main
sys.argv = ["assay", *json.loads(sys.argv[1])]
try:
    main()
except SystemExit as leave:
    assert not leave.code, leave.code
finally:
    print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""


def modules_after(*arguments: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps(arguments)],
        env={**os.environ, "PYTHONPATH": str(TOOLKIT)},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(done.stderr))


def test_the_version_imports_nothing() -> None:
    found = modules_after("--version")
    assert not (HEAVY | ROOMS | {"click", "rich", "assay.cli", "assay.errors"}) & found


def test_the_help_imports_no_room() -> None:
    found = modules_after("--help")
    assert not (HEAVY | ROOMS | {"rich"}) & found


def test_the_help_of_a_command_imports_nothing_heavy() -> None:
    script = """
import json, sys
from assay.cli.edge import run
for name in json.loads(sys.argv[1]):
    before = set(sys.modules)
    assert run([name, "--help"]) == 0
    print(json.dumps([name, sorted(set(sys.modules) - before)]), file=sys.stderr)
"""
    done = subprocess.run(
        [sys.executable, "-c", script, json.dumps(list(COMMANDS))],
        env={**os.environ, "PYTHONPATH": str(TOOLKIT)},
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = dict(json.loads(line) for line in done.stderr.splitlines())
    heavy = {name: sorted(HEAVY & set(modules)) for name, modules in loaded.items()}
    assert heavy == {name: [] for name in COMMANDS}


def test_a_comparison_does_without_what_is_slow_to_import(tmp_path: Path) -> None:
    for side in ("base", "head"):
        rows = "id,y_true,y_pred\n" + "".join(f"{n},{n % 2},{n % 2}\n" for n in range(50))
        (tmp_path / f"{side}.csv").write_text(rows)
    files = [str(tmp_path / f"{side}.csv") for side in ("base", "head")]
    found = modules_after("compare", *files, "--evidence", str(tmp_path / "evidence"))
    assert not {"scipy.stats", "pandas", "pyarrow", "sqlglot", "mlflow", "github"} & found


def test_a_disk_without_room_gets_no_bytecode(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    spare_the_cache(Path("/does/not/exist"))
    spare_the_cache()
    assert not sys.dont_write_bytecode
    full = os.statvfs_result((4096, 4096, 100, 10, 10, 9, 9, 9, 0, 255))
    monkeypatch.setattr(os, "statvfs", lambda _: full)
    spare_the_cache()
    assert sys.dont_write_bytecode
