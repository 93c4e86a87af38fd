"""Looks whose state lies on a disk that is full, or nearly: run as a program by their test.

The first folder is a small tmpfs, so the kernel itself says ENOSPC; logs and labels are in the
second. Prints one JSON object.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from assay.errors import OutsideError
from assay.evidence import Look
from support.full_disk import fill
from support.production import Production

FREE = (0, 8_192, 24_576, 65_536)
"""Bytes that are left: a look then fails at another of its writes, or at none."""
DAYS = 4


def main(disk: Path, place: Path) -> None:
    """Look as often as there are free bytes, then with space; and calmly, elsewhere."""
    made = production(place / "made")
    (disk / "state").mkdir()
    (place / "made/state").symlink_to(disk / "state")
    before = facts(made.look(DAYS))
    made.day(DAYS, 400)
    made.label(made.rows)
    ballast, said = disk / "ballast", []
    for free in FREE:
        fill(ballast)
        with ballast.open("rb+") as stream:
            stream.truncate(ballast.stat().st_size - free)
        try:
            made.look(DAYS + 1.0)
            said.append("looked")
        except OutsideError as error:
            said.append(str(error))
    ballast.unlink()
    after = made.look(DAYS + 1.0)
    calm = production(place / "calm")
    calm.look(DAYS)
    calm.day(DAYS, 400)
    calm.label(calm.rows)
    same = facts(after) == facts(calm.look(DAYS + 1.0))
    print(json.dumps({"said": said, "same": same, "moved": facts(after) != before}))


def production(folder: Path) -> Production:
    made = Production(folder)
    for number in range(DAYS):
        made.day(number, 400)
    made.label(made.rows)
    return made


def facts(look: Look) -> str:
    """What was counted; `new` alone is of a look, and not of what was seen."""
    labels = look.labels.model_copy(update={"new": 0}) if look.labels else None
    kept = [*look.windows, *look.rules, *([labels] if labels else [])]
    return json.dumps([one.model_dump(mode="json") for one in kept], sort_keys=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
