"""``assay schema``: the published JSON Schemas."""

from __future__ import annotations

import json
from typing import Any

import click

SCHEMA_ID = "https://raw.githubusercontent.com/assay-ml/assay/main/docs/assay.schema.json"


def config_schema() -> dict[str, Any]:
    """Return the JSON Schema of ``assay.yaml``."""
    from assay.config import Config

    schema = Config.model_json_schema(by_alias=True)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        **schema,
        "title": "assay.yaml",
    }


def evidence_schemas() -> dict[str, dict[str, Any]]:
    """Return the JSON Schema of each evidence document, by its name."""
    from assay import evidence
    from assay.packaging.bundle import Bundle

    kinds = (
        evidence.Plan,
        evidence.Ledger,
        evidence.TestRun,
        evidence.DataReport,
        evidence.Training,
        evidence.Comparison,
        evidence.Verdict,
        Bundle,
    )
    result = {}
    for kind in kinds:
        name = kind.FILE.removesuffix(".json")
        schema = kind.model_json_schema(mode="validation")
        schema["properties"]["schema"] = {"const": kind.SCHEMA}
        result[name] = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
    return result


@click.command()
@click.argument("document", default="config")
def schema(document: str) -> None:
    """Print the JSON Schema of assay.yaml, or of the evidence document DOCUMENT.

    DOCUMENT is config (the default), plan, ledger, tests, data, training, comparison, verdict or
    bundle.

    \b
    Let an editor check assay.yaml as you type, by this first line in it:
      # yaml-language-server: $schema=<address or path of the schema>
    """
    if document == "config":
        chosen = config_schema()
    else:
        known = evidence_schemas()
        if document not in known:
            raise click.BadParameter(
                f"{document[:80]!r} is no document; choose config, {', '.join(known)}."
            )
        chosen = known[document]
    click.echo(json.dumps(chosen, indent=2, sort_keys=False, ensure_ascii=False))
