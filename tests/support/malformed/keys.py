"""Keys that are unknown, missing, or no names."""

from __future__ import annotations

from support.malformed.small import A_NAME, GATE, SMALL, TOP_KEYS, gate, model, named

KEYS = {
    "unknown at the top": (
        SMALL + "overide: {label: x}\n",
        "6:1: unknown key 'overide'. Did you mean 'override'?",
    ),
    "unknown in a model": (
        model("tarin: {seed: 1}"),
        "6:5: unknown key 'models.m.tarin'. Did you mean 'train'?",
    ),
    "misspelt and so missing": (
        SMALL.replace("predictions", "predictons"),
        "4:5: unknown key 'models.m.predictons'. Did you mean 'predictions'?",
    ),
    "unknown in a gate": (
        gate("margn: 0.01"),
        f"5:24: unknown key '{GATE}.margn'. Did you mean 'margin'?",
    ),
    "unknown in a slice": (
        model("slices: [plan, {column: a, bin: [1]}]"),
        "6:32: unknown key 'models.m.slices.1.bin'. Did you mean 'bins'?",
    ),
    "unknown in data": (
        model("data: {trian: a}"),
        "6:12: unknown key 'models.m.data.trian'. Did you mean 'train'?",
    ),
    "the name inside is no key": (
        model("data: {schema_file: a}"),
        "6:12: unknown key 'models.m.data.schema_file'. Did you mean 'schema'?",
    ),
    "unknown in deepchecks": (
        model("data: {deepchecks: {suite: [data_integrity]}}"),
        "6:25: unknown key 'models.m.data.deepchecks.suite'. Did you mean 'suites'?",
    ),
    "unknown in an environment": (
        model("environment: {uv: true, pythn: '3.12'}"),
        "6:29: unknown key 'models.m.environment.pythn'. Did you mean 'python'?",
    ),
    "unknown in the comment": (
        SMALL + "comment: {tittle: a}\n",
        "6:11: unknown key 'comment.tittle'. Did you mean 'title'?",
    ),
    "unknown and like nothing": (SMALL + "zebra: 1\n", f"6:1: unknown key 'zebra'. {TOP_KEYS}"),
    "emoji": (SMALL + '"😀": 1\n', f"6:1: unknown key '😀'. {TOP_KEYS}"),
    "escape in a key": (
        SMALL + '"\\e[31m\\n::error::x": 1\n',
        f"6:1: unknown key '\\x1b[31m\\n::error::x'. {TOP_KEYS}",
    ),
    "a date is text": (SMALL + "2001-01-01: 1\n", f"6:1: unknown key '2001-01-01'. {TOP_KEYS}"),
    "CRLF": (
        (SMALL + "overide: 1\n").replace("\n", "\r\n"),
        "6:1: unknown key 'overide'. Did you mean 'override'?",
    ),
    "byte order mark": (
        "\ufeffoveride: 1\n" + SMALL,
        "1:1: unknown key 'overide'. Did you mean 'override'?",
    ),
    "missing version": (
        SMALL.removeprefix("version: 1\n"),
        "1:1: the key 'version' is missing in the file. The version of this format.",
    ),
    "missing predictions": (
        SMALL.replace("    predictions: p.csv\n", ""),
        (
            "3:3: the key 'predictions' is missing in models.m. "
            "Predictions on the test rows, below `path`: Parquet, CSV or JSON lines."
        ),
    ),
    "missing column of a slice": (
        model("slices: [{bins: [1]}]"),
        "6:14: the key 'column' is missing in models.m.slices.0. A column of the predictions file.",
    ),
    "name in upper case": (named("M"), f"3:3: 'M' {A_NAME}"),
    "name of dots": (named('".."'), f"3:3: '..' {A_NAME}"),
    "name with a slash": (named("a/b"), f"3:3: 'a/b' {A_NAME}"),
    "long name": (named("a" * 64), f"3:3: '{'a' * 60}' {A_NAME}"),
    "empty name": (named('""'), f"3:3: '' {A_NAME}"),
    "name with a line end": (named('"m\\n"'), f"3:3: 'm\\n' {A_NAME}"),
    "misspelt metric": (
        SMALL.replace("accuracy", "acuracy"),
        (
            "5:13: unknown metric 'acuracy'. Did you mean 'accuracy'? "
            "With a parameter: mean:COLUMN, demographic_parity:COLUMN, equal_opportunity:COLUMN, "
            "quantile_loss:Q, ndcg@K, precision@K, recall@K, hit_rate@K."
        ),
    ),
    "misspelt metric to report": (
        model("report: [f1, roc-auc]"),
        (
            "6:18: unknown metric 'roc-auc'. Did you mean 'roc_auc'? "
            "With a parameter: mean:COLUMN, demographic_parity:COLUMN, equal_opportunity:COLUMN, "
            "quantile_loss:Q, ndcg@K, precision@K, recall@K, hit_rate@K."
        ),
    ),
}
