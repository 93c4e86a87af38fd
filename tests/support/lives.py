"""Lives of a controller that can be killed at any persisted point; each is a real process.

The target is a file that outlives them, as Envoy would. A life sends the intents of a story, one
after the other, each once nothing is on its way; the next life goes on where the last one died.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from assay.state import Signed, chain_in
from support.controllers import V1, V2, V3, Rig
from support.fake_target import FakeTarget

STORY: tuple[tuple[str, str | None], ...] = (
    ("deploy", V1),
    ("deploy", V2),
    ("deploy", V3),
    ("rollback", None),
)
"""The first version; a good one by canary; a bad one, which goes back; back by hand."""
_CONTEXT = multiprocessing.get_context("fork")


def live(folder: Path, kill_at: int, *, story: Sequence[tuple[str, str | None]] = STORY) -> int:
    """Live once; kill -9 itself at that point (0: never). Return the process's exit code."""
    process = _CONTEXT.Process(target=_life, args=(folder, kill_at, tuple(story)))
    process.start()
    process.join(60)
    assert process.exitcode is not None, "a life that does not end"
    return process.exitcode


def points_of(folder: Path) -> list[str]:
    """The points that the last whole life passed."""
    found: list[str] = json.loads((folder / "points.json").read_text())
    return found


def end_of(folder: Path) -> dict[str, Any]:
    """What must be the same wherever a life was cut off."""
    content = (folder / "state/journal.jsonl").read_bytes()
    links = chain_in(content, file="journal.jsonl")
    decisions = [
        (link.facts["kind"], link.facts["artifact_digest"], link.facts["weights"])
        for link in links
        if link.facts["kind"] != "started"
    ]
    target = FakeTarget(folder / "target.json")
    return {
        "decisions": decisions,
        "barred": links[-1].facts["barred"],
        "weights": target.weights,
        "running": sorted(target.running),
        "generation": target.applied,
        "state": json.loads((folder / "end.json").read_text()),
    }


def _life(folder: Path, kill_at: int, story: tuple[tuple[str, str | None], ...]) -> None:
    passed: list[str] = []

    def point(name: str) -> None:
        passed.append(name)
        if len(passed) == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    target = FakeTarget(folder / "target.json", bad=(V3,))
    rig = Rig(folder=folder, target=target, points=point, mail=mail_in(folder))
    for _ in range(500):
        rig.ticks()
        if not rig.controller.settled() or len(rig.mail) not in rig.store.handled:
            continue
        if len(rig.mail) == len(story):
            break
        kind, digest = story[len(rig.mail)]
        rig.send(kind, digest)
        keep_mail(folder, rig.mail[-1])
    else:
        raise AssertionError(f"the story did not end: {rig.store.state}")
    rig.ticks(3)
    state = rig.store.state
    (folder / "end.json").write_text(state.model_dump_json())
    (folder / "points.json").write_text(json.dumps(passed))


def mail_in(folder: Path) -> list[Signed]:
    """The intents that earlier lives sent."""
    found = sorted((folder / "mail").glob("*.json"))
    return [
        Signed(
            generation=number,
            content=path.read_bytes(),
            signature=path.with_suffix(".sig").read_bytes(),
        )
        for number, path in enumerate(found, start=1)
    ]


def keep_mail(folder: Path, one: Signed) -> None:
    """Keep an intent for the lives to come, whole or not at all."""
    mail = folder / "mail"
    mail.mkdir(exist_ok=True)
    (mail / f"{one.generation:03d}.sig").write_bytes(one.signature)
    fresh = mail / "new"
    fresh.write_bytes(one.content)
    fresh.replace(mail / f"{one.generation:03d}.json")
