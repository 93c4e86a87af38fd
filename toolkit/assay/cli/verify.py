"""``assay verify``: is this evidence, or this bundle, what it says it is?"""

from __future__ import annotations

from pathlib import Path

import click

from assay.cli.options import config_option
from assay.cli.trust import keys_option


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
@click.option(
    "--bundle",
    type=click.Path(path_type=Path, file_okay=False),
    help="Check this bundle instead.",
)
@keys_option
@click.option(
    "--repository",
    metavar="OWNER/NAME",
    help="Whose model the bundle must be. Default: anyone's whose signer is trusted.",
)
@config_option
def verify(
    evidence: Path,
    replay: bool,
    bundle: Path | None,
    keys: tuple[Path, ...],
    repository: str | None,
    config: Path,
) -> None:
    """Check that evidence matches its digests, and that its verdict is what it replays to.

    EVIDENCE is the folder that holds plan.json (default: .assay/evidence). Exits 0 where
    everything matches, 4 where a file is not what the evidence was made from or the replay comes
    out differently, and 2 where there is no evidence.

    With --bundle it checks a bundle, offline: every file, the signature and whose it is, the
    repository, and that the model is the one that the verdict in it was about. Exits 4, with the
    reason, for one that is half, unsigned, altered, a stranger's or another repository's.
    """
    from assay.cli.console import console, printable
    from assay.gate.replay import replay_differences
    from assay.gate.verify import verify as check

    screen = console()
    if bundle is not None:
        for line in _bundle_lines(bundle, keys, config, repository):
            screen.print(printable(line), soft_wrap=True)
        return
    found = check(evidence)
    screen.print(f"{found.documents} documents and {found.digests} digests are right.")
    if replay:
        screen.print(replay_differences(evidence))


def _bundle_lines(
    folder: Path, keys: tuple[Path, ...], config: Path, repository: str | None
) -> list[str]:
    from assay.cli.trust import trusted
    from assay.packaging.verify import verified

    trust = trusted(keys, config)
    found = verified(folder, trust, repository)
    made = found.bundle
    lines = [
        f"{made.model} of {made.repository}, tree {made.tree[:12]}: all files are right",
        f"verdict: {made.verdict.state.value}: {made.verdict.sentence}",
        f"signed by {found.signer.kind} {found.signer.name} ({found.signer.identity[:64]})",
        f"artifact digest: {found.artifact_digest}",
    ]
    if found.signer.kind == "keyless":
        from assay.packaging.bundle import SIGNATURE
        from assay.packaging.keyless import signed_at, trusted_root

        _, newest = trusted_root(trust.trusted_root)
        when = signed_at(folder / SIGNATURE)
        lines.append(
            f"recorded {when:%Y-%m-%d %H:%M} UTC; " if when else "recorded at an unknown time; "
        )
        lines[-1] += f"the newest authority of the root of trust is of {newest:%Y-%m-%d}."
    return lines
