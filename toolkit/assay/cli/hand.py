"""Orders of a person at the controller's host, over its socket, and what came of them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from assay.errors import InputError, OutsideError

WAIT = 60.0


def order(
    folder: Path,
    kind: str,
    *,
    to: str | None = None,
    reason: str | None = None,
    drill: bool = False,
    dry_run: bool = False,
) -> dict[str, Any]:
    """Give an order and print what was decided; raises InputError where it was rejected."""
    from assay.rollout.controller.talk import ask

    request = {
        "do": "order",
        "kind": kind,
        "to": to,
        "reason": reason,
        "drill": drill,
        "dry_run": dry_run,
    }
    answer = ask(folder, request, seconds=WAIT)
    if dry_run:
        for line in answer["would"] or ["nothing"]:
            click.echo(f"would {line}")
        return answer
    returning = answer["status"].get("returning")
    if returning and not answer["decisions"]:
        click.echo(f"{returning[:12]} is started, and takes all traffic as soon as it is ready")
    for decision in answer["decisions"]:
        if decision["kind"] == "rejected":
            raise InputError(str(decision["sentence"]))
        click.echo(decision["sentence"])
    return answer


def await_settled(folder: Path, *, seconds: float = WAIT) -> dict[str, Any]:
    """Wait until nothing is on its way; raises OutsideError where that takes longer."""
    from assay.rollout.controller.talk import ask

    ends = time.monotonic() + seconds
    while True:
        found = ask(folder, {"do": "status"})
        if found["settled"]:
            return found
        if time.monotonic() > ends:
            raise OutsideError(
                f"it is decided and not acknowledged after {seconds:.0f} s.",
                remedy="Look at assay status and at the target: the controller goes on trying.",
            )
        time.sleep(0.02)
