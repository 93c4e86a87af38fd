"""Lives of a controller on a real local target, each killed at its next point: run as a program.

Envoy and the scoring servers outlive them. Prints one JSON object: how many lives there were, at
which points they were killed, and how it ended.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import traceback
from pathlib import Path

from assay.config.strategy import Step
from assay.errors import OutsideError
from assay.state import chain_in
from support.controllers import CANARY, Rig
from support.lives import keep_mail, mail_in
from support.serving import local_target

BAKED = CANARY.model_copy(
    update={
        "steps": (Step(weight=0.2, bake=0, requests=20), Step(weight=0.5, bake=0, requests=20)),
        "guards": CANARY.guards.model_copy(
            update={"requests": 20, "error_rate": 0.2, "slow_share": 0.2}
        ),
        "standby": 3600,
    }
)
PATIENCE = 120.0


class Bundles(Rig):
    """Finds bundles where the test has put them."""

    def fetch(self, digest: str) -> Path:
        folder = self.folder / "bundles" / digest
        if not folder.is_dir():
            raise OutsideError("the bundle is not there.")
        return folder


def main(folder: Path) -> None:
    """Tell the story; each life dies at the first point at which none died after that decision."""
    story = json.loads((folder / "story.json").read_text())
    dying = (folder / "die").exists()
    points: list[str] = []
    lives = 0
    while True:
        lives += 1
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reader)
            code = 1
            try:
                life(folder, story, frozenset(points) if dying else None, writer)
                code = 0
            except BaseException:  # noqa: BLE001 -- os._exit would swallow it
                traceback.print_exc()
            finally:
                os._exit(code)
        os.close(writer)
        with os.fdopen(reader) as stream:
            said = stream.read()
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            points.append(said)
            continue
        assert os.WEXITSTATUS(status) == 0, "a life failed"
        break
    content = (folder / "state/journal.jsonl").read_bytes()
    links = chain_in(content, file="journal.jsonl")
    kinds = [
        (link.facts["kind"], link.facts["artifact_digest"])
        for link in links
        if link.facts["kind"] != "started"
    ]
    print(json.dumps({"lives": lives, "points": points, "decisions": kinds}))


def life(folder: Path, story: list[list[str]], died: frozenset[str] | None, writer: int) -> None:
    """Live until the story is told; with ``died``, until the first point that is not in it."""
    ready = False

    def point(name: str) -> None:
        # What a start itself writes is killed at in the other tests; here the story must go on.
        if not ready or died is None:
            return
        here = f"{len(rig.kinds())}: {name}"
        if here not in died:
            os.write(writer, here.encode())
            os.kill(os.getpid(), signal.SIGKILL)

    target = local_target(folder / "target")
    rig = Bundles(folder=folder, target=target, points=point, mail=mail_in(folder))  # type: ignore[arg-type]
    ready = True
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends:
        began = time.monotonic()
        rig.poll()
        rig.controller.tick()
        time.sleep(0.1)
        rig.time.pass_by(time.monotonic() - began)
        if not rig.controller.settled() or len(rig.mail) not in rig.store.handled:
            continue
        if len(rig.mail) == len(story):
            return
        kind, digest = story[len(rig.mail)]
        rig.send(kind, digest or None, strategy=BAKED if kind == "deploy" else None)
        keep_mail(folder, rig.mail[-1])
    raise AssertionError(f"the story did not end: {rig.store.state} {rig.controller.trouble}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
