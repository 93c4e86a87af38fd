"""``assay ack``: somebody acts on a problem."""

from __future__ import annotations

import click

from assay.cli.silence import by_option, reason_option, remote_option, write


@click.command()
@click.argument("model")
@click.argument("problem")
@click.option(
    "--until", default=None, metavar="TIME", help="Default: until the problem passes. As `silence`."
)
@reason_option
@by_option
@remote_option
def ack(model: str, problem: str, until: str | None, reason: str, by: str, remote: str) -> None:
    """Say that somebody acts on a problem: it is not told again while it lasts.

    Its issue names who acts. Where the problem passes and comes back, it is news again. Guards,
    verdicts and rollbacks never read it.

    \b
    Example:
      assay ack churn drift:age --reason "new campaign, looking into it" --by kim
    """
    write("ack", model, problem, until, reason, by, remote)
