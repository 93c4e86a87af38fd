"""How long `assay --version` takes against `mlflow --version`, both installed and warm.

Run with `make bench`, or alone: .venv/bin/python bench/startup.py
"""

from __future__ import annotations

import sys
from pathlib import Path

from side_by_side import alternate, command, pair_ratios

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Time both commands in turn and print the ratio."""
    assay = [str(ROOT / "toolkit/bin/assay"), "--version"]
    mlflow = [str(Path(sys.executable).parent / "mlflow"), "--version"]
    timings = alternate(
        {"mlflow --version": command(mlflow), "assay --version": command(assay)}, runs=9
    )
    for timing in timings:
        print(timing)
    low, median, high = pair_ratios(*timings)
    print(f"assay starts {median:.0f} times faster (pairs: {low:.0f} to {high:.0f}; wanted: 30)")


if __name__ == "__main__":
    main()
