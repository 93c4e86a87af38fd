"""``assay verify``: is this evidence what it says it is?"""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument(
    "evidence",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(".assay/evidence"),
    envvar="ASSAY_EVIDENCE",
)
@click.option(
    "--replay/--no-replay",
    default=True,
    show_default=True,
    help="Also compute comparison and verdict again and compare them byte for byte.",
)
def verify(evidence: Path, replay: bool) -> None:
    """Check that evidence matches its digests, and that its verdict is what it replays to.

    EVIDENCE is the folder that holds plan.json (default: .assay/evidence). Exits 0 where
    everything matches, 4 where a file is not what the evidence was made from or the replay comes
    out differently, and 2 where there is no evidence.
    """
    from assay.cli.console import console
    from assay.gate.replay import replay_differences
    from assay.gate.verify import verify as check

    found = check(evidence)
    screen = console()
    screen.print(f"{found.documents} documents and {found.digests} digests are right.")
    if replay:
        screen.print(replay_differences(evidence))
