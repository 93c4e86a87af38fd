"""``assay feedback``: rows of production worth labelling, as a candidate dataset."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.errors import InputError, Location

if TYPE_CHECKING:
    from assay.tables.feedback import Sample


@click.command()
@click.option(
    "--predictions",
    type=click.Path(path_type=Path),
    required=True,
    help="What was answered: a file, or a folder of files, of Parquet, CSV or JSON lines.",
)
@click.option(
    "--labels",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="What is known to be true, by id; it may lack most.",
)
@click.option("--id", "id_", default="request_id", show_default=True, help="The id column of both.")
@click.option(
    "--prediction", default="prediction", show_default=True, help="The column of the answers."
)
@click.option("--label", default="label", show_default=True, help="The column of the labels.")
@click.option("--score", help="The column with the probability of the positive class.")
@click.option(
    "--band",
    type=click.FloatRange(0, 0.5),
    default=0.1,
    show_default=True,
    help="A score so near to one half is a doubt.",
)
@click.option(
    "--mistakes", type=click.IntRange(0, 1_000_000), default=500, show_default=True,
    help="At most so many rows whose label contradicts the answer.",
)  # fmt: skip
@click.option(
    "--doubts", type=click.IntRange(0, 1_000_000), default=500, show_default=True,
    help="At most so many rows without label whose score is a doubt.",
)  # fmt: skip
@click.option(
    "--others", type=click.IntRange(0, 1_000_000), default=100, show_default=True,
    help="At most so many of the other rows without label, so that nothing goes unseen.",
)  # fmt: skip
@click.option("--seed", type=int, default=0, show_default=True, help="Another one draws others.")
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("feedback"),
    show_default=True,
    help="The folder for candidates.csv and candidates.jsonl.",
)
def feedback(
    predictions: Path,
    labels: Path,
    id_: str,
    prediction: str,
    label: str,
    score: str | None,
    band: float,
    mistakes: int,
    doubts: int,
    others: int,
    seed: int,
    output: Path,
) -> None:
    """Write mistakes and low-confidence rows as a dataset for labelling, with sampling weights.

    Each row carries its stratum and its weight: how many rows of the log it stands for. The same
    files and seed give the same bytes. Track it by `dvc add feedback`.

    \b
    assay feedback --predictions log.parquet --labels labels.csv --score score
    assay feedback --predictions /var/lib/assay/production/churn/target/predictions \\
      --labels labels.csv --score probability
    """
    from assay.evidence import write_atomically
    from assay.monitoring.sources import find_files
    from assay.tables.feedback import Draw, draw
    from assay.tables.feedback_log import lay_out
    from assay.tables.source import open_tables

    wanted = Draw(
        id=id_, prediction=prediction, label=label, score=score, band=band,
        mistakes=mistakes, doubts=doubts, others=others, seed=seed,
    )  # fmt: skip
    files = [predictions]
    if predictions.is_dir():
        folder = predictions.as_posix()
        files = list(find_files(folder, root=Path(), cache=Path(), setting="--predictions"))
    if not files:
        raise InputError(
            "no file of it holds predictions.",
            where=Location(file=predictions.as_posix()),
            remedy="Name a folder with Parquet, CSV or JSON lines.",
        )
    logs = {f"log{place}": path for place, path in enumerate(files)}
    with open_tables({**logs, "labels": labels}) as engine:
        lay_out(engine, list(logs), predictions, prediction=prediction, score=score)
        made = draw(engine, wanted)
    write_atomically(output / "candidates.csv", csv_of(made))
    write_atomically(output / "candidates.jsonl", lines_of(made))
    for stratum in made.strata:
        click.echo(f"{stratum.name}: {stratum.drawn:,} of {stratum.rows:,} rows")
    if score is None:
        click.echo("Without --score no row is a doubt: those are among the others.")
    click.echo(f"Next: dvc add {output.as_posix()}")


def csv_of(sample: Sample) -> str:
    """Return the sample as CSV, with a header; a missing value is an empty field."""
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(sample.columns)
    writer.writerows(sample.rows)
    return target.getvalue()


def lines_of(sample: Sample) -> str:
    """Return the sample as JSON lines; what JSON has no form for is text."""
    return "".join(
        json.dumps(dict(zip(sample.columns, row, strict=True)), default=str, ensure_ascii=False)
        + "\n"
        for row in sample.rows
    )
