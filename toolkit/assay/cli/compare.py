"""``assay compare``: two prediction files, or an evidence folder, and a verdict."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from assay.cli.columns import column_options
from assay.cli.compare_options import (
    GateOption,
    Lines,
    MetricOption,
    SliceOption,
    check_once,
    crosses_of,
    search_of,
)
from assay.cli.compare_run import from_evidence, of_files
from assay.cli.console import console, printable, working
from assay.cli.options import exit_zero_option, json_option, model_option
from assay.cli.outputs import write_outputs
from assay.errors import VerdictFailed

if TYPE_CHECKING:
    from assay.cli.compare_run import Result
    from assay.config import Columns, Gate, Slice

_FILE = click.Path(path_type=Path)


@click.command()
@click.argument("base", type=_FILE, required=False, envvar="ASSAY_BASE")
@click.argument("head", type=_FILE, required=False, envvar="ASSAY_HEAD")
@click.option(
    "--margin",
    "margins",
    type=GateOption(),
    multiple=True,
    metavar="METRIC=VALUE",
    help="The largest loss that is still no worse: accuracy=0.01, or roc_auc=2% of the base's "
    "value, or f1=improve to demand an improvement. Such a metric gates. Repeatable.",
)
@click.option(
    "--metric",
    "metrics",
    type=MetricOption(),
    multiple=True,
    metavar="METRIC",
    help="Also measure this metric, or mean:COLUMN. Repeatable.  [default: the usual ones]",
)
@click.option(
    "--slice",
    "slices",
    type=SliceOption(),
    multiple=True,
    metavar="COLUMN[:EDGES]",
    help="Also measure each value of a column, or each bin of a number: age:18,40,60, or age:q4 "
    "for its quartiles. Repeatable.",
)
@click.option(
    "--cross",
    "crossings",
    type=Lines(),
    nargs=2,
    multiple=True,
    metavar="COLUMN COLUMN",
    help="Also measure each pair of the slices of two columns; bins given with --slice hold here "
    "too. Repeatable.",
)
@click.option(
    "--worst-slice",
    metavar="METRIC",
    default=None,
    help="The metric by which the worst slice is searched, over the slices and every crossing of "
    "two of their columns with at least 100 rows; or off.  [default: the first that is quick]",
)
@click.option(
    "--confidence",
    type=click.FloatRange(0.5, 1, max_open=True),
    default=0.95,
    show_default=True,
    help="Of the two-sided intervals; each claim is one-sided at half of the rest.",
)
@click.option(
    "--min-slice-rows",
    type=click.IntRange(min=1),
    default=50,
    show_default=True,
    help="Smaller slices are counted, not judged.",
)
@click.option(
    "--task",
    type=click.Choice(["binary", "multiclass", "regression", "score", "ranking", "multilabel"]),
    default=None,
    help="What the predictions are.  [default: inferred]",
)
@column_options
@click.option(
    "--engine",
    type=click.Choice(["duckdb", "spark"]),
    default="duckdb",
    show_default=True,
    help="What joins and counts: spark needs ASSAY_ENVIRONMENT=spark.",
)
@click.option(
    "--lower-is-better",
    type=Lines(),
    multiple=True,
    metavar="COLUMN",
    help="A score column where less is better, such as a cost. Repeatable.",
)
@click.option(
    "--seed",
    type=int,
    default=0,
    show_default=True,
    help="Of resampling. Every metric so far has an interval in closed form, so it changes "
    "nothing yet.",
)
@click.option(
    "--anchor",
    type=_FILE,
    default=None,
    help="Also compare HEAD with this file, such as a release's predictions, by the same margins. "
    "What is worse there warns: losses that each pass can add up.",
)
@click.option(
    "--evidence",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    help="Write comparison.json and verdict.json into this folder. Without BASE and HEAD: read "
    "predictions and rules from it first.",
)
@model_option
@json_option
@exit_zero_option
def compare(
    base: Path | None,
    head: Path | None,
    *,
    margins: tuple[tuple[str, Gate], ...],
    metrics: tuple[str, ...],
    slices: tuple[Slice, ...],
    crossings: tuple[tuple[str, str], ...],
    worst_slice: str | None,
    confidence: float,
    min_slice_rows: int,
    task: str | None,
    columns: Columns,
    engine: Literal["duckdb", "spark"],
    lower_is_better: tuple[str, ...],
    seed: int,  # noqa: ARG001 -- accepted for scripts; no metric resamples
    anchor: Path | None,
    evidence: Path | None,
    model: str | None,
    as_json: bool,
    exit_zero: bool,
) -> None:
    """Compare the predictions in HEAD with those in BASE, on the same rows, and judge.

    BASE and HEAD are Parquet, CSV or JSON lines (.parquet .csv .tsv .jsonl .json). Rows join by
    an id column. Columns are recognised by their usual names: id or row_id; y_true, label or
    target; y_pred or prediction; y_score, proba, probability or score, or one column per class
    such as proba_CLASS. Without labels, every number column is a per-row score.

    A difference is head minus base, turned so that positive is better. Its state: better (the
    interval lies above 0), no-worse (above minus the margin), worse (below 0, and not no-worse),
    inconclusive (anything else), not-measured.

    Without --margin no metric can be no-worse: the command then fails only where a metric is
    shown to be worse, warns where one is inconclusive, and says that no margin was given.

    \b
    Examples:
      assay compare base.parquet head.parquet
      assay compare base.csv head.csv --margin accuracy=0.01 --margin roc_auc=2%
      assay compare base.csv head.csv --slice region --slice age:18,40,60 --cross region age
      assay compare base.csv head.csv --margin accuracy=0.01 --anchor v1.csv
      assay compare base.jsonl head.jsonl --metric mean:grade --margin mean:grade=0.1
      assay compare base.csv head.csv --json --evidence out/
      assay compare --evidence .assay/evidence        (rules from its plan.json)

    --json prints a list of {comparison, verdict}, in the shape of the two documents.

    Exit codes: 0 the verdict is pass or warn (or --exit-zero); 1 it is fail; 2 a file or an
    option is wrong, and the message says which; 3 something outside failed, such as a full disk.
    """
    from assay.comparison import Asked
    from assay.config import Task
    from assay.config.families import MEAN_PREFIX
    from assay.evidence import Outcome

    if base is None and head is None and evidence is not None:
        if margins or metrics or slices or crossings or anchor:
            raise click.UsageError("The rules come from plan.json: drop the other options.")
        results = from_evidence(evidence, model)
    elif base is None or head is None:
        raise click.UsageError(
            "Name two files, BASE and HEAD, or a folder with --evidence; see --help."
        )
    elif anchor is not None and not margins:
        raise click.UsageError("--anchor judges by margins: give --margin METRIC=VALUE too.")
    else:
        check_once(metric for metric, _ in margins)
        asked = Asked(
            model=model or "model",
            columns=columns,
            task=Task(task) if task else None,
            gates=dict(margins),
            report=metrics or None,
            lower_is_better=frozenset(f"{MEAN_PREFIX}{column}" for column in lower_is_better),
            slices=(*slices, *crosses_of(crossings)),
            worst_slice=search_of(worst_slice),
            confidence=confidence,
            min_slice_rows=min_slice_rows,
            engine=engine,
        )
        with working("comparing"):
            results = (of_files(base, head, asked, evidence, anchor=anchor),)
    _print(results, as_json=as_json)
    if evidence is not None and not as_json:
        click.echo(f"Evidence: {printable(evidence.as_posix())}")
    states = [verdict.state for _, verdict in results]
    worst = max(states, key=(Outcome.PASS, Outcome.WARN, Outcome.FAIL).index)
    write_outputs("compare", verdict=worst.value)
    if worst is Outcome.FAIL and not exit_zero:
        raise VerdictFailed("The verdict is fail.")


def _print(results: tuple[Result, ...], *, as_json: bool) -> None:
    if as_json:
        documents = [
            {"comparison": json.loads(found.to_json()), "verdict": json.loads(verdict.to_json())}
            for found, verdict in results
        ]
        click.echo(json.dumps(documents, indent=2, sort_keys=True, ensure_ascii=False))
        return
    from assay.cli.compare_table import print_verdict

    screen = console()
    for found, verdict in results:
        print_verdict(screen, found, verdict, several=len(results) > 1)
