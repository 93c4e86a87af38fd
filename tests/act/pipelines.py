"""The toy with a DVC pipeline whose skill lies outside the repository, as new data does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from .conftest import StartGated
from .gating import TOY, Gated

PIPELINE = """\
stages:
  train:
    cmd: python3 train.py
    always_changed: true
    outs: [predictions.csv]
"""


def with_dvc() -> dict[str, str]:
    """An environment with the dvc of the development environment on its PATH, behind the rest."""
    path = os.pathsep.join((os.environ["PATH"], str(Path(sys.executable).parent)))
    return {**os.environ, "PATH": path}


def start_piped(start_gated: StartGated, folder: Path, settings: str) -> tuple[Gated, Path]:
    """Start on a main whose skill is 800, with ``settings`` at the end of its model's section.

    Returns the file that holds the skill as well.
    """
    feed = folder / "feed.txt"
    feed.write_text("800\n")
    training = (TOY / "train.py").read_text().replace('Path("skill.txt")', f'Path("{feed}")')
    config = (TOY / "assay.yaml").read_text()
    config = config.replace("python3 train.py}", "dvc repro}").replace('"*.txt"', '"dvc.*"')
    files: dict[str, str | bytes] = {
        "assay.yaml": config + settings,
        "train.py": training,
        "dvc.yaml": PIPELINE,
        ".gitignore": "/predictions.csv\n",
    }
    gated = start_gated(files, environ=with_dvc())
    root = gated.consumer.root
    for command in (
        "dvc init --quiet",
        f"dvc remote add --quiet --default store {folder}/store",
        "dvc repro --quiet",
        "dvc push --quiet",
    ):
        subprocess.run(command.split(), cwd=root, env=with_dvc(), check=True, capture_output=True)
    gated.consumer.commit(message="pipeline")
    gated.harness.fetch()
    return gated, feed
