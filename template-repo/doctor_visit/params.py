"""The parameters of a stage, from params.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml


def read_params(stage: str, path: Path = Path("params.yaml")) -> dict[str, Any]:
    """Return the section of params.yaml that the stage declares in dvc.yaml."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))[stage]
