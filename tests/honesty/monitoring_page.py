"""Write docs/honesty/monitoring.md: what monitoring is promised to do, and what it was seen to do.

Run from the repository: .venv/bin/python tests/honesty/monitoring_page.py --processes 2
One part of it: --part quiet
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "toolkit")]

from honesty import apart_part, change_part, estimates_part, quiet_part  # noqa: E402

PAGE = ROOT / "docs/honesty/monitoring.md"
Section = Callable[[ProcessPoolExecutor, float], tuple[str, list[str]]]
PARTS: dict[str, tuple[str, Section]] = {
    "quiet": ("How often does it cry wolf?", quiet_part.section),
    "apart": ("What do all features together show?", apart_part.section),
    "change": ("How many labels does a drop take?", change_part.section),
    "estimates": ("Do estimates hold what the labels show?", estimates_part.section),
}
NOT_RUN = "**Not run at its full size yet: this promise is not shown to be kept.**"
_HEAD = "# How honest is monitoring?\n\nMade by `.venv/bin/python tests/honesty/monitoring_page.py`"


def written(part: str, text: str, broken: list[str]) -> str:
    """A part of the page, with what it does not show to be kept."""
    heading, _ = PARTS[part]
    kept = f"**Promises that this does not show to be kept: {'; '.join(broken) or 'none'}.**"
    return f"## {heading}\n\nCommand: `--part {part}`. {kept}\n\n{text}\n"


def not_run(part: str) -> str:
    """A part of the page that nobody has run yet: nothing is shown, and that is said."""
    return f"## {PARTS[part][0]}\n\nCommand: `--part {part}`. {NOT_RUN}\n"


def parts_of(page: str) -> dict[str, str]:
    """The parts that a page holds, by their names."""
    names = {heading: name for name, (heading, _) in PARTS.items()}
    found = {}
    for piece in page.split("\n## ")[1:]:
        heading = piece.partition("\n")[0]
        if heading in names:
            found[names[heading]] = f"## {piece.rstrip()}\n"
    return found


def main() -> int:
    """Simulate what is asked for, and write the page; other parts stay as they were."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--scale", type=float, default=1.0, help="of the sizes; below 1 to try")
    parser.add_argument("--part", choices=[*PARTS], action="append")
    given = parser.parse_args()
    faults = []
    made = {}
    with ProcessPoolExecutor(given.processes) as pool:
        for part in given.part or PARTS:
            text, broken = PARTS[part][1](pool, given.scale)
            made[part] = written(part, text, broken)
            faults += broken
    before = parts_of(PAGE.read_text(encoding="utf-8")) if PAGE.exists() else {}
    pieces = {part: made.get(part, before.get(part, not_run(part))) for part in PARTS}
    page = "\n".join([f"{_HEAD}, a part by its `--part`.\n", *pieces.values()])
    PAGE.write_text(page, encoding="utf-8")
    print(page)
    return len(faults)


if __name__ == "__main__":
    sys.exit(main())
