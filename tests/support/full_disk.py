"""A controller on a disk that fills up in the middle of a rollout: run as a program by its test.

Its folder is a small tmpfs, so the kernel itself says ENOSPC. Prints one JSON object.
"""

from __future__ import annotations

import errno
import json
import sys
from pathlib import Path

from assay.config.strategy import Step
from assay.evidence import Cause
from assay.rollout.records import Order
from assay.state import chain_in
from support.controllers import CANARY, V1, V2, Rig
from support.fake_target import FakeTarget

SLOW = CANARY.model_copy(
    update={
        "steps": (
            Step(weight=0.1, bake=20, requests=100),
            Step(weight=0.5, bake=20, requests=100),
        )
    }
)


def main(folder: Path) -> None:
    """Roll out, fill the disk, go back on it, restart on it, free it."""
    rig = Rig(folder=folder, target=FakeTarget())
    rig.deploy(V1)
    rig.send("deploy", V2, strategy=SLOW)
    rig.ticks(4)
    found: dict[str, object] = {"canary": rig.target.weights}
    ballast = folder / "ballast"
    found["errno"] = fill(ballast)
    # Appends without any room left over: until the log takes only what is reserved.
    for _ in range(200):
        rig.controller.order(Order(kind="pause", by="cat", cause=Cause.HAND))
        rig.ticks()
        if rig.controller.trouble:
            break
    found["trouble"] = rig.controller.trouble
    rig.ticks(60)
    found["held"] = rig.target.weights
    rig.controller.order(Order(kind="rollback", by="cat", cause=Cause.HAND))
    rig.ticks(3)
    found["back"] = rig.target.weights
    found["kind"] = rig.kinds()[-1]
    found["unwritten"] = rig.store.unwritten
    rig = rig.again()
    rig.ticks(3)
    found["again"] = [rig.kinds()[-1], rig.target.weights]
    ballast.unlink()
    rig.ticks(3)
    rig.send("deploy", V2)
    rig.ticks(3)
    chain = chain_in((folder / "state/journal.jsonl").read_bytes(), file="journal.jsonl")
    found["chain"] = len(chain) == len(rig.links) and rig.store.unwritten == 0
    found["last"] = rig.sentences()[-1]
    print(json.dumps(found))


def fill(ballast: Path) -> str:
    """Write until there is no space; return what the system says."""
    with ballast.open("wb", buffering=0) as stream:
        for size in (4096, 1):
            try:
                while True:
                    stream.write(b"x" * size)
            except OSError as error:
                said = errno.errorcode[error.errno or 0]
    return said


if __name__ == "__main__":
    main(Path(sys.argv[1]))
