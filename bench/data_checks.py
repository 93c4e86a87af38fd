"""Data checks of one million rows and 26 columns: `assay check-data` against deepchecks.

Both sides read the same two Parquet files (1,000,000 training and 250,000 test rows) in processes
of their own, start-up included. deepchecks runs its data_integrity and train_test_validation
suites as they come, on every row it is given (it samples inside); ours are all checks, a frozen
schema and drift included. Prints both times, the ratio and both sides' peak memory; exits 1 where
the ratio is below 20. deepchecks' environment is installed first and not counted.

    python bench/data_checks.py [--rows N] [--keep FOLDER]
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "toolkit"))

from assay.checks.deepchecks import Tool, environment  # noqa: E402 -- the path comes first

TARGET = 20.0
REALS, WHOLES, TEXTS = 14, 4, 5
CONFIG = """\
version: 1
models:
  bench:
    predictions: predictions.parquet
    gates: {accuracy: {margin: 0.01}}
    data: {train: train.parquet, test: test.parquet, id: id, label: label}
"""


def make_files(folder: Path, rows: int) -> dict[str, str]:
    """Write train.parquet and test.parquet; return the columns and their types."""
    reals = ", ".join(f"(random() + random() - 1) * {n + 1} AS real{n}" for n in range(REALS))
    wholes = ", ".join(f"CAST(random() * {10 ** (n + 1)} AS BIGINT) AS n{n}" for n in range(WHOLES))
    texts = ", ".join(
        f"'t' || CAST(random() * {5 * n + 5} AS INT) AS text{n}" for n in range(TEXTS)
    )
    query = (
        f"SELECT range AS id, {reals}, {wholes}, {texts}, "  # noqa: S608 -- all of it stands here
        "DATE '2024-01-01' + CAST(random() * 700 AS INT) AS day, "
        "CAST(random() < 0.3 AS BIGINT) AS label FROM range(?, ?)"
    )
    with duckdb.connect() as connection:
        connection.execute("SET threads = 1; SELECT setseed(0.42)").fetchall()
        for name, first, last in (("train", 0, rows), ("test", rows, rows + rows // 4)):
            made = connection.sql(query, params=[first, last])
            made.write_parquet((folder / f"{name}.parquet").as_posix())
        return {name: str(kind) for name, kind in zip(made.columns, made.types, strict=True)}


def timed(command: list[str], folder: Path, variables: dict[str, str]) -> tuple[float, float]:
    """Run a command; return its seconds and its peak memory in MB. Fails where it fails."""
    started = time.monotonic()
    process = subprocess.Popen(
        command, cwd=folder, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    _, errors = process.communicate()
    seconds = time.monotonic() - started
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{errors.decode(errors='replace')[-2000:]}")
    return seconds, peak_of_children()


def peak_of_children() -> float:
    """Peak resident memory of the largest child that ended so far, in MB."""
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def ours(folder: Path) -> tuple[float, float]:
    """Freeze a schema, then time the checks."""
    variables = {**os.environ, "PYTHONPATH": str(ROOT / "toolkit")}
    command = [sys.executable, "-m", "assay", "check-data"]
    timed([*command, "--freeze"], folder, variables)
    return timed(command, folder, variables)


def theirs(
    folder: Path, columns: dict[str, str], rows: int
) -> tuple[float, float, dict[str, float]]:
    """Time deepchecks' two suites on every row of the same files."""
    tool = Tool(
        uv=str(ROOT / "toolkit/bin/uv"),
        lock=ROOT / "requirements/deepchecks.txt",
        cache=Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "assay" / "bench",
        variables=os.environ,
        say=print,
    )
    python = environment(tool)
    request = {
        "files": {
            name: {
                "path": str(folder / f"{name}.parquet"),
                "format": "Parquet",
                "delimiter": None,
                "number": "row",
                "columns": columns,
            }
            for name in ("train", "test")
        },
        "suites": ["data_integrity", "train_test_validation"],
        "checks": {},
        "seed": 0,
        "max_rows": rows,
        "label": "label",
        "id": "id",
        "label_type": "binary",
        "categorical": [name for name in columns if name.startswith("text")],
    }
    (folder / "request.json").write_text(json.dumps(request))
    script = ROOT / "toolkit/assay/checks/deepchecks_suite.py"
    command = [str(python), "-I", str(script), "request.json", "result.json"]
    variables = {**os.environ, "HOME": str(folder), "PYTHONWARNINGS": "ignore"}
    seconds, memory = timed(command, folder, variables)
    result = json.loads((folder / "result.json").read_text())
    return seconds, memory, result["seconds"]


def main() -> None:
    """Measure both sides and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--keep", type=Path, default=None, help="Keep the files in this folder.")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="assay-bench-") as scratch:
        folder = arguments.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        columns = make_files(folder, arguments.rows)
        (folder / "assay.yaml").write_text(CONFIG)
        print(f"{arguments.rows:,} + {arguments.rows // 4:,} rows x {len(columns)} columns")
        fast, small = ours(folder)
        print(f"assay check-data   {fast:8.2f} s  {small:8,.0f} MB, all rows")
        slow, large, suites = theirs(folder, columns, arguments.rows)
        split = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in suites.items())
        print(f"deepchecks 0.19.1  {slow:8.2f} s  {large:8,.0f} MB ({split}; samples inside)")
    ratio = slow / fast
    print(f"ratio {ratio:.1f} (target: at least {TARGET:.0f})")
    sys.exit(0 if ratio >= TARGET else 1)


if __name__ == "__main__":
    main()
