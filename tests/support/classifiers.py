"""The classifier of multivariate drift, run by this environment's Python and scikit-learn.

The environment of its own is made from its lock in tests/heavy/test_monitoring_oracles.py.
"""

from __future__ import annotations

import hashlib
import os
import platform
import sys
from pathlib import Path

from assay.environments import Tool

LOCK = Path(__file__).resolve().parents[2] / "requirements/classifier.txt"


def ready_classifier(cache: Path) -> Tool:
    """Return a tool whose environment is there already: a program that starts this Python."""
    digest = hashlib.sha256(LOCK.read_bytes()).hexdigest()[:16]
    place = cache / f"classifier-{digest}-{platform.system()}-{platform.machine()}"
    (place / "bin").mkdir(parents=True)
    python = place / "bin/python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    (place / ".ready").touch()
    return classifier(cache, uv="no-uv")


def classifier(cache: Path, *, uv: str) -> Tool:
    """Return the tool as a look is given it."""
    return Tool(
        name="classifier",
        uv=uv,
        lock=LOCK,
        cache=cache,
        variables=os.environ,
        say=lambda _: None,
    )
