"""``assay status``: what serves here, and what is on its way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from assay.cli.chosen import state_folder, state_option, target_option
from assay.cli.options import json_option, model_option


@click.command()
@target_option
@model_option
@state_option
@json_option
def status(target: str | None, model: str | None, state: Path | None, as_json: bool) -> None:
    """Ask the controller of this host what serves, what is on its way, and what troubles it.

    It answers from memory, over its Unix socket, in well under a second; no network is asked.
    Exits 3 where no controller answers.

    \b
    Examples:
      assay status
      assay status --target production --json
    """
    from assay.rollout.controller.talk import ask

    found = ask(state_folder(state, model, target), {"do": "status"})
    click.echo(json.dumps(found, indent=2, sort_keys=True) if as_json else described(found))


def described(found: dict[str, Any]) -> str:
    """Return the status for a person."""
    stable = found["stable"]
    known = "acknowledged" if found["acknowledged"] else "not acknowledged yet"
    lines = [
        f"{found['model']} on {found['target']}: "
        + (f"{stable[:12]} serves" if stable else "nothing serves")
        + f", route {found['generation']} {known}",
        *_traffic(found),
        *_rollout(found["rollout"]),
    ]
    if found["returning"]:
        lines.append(f"going back to {found['returning'][:12]} as soon as it is ready")
    if found["barred"]:
        lines.append("barred: " + ", ".join(digest[:12] for digest in found["barred"]))
    journal = found["journal"]
    lines.append(
        f"journal: {found['decisions']} decisions, {journal['pushed']} on the branch "
        f"({journal['state']}); epoch {found['epoch']}"
    )
    lines += _look(found.get("look"))
    lines += [f"trouble ({name}): {why}" for name, why in sorted(found["trouble"].items())]
    lines += [f"alert: {sentence}" for sentence in found["alerts"]]
    if found["recent"]:
        last = found["recent"][-1]
        lines.append(f"last: {last['wall_time']} {last['kind']}: {last['sentence']}")
    return "\n".join(lines)


def _look(look: dict[str, Any] | None) -> list[str]:
    """What the last look at production found."""
    if look is None:
        return []
    lines = [f"look at {look['at']}: {look['state']}, {look['sentence']}"]
    return lines + [
        f"  {'urgent' if one['severity'] == 'block' else 'warning'} {one['key']}: {one['sentence']}"
        for one in look["problems"]
    ]


def _traffic(found: dict[str, Any]) -> list[str]:
    lines = []
    for digest, one in sorted(found["versions"].items()):
        share = found["weights"].get(digest, 0) / 100
        ready = "ready" if one["ready"] else "not ready"
        detail = f": {one['detail']}" if one["detail"] else ""
        lines.append(
            f"  {digest[:12]}  {share:g} %  {ready}, {one['active']} in flight, "
            f"{one['restarts']} restarts{detail}"
        )
    return lines


def _rollout(rollout: dict[str, Any] | None) -> list[str]:
    if rollout is None:
        return []
    state = rollout["held"] or ("paused" if rollout["paused"] else "going on")
    place = f"step {rollout['step'] + 1}, {rollout['share'] * 100:g} %"
    times = f"{rollout['baked']:.0f} s here, {rollout['elapsed']:.0f} s in all"
    version = f"{rollout['candidate'][:12]} ({rollout['strategy']})"
    return [f"on its way: {version}, {place}, {times}: {state}"]
