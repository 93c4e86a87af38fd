"""``assay preview``: a report as GitHub would render it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, cast

import click

from assay.errors import InputError, Location


@click.command()
@click.argument(
    "report",
    type=click.Path(path_type=Path),
    default=Path(".assay/evidence/report.md"),
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    help="Where to write the page.  [default: beside the report, as NAME-preview.html]",
)
@click.option("--open/--no-open", "opens", default=True, help="Open the page in a browser.")
@click.option(
    "--theme",
    type=click.Choice(["auto", "light", "dark"]),
    default="auto",
    show_default=True,
    help="GitHub's light or dark look; auto follows the browser.",
)
def preview(report: Path, output: Path | None, opens: bool, theme: str) -> None:
    """Show REPORT, a Markdown file, as the comment GitHub would make of it.

    Writes one HTML page that loads nothing from anywhere, prints its path, and opens it.
    Without REPORT it is .assay/evidence/report.md.
    """
    from assay.evidence import write_atomically
    from assay.report.page import comment_page

    text = _read(report)
    target = output or report.with_name(f"{report.stem}-preview.html")
    chosen = cast('Literal["auto", "light", "dark"]', theme)
    write_atomically(target, comment_page(text, title=report.name, theme=chosen))
    click.echo(target)
    if opens:
        import webbrowser

        if not webbrowser.open(target.resolve().as_uri()):
            click.echo("No browser could be started: open the page yourself.", err=True)


_MOST_BYTES = 8 * 1024 * 1024


def _read(report: Path) -> str:
    where = Location(file=report.as_posix())
    try:
        if report.stat().st_size > _MOST_BYTES:
            raise InputError(f"the report has over {_MOST_BYTES:,} bytes.", where=where)
        return report.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(
            "there is no such report.",
            where=where,
            remedy="Write one with `assay report`, or name another file.",
        ) from None
    except UnicodeDecodeError:
        raise InputError("the report is not UTF-8.", where=where) from None
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}.", where=where) from None
