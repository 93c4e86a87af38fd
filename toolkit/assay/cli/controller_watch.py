"""How a controller starts its looks: `assay monitor` and `assay notify`, as children."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assay.cli.chosen import Chosen
    from assay.rollout.controller.watching import Looking

_TOOLKIT = Path(__file__).resolve().parents[2]
_START = "import sys; sys.path.insert(0, sys.argv.pop(1)); from assay.__main__ import main; main()"
_TELLING = ("ASSAY_WEBHOOK", "ASSAY_PUSHGATEWAY", "ASSAY_TEXTFILE", "ASSAY_ISSUES",
            "ASSAY_GITHUB_TOKEN")  # fmt: skip
_KEPT = ("ASSAY_CACHE", "ASSAY_LOG_FORMAT")
_HOUR = 3600.0


def looking_of(chosen: Chosen, config: Path) -> Looking | None:
    """Return how looks are taken; None for a model that is not watched.

    A look is taken each window, and each `alerts.look_every` where that is shorter.
    """
    from assay.monitoring.sources import is_elsewhere
    from assay.rollout.controller.watching import Looking

    monitoring = chosen.model.monitoring
    if monitoring is None:
        return None
    folder, home = chosen.state / "looks", chosen.state / "monitor"
    here = (sys.executable, "-I", "-c", _START, _TOOLKIT.as_posix())
    elsewhere = is_elsewhere(monitoring)
    start = ((_TOOLKIT / "bin" / "assay").as_posix(),) if elsewhere else here
    other = {"ASSAY_ENVIRONMENT": "sources"} if elsewhere else {}
    named = ("--config", config.absolute().as_posix(), "--model", chosen.model_name)
    found = ("--evidence", folder.as_posix())

    def command(serving: str | None) -> tuple[str, ...]:
        state = ("--state", (home / "look").as_posix())
        bundle = chosen.state / "releases" / (serving or "")
        known = serving is not None and any(
            (bundle / "evidence" / chosen.model_name / name).is_file()
            for name in ("reference.json", "comparison.json")
        )
        reference = ("--reference", bundle.as_posix()) if known else ()
        own = ("--controller", f"{chosen.target_name}={chosen.state.as_posix()}")
        return (*start, "monitor", *named, *state, *found, *own, *reference, "--exit-zero")

    alerts = monitoring.alerts
    told = ("--state", (home / "told").as_posix())
    return Looking(
        command=command,
        folder=folder,
        model=chosen.model_name,
        every=min(monitoring.window, alerts.look_every if alerts else _HOUR),
        tell=(*here, "notify", *named, *told, *found) if alerts else (),
        environ=_environ(_KEPT) | other,
        telling_environ=_environ((*_KEPT, *_TELLING)),
    )


def _environ(kept: tuple[str, ...]) -> dict[str, str]:
    """What a child inherits: nothing that would set its options, and no token it need not have."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("ASSAY_") or name in kept
    }
