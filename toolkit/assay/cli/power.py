"""``assay power``: how many test rows a margin needs, and which margin the rows can bear."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assay.cli.columns import column_options
from assay.cli.compare_options import MetricOption
from assay.cli.console import printable
from assay.cli.options import json_option
from assay.errors import InputError, Location

if TYPE_CHECKING:
    from assay.comparison.planning import Planned, Question
    from assay.config import Columns

_SHARES = ("accuracy", "recall")


@click.command()
@click.argument("files", type=click.Path(path_type=Path), nargs=-1)
@click.option(
    "--metric",
    "metrics",
    type=MetricOption(),
    multiple=True,
    metavar="METRIC",
    help="The metric to plan for; with files, only these. Repeatable with files.  "
    "[default: accuracy; with files, all]",
)
@click.option(
    "--discordant",
    type=float,
    help="Share of rows that only one of the two models gets right (of the positives, for recall).",
)
@click.option("--positives", type=float, help="Share of rows that are positive: recall, ROC AUC.")
@click.option("--row-sd", type=float, help="Standard deviation of head − base over rows: means.")
@click.option("--auc", type=float, help="The ROC AUC that both models have about.")
@click.option("--correlation", type=float, help="Between the two models' scores within a class.")
@click.option("--margin", type=float, help="The largest loss that is still no worse.")
@click.option("--rows", type=click.IntRange(min=1), help="Test rows that you have, or think of.")
@click.option(
    "--power",
    type=click.FloatRange(0.5, 1, max_open=True),
    default=0.8,
    show_default=True,
    help="How often equally good models should come out no-worse.",
)
@click.option(
    "--confidence",
    type=click.FloatRange(0.5, 1, max_open=True),
    default=0.95,
    show_default=True,
    help="Of the two-sided intervals; with an evidence folder, its own counts.",
)
@column_options
@json_option
def power(
    files: tuple[Path, ...],
    *,
    columns: Columns,
    metrics: tuple[str, ...],
    discordant: float | None,
    positives: float | None,
    row_sd: float | None,
    auc: float | None,
    correlation: float | None,
    margin: float | None,
    rows: int | None,
    power: float,
    confidence: float,
    as_json: bool,
) -> None:
    """Plan a test set before the argument: rows for a margin, or a margin for rows.

    Two equally good models differ by chance. A margin that the test set is too small for makes
    every change inconclusive; this says how often, and how many rows settle it.

    Without files: say how much one row tells the models apart (--discordant, --row-sd, or --auc
    with --correlation and --positives). With BASE and HEAD, two prediction files, or with one
    evidence folder, that is read from the rows, for every metric.

    \b
    Examples:
      assay power --discordant 0.06 --margin 0.01
      assay power --discordant 0.06 --margin 0.01 --rows 1000
      assay power --discordant 0.06 --rows 1000                (proposes a margin)
      assay power --metric recall --discordant 0.1 --positives 0.05 --margin 0.02
      assay power --metric mae --row-sd 2.5 --margin 0.1
      assay power --metric roc_auc --auc 0.85 --correlation 0.9 --positives 0.1 --margin 0.01
      assay power base.parquet head.parquet --margin 0.01
      assay power base.csv head.csv --label churned --margin 0.01
      assay power .assay/evidence

    Exit codes: 0 done; 2 a file or an option is wrong, and the message says which.
    """
    from assay.comparison.planning import plan
    from assay.config import Columns

    if margin is not None and not margin > 0:
        raise click.UsageError(
            "a margin of 0 or less cannot be planned for: equal models seldom pass it, "
            "whatever the rows. Give a loss that you would accept, such as 0.01."
        )
    given = {
        "--discordant": discordant, "--positives": positives, "--row-sd": row_sd,
        "--auc": auc, "--correlation": correlation,
    }  # fmt: skip
    refused: dict[str, str] = {}
    if len(files) != 2 and columns != Columns():
        raise click.UsageError("Columns are those of two prediction files: give BASE and HEAD.")
    if files:
        _nothing_but_files(given)
        questions, refused = _from_files(
            files,
            metrics,
            columns=columns,
            margin=margin,
            rows=rows,
            power=power,
            confidence=confidence,
        )
    else:
        questions = [
            _from_numbers(metrics, given, margin=margin, rows=rows, power=power, level=confidence)
        ]
    planned = [plan(question) for question in questions]
    if as_json:
        _print_json(planned, refused)
    else:
        for each in planned:
            _print(each)
        for metric, reason in refused.items():
            click.echo(f"{printable(metric)}: cannot be planned: {printable(reason)}")


def _nothing_but_files(given: dict[str, float | None]) -> None:
    named = next((name for name, value in given.items() if value is not None), None)
    if named is not None:
        raise click.UsageError(f"{named} is read from the files: leave it out, or them.")


def _from_numbers(
    metrics: tuple[str, ...],
    given: dict[str, float | None],
    *,
    margin: float | None,
    rows: int | None,
    power: float,
    level: float,
) -> Question:
    from assay.comparison.planning import Question
    from assay.config import metric_named
    from assay.stats import planning

    if len(metrics) > 1:
        raise click.UsageError("Without files, one --metric is planned at a time.")
    metric = metrics[0] if metrics else "accuracy"
    span = metric_named(metric).span
    if margin is not None and span is not None and margin >= span:
        raise click.UsageError(f"a margin of {margin:g} lets every {metric} pass.")
    if margin is None and rows is None:
        raise click.UsageError("Give a --margin, or the --rows that you have, or both.")
    try:
        if given["--row-sd"] is not None:
            design = planning.of_mean(given["--row-sd"], confidence=level)
        elif metric == "roc_auc":
            design = planning.of_auc(
                _needed(given, "--auc", metric),
                correlation=_needed(given, "--correlation", metric),
                confidence=level,
                positives=_needed(given, "--positives", metric),
            )
        elif metric in _SHARES:
            share = _needed(given, "--positives", metric) if metric == "recall" else 1.0
            discordant = _needed(given, "--discordant", metric)
            design = planning.of_share(discordant, share=share, confidence=level)
        else:
            raise click.UsageError(
                f"{metric} is planned from --row-sd, the standard deviation of head − base over "
                "rows, or from two prediction files: assay power BASE HEAD."
            )
    except ValueError as error:
        raise click.UsageError(f"{error}.") from None
    return Question(
        metric=metric, design=design, margin=margin, rows=rows, confidence=level, power=power
    )


def _needed(given: dict[str, float | None], name: str, metric: str) -> float:
    value = given[name]
    if value is None:
        raise click.UsageError(f"{metric} needs {name}; see --help for what it means.")
    return value


def _from_files(
    files: tuple[Path, ...],
    metrics: tuple[str, ...],
    *,
    columns: Columns,
    margin: float | None,
    rows: int | None,
    power: float,
    confidence: float,
) -> tuple[list[Question], dict[str, str]]:
    from assay.cli.power_files import comparisons_of
    from assay.comparison.planning import questions_of

    questions: list[Question] = []
    refused: dict[str, str] = {}
    for found, gates in comparisons_of(files, metrics, confidence, columns):
        asked, why = questions_of(
            found, metrics=metrics, gates=gates, margin=margin, rows=rows, power=power
        )
        questions += asked
        refused |= why
    if not questions and not refused:
        raise InputError(
            "there is no metric to plan for.",
            where=Location(file=files[0].as_posix()),
            remedy="Name one that was measured, with --metric.",
        )
    return questions, refused


def _print_json(planned: list[Planned], refused: dict[str, str]) -> None:
    documents: list[dict[str, Any]] = [
        {
            "metric": each.asked.metric,
            "confidence": each.asked.confidence,
            "wanted_power": each.asked.power,
            "row_variance": each.asked.design.row_variance,
            "extra_variance": each.asked.design.extra_variance,
            "margin": each.asked.margin,
            "rows": each.asked.rows,
            "rows_needed": each.rows_needed,
            "rows_needed_unsmoothed": each.rows_needed_unsmoothed,
            "power": each.power,
            "proposed_margin": each.proposed_margin,
            "table": [
                {"rows": point.rows, "margin": point.margin, "power": point.power}
                for point in each.table
            ],
        }
        for each in planned
    ]
    whole = {"planned": documents, "refused": refused}
    click.echo(json.dumps(whole, indent=2, sort_keys=True, ensure_ascii=False))


def _print(found: Planned) -> None:
    from assay.cli.power_table import lines_of

    for line in lines_of(found):
        click.echo(line)
    click.echo()
