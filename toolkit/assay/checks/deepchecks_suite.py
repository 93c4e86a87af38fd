"""Run deepchecks' tabular suites: ``python deepchecks_suite.py request.json result.json``.

A script of its own for an environment of its own (requirements/deepchecks.txt): the toolkit
starts it and never imports it, and it imports nothing of the toolkit. deepchecks is AGPL.

The request names data files, columns and suites; the result lists every check of the suites with
the conditions that failed, or why it did not run. Nothing is sent anywhere: deepchecks' telemetry
is off, and any attempt to reach a network ends in an error.
"""

from __future__ import annotations

import json
import os
import sys
import time
import warnings
from importlib import import_module
from pathlib import Path
from typing import Any

Request = dict[str, Any]

os.environ["DISABLE_DEEPCHECKS_ANONYMOUS_TELEMETRY"] = "true"
_NEEDS = {
    "ConflictingLabels": "label",
    "FeatureLabelCorrelation": "label",
    "FeatureLabelCorrelationChange": "label",
    "IdentifierLabelCorrelation": "label and id",
    "IndexTrainTestLeakage": "id",
    "LabelDrift": "label",
    "NewLabelTrainTest": "label of classes",
    "DateTrainTestLeakageDuplicates": "a column of dates named as such",
    "DateTrainTestLeakageOverlap": "a column of dates named as such",
}


def main(request_file: str, result_file: str) -> None:
    """Run what the request asks for; write the result by rename."""
    sys.addaudithook(_refuse_network)
    warnings.filterwarnings("ignore")
    request = json.loads(Path(request_file).read_text(encoding="utf-8"))
    # Imported only now: telemetry is off and the guard stands.
    deepchecks = import_module("deepchecks")
    result: dict[str, Any] = {"deepchecks": deepchecks.__version__, "checks": []}
    frames = {name: _read(source, request) for name, source in request["files"].items()}
    result["rows"] = {name: len(frame) for name, frame in frames.items()}
    datasets = {name: _dataset(frame, request) for name, frame in frames.items()}
    for suite in request["suites"]:
        started = time.monotonic()
        result["checks"] += _run(suite, datasets, request)
        result.setdefault("seconds", {})[suite] = round(time.monotonic() - started, 3)
    scratch = Path(f"{result_file}.part")
    scratch.write_text(json.dumps(result, allow_nan=False), encoding="utf-8")
    scratch.replace(result_file)


def _refuse_network(event: str, arguments: tuple[object, ...]) -> None:
    """Audit hook: local sockets (joblib's workers) may, everything else may not."""
    if event == "socket.getaddrinfo" or (
        event == "socket.connect" and isinstance(arguments[1], tuple)
    ):
        raise PermissionError("this process may not use the network")


def _read(source: dict[str, Any], request: Request) -> Any:
    """Read one file as a pandas frame: the columns that are not ignored, at most ``max_rows``.

    The same seed takes the same rows; they keep the order of the file.
    """
    duckdb = import_module("duckdb")
    path = _literal(source["path"])
    reader = {
        "Parquet": f"read_parquet({path}, hive_partitioning = false)",
        "CSV": f"read_csv({path}, header = true, all_varchar = true, delim = "
        f"{_literal(source['delimiter'] or ',')}, quote = '\"', escape = '\"')",
        "JSON": f"read_json({path}, sample_size = -1, maximum_depth = 1)",
    }[source["format"]]
    columns = ", ".join(
        f"TRY_CAST({_quoted(name)} AS {kind}) AS {_quoted(name)}"
        for name, kind in source["columns"].items()
    )
    with duckdb.connect(":memory:") as connection:
        return connection.execute(
            f"WITH numbered AS (SELECT {columns}, row_number() OVER () AS "
            f"{_quoted(source['number'])} FROM {reader}), "
            f"chosen AS (SELECT * FROM numbered ORDER BY hash({_quoted(source['number'])} + "
            f"{int(request['seed'])}) LIMIT {int(request['max_rows'])}) "
            f"SELECT * EXCLUDE ({_quoted(source['number'])}) FROM chosen "
            f"ORDER BY {_quoted(source['number'])}"
        ).df()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _dataset(frame: Any, request: Request) -> Any:
    categorical = [name for name in request["categorical"] if name in frame.columns]
    return import_module("deepchecks.tabular").Dataset(
        frame,
        label=request["label"],
        index_name=request["id"],
        cat_features=categorical,
        label_type=request["label_type"] if request["label"] else None,
    )


def _run(suite: str, datasets: dict[str, Any], request: Request) -> list[dict[str, Any]]:
    failure = import_module("deepchecks.core").CheckFailure
    built = getattr(import_module("deepchecks.tabular.suites"), suite)(random_state=request["seed"])
    listed = []
    for index, check in list(built.checks.items()):
        name = type(check).__name__
        wanted = request["checks"].get(name, True)
        lacking = _lacking(name, request)
        if suite == "train_test_validation" and len(datasets) == 1:
            lacking = "both train and test"
        if not wanted or (lacking and name not in request["checks"]):
            built.remove(index)
            if wanted:
                listed.append(_entry(suite, name, "not-applicable", reason=f"needs {lacking}"))
    if not built.checks:
        return listed
    train, test = datasets.get("train"), datasets.get("test")
    if train is None:
        train, test = test, None
    found = built.run(train_dataset=train, test_dataset=test, with_display=False)
    for outcome in found.results:
        name = type(outcome.check).__name__
        # With two files, checks of one file carry its name at the end of their heading.
        header = outcome.get_header().lower()
        endings = {"train dataset": "train", "test dataset": "test"}
        dataset = next((endings[end] for end in endings if header.endswith(end)), "train/test")
        if len(datasets) == 1:
            dataset = next(iter(datasets))
        if isinstance(outcome, failure):
            reason = f"{type(outcome.exception).__name__}: {outcome.exception}"
            listed.append(_entry(suite, name, "not-run", reason=reason, dataset=dataset))
        else:
            conditions = [
                {"name": one.name, "category": one.category.value, "details": one.details}
                for one in outcome.conditions_results
            ]
            listed.append(_entry(suite, name, "ran", conditions=conditions, dataset=dataset))
    return listed


def _lacking(name: str, request: Request) -> str | None:
    need = _NEEDS.get(name)
    if need is None:
        return None
    given = {
        "label": bool(request["label"]),
        "id": bool(request["id"]),
        "label and id": bool(request["label"] and request["id"]),
        "label of classes": bool(request["label"]) and request["label_type"] != "regression",
    }
    return None if given.get(need) else need


def _entry(suite: str, name: str, state: str, **more: object) -> dict[str, Any]:
    return {"suite": suite, "check": name, "state": state, **more}


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
