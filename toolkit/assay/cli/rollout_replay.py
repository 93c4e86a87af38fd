"""``assay rollout replay``: make a decision again from its evidence."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument(
    "files", type=click.Path(path_type=Path, exists=True, dir_okay=False), nargs=-1, required=True
)
def replay(files: tuple[Path, ...]) -> None:
    """Make online decisions again from their evidence, and compare byte for byte.

    FILES are documents of schema assay/online/1, as the controller keeps them by their digest.
    Each is looked at and decided again from its counts and label sums, by the rules that it holds;
    nothing else is read.

    \b
    assay rollout replay evidence/*.json

    Exit codes: 0 all come out the same; 4 one does not, or is no such document.
    """
    from assay.cli.console import printable
    from assay.errors import IntegrityError, Location
    from assay.evidence import OnlineEvidence
    from assay.rollout.looks import replay as again

    for path in files:
        text = path.read_text(encoding="utf-8", errors="replace")
        found = OnlineEvidence.parse(text, file=path.as_posix())
        if again(found).to_json() != text:
            raise IntegrityError(
                "decided again from its counts, this comes out differently.",
                where=Location(file=path.as_posix()),
                remedy="It was altered, or another version of Assay wrote it: compare "
                "`assay --version` with the controller's.",
            )
        click.echo(f"{found.digest()[:12]}  {printable(found.move.sentence)}")
    click.echo("Every decision comes out byte for byte the same.")
