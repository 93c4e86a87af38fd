"""``assay reference``: the profile of a version that production is later compared with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from assay.cli.options import config_option, evidence_option, json_option, model_option


@click.command()
@config_option
@model_option
@evidence_option
@click.option(
    "--predictions",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    help="Predictions on the test rows.  [default: the model's, as the configuration says]",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    help="The features of these rows, joined by id.  [default: data.test; without it, the other "
    "columns of the predictions]",
)
@json_option
def reference(
    config: Path,
    model: str | None,
    evidence: Path,
    predictions: Path | None,
    data: Path | None,
    as_json: bool,
) -> None:
    """Profile the test set and its predictions: what drift and quality are measured from.

    Writes <model>/reference.json into the evidence folder: counts over bins and of categories of
    every feature, the prediction, the score and the label, the quality within them, and the rates
    by score. Run it after `assay train`, with its evidence folder: the gate takes a profile of the
    predictions that it judges, and no other. It holds no rows; categories are listed by name, at
    most 50 of a column, so leave out with `data.ignore` what names a person.

    Exit codes: 0 written; 2 a file does not fit, and the message says how.
    """
    from assay.cli.console import working
    from assay.cli.consumer import chosen_model
    from assay.config import Data, load_config
    from assay.monitoring.profile import make_reference

    name, chosen = chosen_model(load_config(config), model)
    folder = config.parent / chosen.path
    declared = chosen.data or Data()
    own = folder / declared.test if declared.test else None
    with working("Profiling the reference"):
        found = make_reference(
            model=name,
            predictions=predictions or folder / chosen.predictions,
            data=data or own,
            columns=chosen.columns,
            data_id=declared.id,
            task=chosen.task,
            ignore=declared.ignore + ((declared.label,) if declared.label else ()),
        )
    found = found.model_copy(update={"inputs": _named(found.inputs, evidence / name)})
    written = found.write(evidence / name)
    if as_json:
        click.echo(found.to_json(), nl=False)
        return
    rows = found.columns[0].rows
    features = sum(column.role == "feature" for column in found.columns)
    quality = ", ".join(f"{metric} {value:.4g}" for metric, value in found.quality.items())
    click.echo(f"{name}: {rows:,} rows, {features} features{f', {quality}' if quality else ''}.")
    click.echo(f"Written: {written}")


def _named(inputs: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Name the inputs as evidence does: a file beside the document, or with a colon, not kept."""
    from assay.evidence import Training

    kept = Training.read(folder).predictions if (folder / Training.FILE).is_file() else None
    judged = kept.file if kept is not None and inputs["predictions"] == kept.sha256 else None
    names = {"predictions": judged or "predictions:test", "data": "data:test"}
    return {names[name]: digest for name, digest in inputs.items()}
