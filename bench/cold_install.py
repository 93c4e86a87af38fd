"""Bytes and time of installing what the gate needs, against dvc + mlflow + deepchecks.

Both sides are installed by the same uv from hashed locks into empty environments with empty
caches, in turn. Run with `make bench`, or alone: .venv/bin/python bench/cold_install.py
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from side_by_side import alternate, pair_ratios

ROOT = Path(__file__).resolve().parents[1]
UV = ROOT / "toolkit/bin/uv"


def install(lock: str, folder: Path) -> int:
    """Install a lock file into an empty environment and return its size in bytes."""
    shutil.rmtree(folder, ignore_errors=True)
    environment, cache = folder / "environment", folder / "cache"
    # Links into the cache would hide bytes: both sides copy.
    env = {**os.environ, "UV_CACHE_DIR": str(cache), "UV_LINK_MODE": "copy"}
    run = [str(UV), "venv", "--quiet", "--no-project", "--python", "3.11", str(environment)]
    subprocess.run(run, env=env, check=True)
    python = str(environment / "bin/python")
    run = [str(UV), "pip", "sync", "--quiet", "--require-hashes", "--python", python]
    subprocess.run([*run, str(ROOT / "requirements" / lock)], env=env, check=True)
    return sum(path.lstat().st_size for path in (environment / "lib").rglob("*") if path.is_file())


def main() -> None:
    """Install both sides three times each and print the shares."""
    sizes: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as scratch:

        def side(lock: str) -> None:
            sizes[lock] = install(lock, Path(scratch) / lock)

        timings = alternate(
            {
                "assay": lambda: side("toolkit.txt"),
                "dvc + mlflow + deepchecks": lambda: side("bench.txt"),
            },
            runs=3,
            warm_up=0,
        )
    ours, theirs = sizes["toolkit.txt"], sizes["bench.txt"]
    for timing in timings:
        print(timing)
    share = f"{ours / theirs:.0%} (wanted: 45 %)"
    print(f"bytes: {ours / 1e6:.0f} MB against {theirs / 1e6:.0f} MB: {share}")
    low, median, high = pair_ratios(*timings)
    print(f"time: {median:.0%} (pairs: {low:.0%} to {high:.0%}; wanted: 45 %)")


if __name__ == "__main__":
    main()
