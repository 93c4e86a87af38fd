"""``assay rollout replay``: make a decision again from its evidence."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from assay.evidence import Document


@click.command()
@click.argument(
    "files", type=click.Path(path_type=Path, exists=True, dir_okay=False), nargs=-1, required=True
)
def replay(files: tuple[Path, ...]) -> None:
    """Make online decisions again from their evidence, and compare byte for byte.

    FILES are documents of schema assay/online/1, as the controller keeps them by their digest, and
    load tests (assay/load/1), as staging leaves them. Each is looked at and decided again from its
    counts, label sums or rounds, by the rules that it holds; nothing else is read.

    \b
    assay rollout replay evidence/*.json load.json

    Exit codes: 0 all come out the same; 4 one does not, or is no such document.
    """
    from assay.cli.console import printable
    from assay.errors import IntegrityError, Location

    for path in files:
        text = path.read_text(encoding="utf-8", errors="replace")
        again, sentence = _decided_again(text, path.as_posix())
        if again.to_json() != text:
            raise IntegrityError(
                "decided again from its counts, this comes out differently.",
                where=Location(file=path.as_posix()),
                remedy="It was altered, or another version of Assay wrote it: compare "
                "`assay --version` with the controller's.",
            )
        click.echo(f"{again.digest()[:12]}  {printable(sentence)}")
    click.echo("Every decision comes out byte for byte the same.")


def _decided_again(text: str, file: str) -> tuple[Document, str]:
    from assay.evidence import LoadTest, OnlineEvidence
    from assay.rollout import looks, staging

    if f'"schema": "{LoadTest.SCHEMA}"' in text:
        tested = staging.replay(LoadTest.parse(text, file=file))
        return tested, tested.sentence
    decided = looks.replay(OnlineEvidence.parse(text, file=file))
    return decided, decided.move.sentence
