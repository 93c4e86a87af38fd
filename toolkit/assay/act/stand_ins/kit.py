"""What every stand-in needs: its inputs, where the store is, how to answer and how to fail."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

PREFIX = "STAND_IN_"


class Failed(Exception):
    """The step fails with this message."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of a job: its inputs as text, and what the runner tells of it.

    ``store`` is the harness's folder (``ASSAY_ACT_STORE``) with ``git/``, ``artifacts/`` and
    ``cache/``; ``github`` holds the variables that begin with ``GITHUB_``.
    """

    inputs: Mapping[str, str]
    store: Path
    workspace: Path
    github: Mapping[str, str] = field(default_factory=dict)

    def text(self, name: str) -> str:
        return self.inputs.get(name, "").strip()

    def flag(self, name: str) -> bool:
        """Whether an input is the word true."""
        return self.text(name).lower() == "true"

    def lines(self, name: str) -> list[str]:
        return [line.strip() for line in self.text(name).splitlines() if line.strip()]

    def place(self, path: str) -> Path:
        """A path of an input, made absolute from the workspace, with ``~`` expanded."""
        return Path(self.workspace, Path(path).expanduser())


Action = Callable[[Step], Mapping[str, str]]
"""Does a step's work and returns its outputs; prints what a reader of the log wants to know."""


def step_from(environ: Mapping[str, str]) -> Step:
    """The step that an action's ``env:`` block and the runner describe."""
    inputs = {
        name.removeprefix(PREFIX).lower().replace("_", "-"): value
        for name, value in environ.items()
        if name.startswith(PREFIX)
    }
    if not environ.get("ASSAY_ACT_STORE"):
        raise Failed("ASSAY_ACT_STORE is not set: stand-ins work under assay act only")
    return Step(
        inputs=inputs,
        store=Path(environ["ASSAY_ACT_STORE"]),
        workspace=Path(environ["GITHUB_WORKSPACE"]).resolve(),
        github={name: value for name, value in environ.items() if name.startswith("GITHUB_")},
    )


def run(name: str, action: Action) -> None:
    """Run an action for this process's environment, and end the process if it fails."""
    try:
        outputs = action(step_from(os.environ))
    except Failed as error:
        print(f"::error title={name} (stand-in)::{error}")
        sys.exit(1)
    with Path(os.environ["GITHUB_OUTPUT"]).open("a", encoding="utf-8") as out:
        for key, value in outputs.items():
            out.write(f"{key}={value}\n")
