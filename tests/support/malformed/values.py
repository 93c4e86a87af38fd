"""Values of the wrong kind, and values that exclude each other."""

from __future__ import annotations

from support.malformed.small import A_PATH, GATE, ONE_OF_SIX, SMALL, gate, model, predictions

VALUES = {
    "version 2": (
        SMALL.replace("version: 1", "version: 2"),
        "1:10: version should be 1, not 2. The version of this format.",
    ),
    "version as text": (
        SMALL.replace("version: 1", "version: '1'"),
        "1:10: version should be 1, not the text '1'.",
    ),
    "version true": (
        SMALL.replace("version: 1", "version: true"),
        "1:10: version should be 1, not true.",
    ),
    "models as list": (
        "version: 1\nmodels: [a]\n",
        "2:9: models should be a mapping with at least one key, not a list. The models, by name.",
    ),
    "models left empty": (
        "version: 1\nmodels:\n",
        "2:8: models should be a mapping with at least one key, not nothing. The models, by name.",
    ),
    "no gates": (
        SMALL.replace("{accuracy: {margin: 0.01}}", "{}"),
        (
            "5:12: models.m.gates should be a mapping with at least one key, not an empty mapping. "
            "The metrics that decide, by name."
        ),
    ),
    "margin 0": (
        gate("margin: 0"),
        (
            f"5:23: {GATE}: margin: 0 would fail a perfect copy of the base; "
            "write must_improve: true if that is meant."
        ),
    ),
    "two margins": (
        gate("margin: 0.1, relative_margin: 0.1"),
        f"5:23: {GATE}: give exactly one of margin, relative_margin and must_improve: true.",
    ),
    "no margin": (
        gate("severity: warn"),
        f"5:23: {GATE}: give exactly one of margin, relative_margin and must_improve: true.",
    ),
    "margin and must_improve": (
        gate("margin: 0.1, must_improve: true"),
        f"5:23: {GATE}: give exactly one of margin, relative_margin and must_improve: true.",
    ),
    "yes is text": (
        gate("must_improve: yes"),
        (
            f"5:38: {GATE}.must_improve should be true or false, not the text 'yes'. "
            "Demand `better`: the margin is 0, and an equally good model fails."
        ),
    ),
    "severity": (
        gate("margin: 0.1, severity: fail"),
        (
            f"5:47: {GATE}.severity should be 'block', 'warn' or 'off', not the text 'fail'. "
            "What `worse` does: block, warn, or off."
        ),
    ),
    "a margin that nothing exceeds": (
        gate("margin: 1"),
        (
            "4:5: models.m: gates.accuracy: a margin of 1 lets every accuracy pass; "
            "0.01 is one point of it."
        ),
    ),
    "direction of a known metric": (
        gate("margin: 0.1, higher_is_better: false"),
        (
            "4:5: models.m: gates.accuracy: the direction of a built-in metric is known; "
            "higher_is_better is for mean:COLUMN alone."
        ),
    ),
    "environment as text": (
        model("environment: uv"),
        (
            "6:18: models.m.environment should be 'auto' or 'none' or a mapping (keys: "
            "requirements, uv, pyproject, conda, dockerfile, image, python), not the text 'uv'. "
            "`auto` looks for uv.lock, requirements.txt, pyproject.toml, environment.yml, in this "
            "order; `none` uses the Python on PATH."
        ),
    ),
    "two environments": (
        model("environment: {uv: true, image: 'python:3.12'}"),
        f"6:18: models.m.environment: {ONE_OF_SIX}",
    ),
    "no environment": (
        model("environment: {python: '3.12'}"),
        f"6:18: models.m.environment: {ONE_OF_SIX}",
    ),
    "Python version as number": (
        model("environment: {uv: true, python: 3.12}"),
        (
            "6:37: models.m.environment.python should be text such as '3.12', not 3.12. "
            "The version of Python."
        ),
    ),
    "image that is an option": (
        model("environment: {image: --privileged}"),
        (
            "6:26: models.m.environment.image should be text such as 'python:3.12-slim', "
            "not the text '--privileged'. Run inside this image."
        ),
    ),
    "deepchecks as text": (
        model("data: {deepchecks: on}"),
        (
            "6:24: models.m.data.deepchecks should be true or false or a mapping (keys: suites, "
            "severity, checks, max_rows), not the text 'on'. "
            "Also run deepchecks: true, or its settings."
        ),
    ),
    "deepchecks suite": (
        model("data: {deepchecks: {suites: [model_evaluation]}}"),
        (
            "6:34: models.m.data.deepchecks.suites.0 should be 'data_integrity' or "
            "'train_test_validation', not the text 'model_evaluation'."
        ),
    ),
    "one slice without a list": (
        model("slices: plan"),
        (
            "6:13: models.m.slices should be a list of: text of 1 to 256 characters, a mapping "
            "(keys: column, bins) or a mapping (keys: cross), not the text 'plan'. Columns to "
            "slice by, and crossings of two."
        ),
    ),
    "slice as number": (
        model("slices: [3]"),
        (
            "6:14: models.m.slices.0 should be text of 1 to 256 characters, a mapping "
            "(keys: column, bins) or a mapping (keys: cross), not 3."
        ),
    ),
    "bins that descend": (
        model("slices: [{column: a, bins: [2, 1]}]"),
        "6:14: models.m.slices.0: the bins must ascend.",
    ),
    "bins of text": (
        model("slices: [{column: a, bins: [1, x]}]"),
        "6:36: models.m.slices.0.bins.1 should be a number, not the text 'x'.",
    ),
    "no bins": (
        model("slices: [{column: a, bins: []}]"),
        (
            "6:32: models.m.slices.0.bins should be a whole number of at least 2 and up to 100 or "
            "a list of: a number, not an empty list. Inner edges, ascending: [18, 40] makes 3 "
            "bins; or how many bins with about as many rows each: 4 makes quartiles."
        ),
    ),
    "one bin": (
        model("slices: [{column: a, bins: 1}]"),
        (
            "6:32: models.m.slices.0.bins should be a whole number of at least 2 and up to 100 or "
            "a list of: a number, not 1. Inner edges, ascending: [18, 40] makes 3 bins; or how "
            "many bins with about as many rows each: 4 makes quartiles."
        ),
    ),
    "a column crossed with itself": (
        model("slices: [{cross: [a, a]}]"),
        "6:14: models.m.slices.0: a column cannot be crossed with itself.",
    ),
    "three columns crossed": (
        model("slices: [{cross: [a, b, c]}]"),
        (
            "6:22: models.m.slices.0.cross should be a list of 2: text of 1 to 256 characters, not "
            "a list. Two columns; the bins of those that are listed under `slices` hold here too."
        ),
    ),
    "absolute path": (predictions("/p.csv"), f"4:18: models.m.predictions {A_PATH} '/p.csv'."),
    "path upwards": (predictions("a/../b"), f"4:18: models.m.predictions {A_PATH} 'a/../b'."),
    "backslash": (predictions("a\\p"), f"4:18: models.m.predictions {A_PATH} 'a\\\\p'."),
    "NUL": (predictions('"p\\0"'), f"4:18: models.m.predictions {A_PATH} 'p\\x00'."),
    "line end": (predictions('"p\\n"'), f"4:18: models.m.predictions {A_PATH} 'p\\n'."),
    "drive": (predictions("'C:/p'"), f"4:18: models.m.predictions {A_PATH} 'C:/p'."),
    "empty path": (predictions("''"), f"4:18: models.m.predictions {A_PATH} ''."),
    "absolute glob": (model("paths: [/src/**]"), f"6:13: models.m.paths.0 {A_PATH} '/src/**'."),
    "glob without a list": (
        model("paths: src/**"),
        (
            "6:12: models.m.paths should be a list of: text, not the text 'src/**'. Globs from the "
            "repository's root; a change there touches this model. "
            "Default: everything under `path`."
        ),
    ),
    "confidence": (
        model("confidence: 95"),
        (
            "6:17: models.m.confidence should be a number of at least 0.5 and below 1, not 95. "
            "Two-sided; each claim is one-sided at half of the rest."
        ),
    ),
    "share of a row": (
        model("min_slice_rows: 1.5"),
        (
            "6:21: models.m.min_slice_rows should be a whole number of at least 1, not 1.5. "
            "Smaller slices are counted, not judged."
        ),
    ),
    "endless timeout": (
        model("train: {timeout: 1e9}"),
        (
            "6:22: models.m.train.timeout should be a number above 0 and up to 2,592,000, "
            "not 1000000000.0. Seconds."
        ),
    ),
    "seed that Python refuses": (
        model("train: {seed: -1}"),
        (
            "6:19: models.m.train.seed should be a whole number of at least 0 and below "
            "4,294,967,296, not -1. Exported as ASSAY_SEED and PYTHONHASHSEED, kept in the lineage."
        ),
    ),
    "tests: false": (
        model("tests: false"),
        (
            "6:12: models.m.tests should be a mapping (keys: command, severity, timeout), not "
            "false. Default: pytest; null: the model has none."
        ),
    ),
    "positive class": (
        model("columns: {positive: [1]}"),
        (
            "6:25: models.m.columns.positive should be text, a whole number or true or false, "
            "not a list. The positive class of a binary task."
        ),
    ),
    "two tolerances": (
        model("scalars: {size: {file: m.json, key: a, tolerance: 1, relative_tolerance: 0.1}}"),
        "6:21: models.m.scalars.size: give tolerance or relative_tolerance, not both.",
    ),
    "task": (
        model("task: classification"),
        (
            "6:11: models.m.task should be 'binary', 'multiclass', 'regression', 'score', "
            "'ranking' or 'multilabel', not the text 'classification'. Default: inferred from "
            "the predictions."
        ),
    ),
    "publisher": (
        SMALL + "comment: {publisher: slack}\n",
        (
            "6:22: comment.publisher should be 'cml', 'github' or 'file', not the text 'slack'. "
            "cml, falling back to github; github; or file (none)."
        ),
    ),
    "title": (
        SMALL + "comment: {title: 'a b'}\n",
        (
            "6:18: comment.title should be text such as 'assay-fraud', not the text 'a b'. "
            "Tells this configuration's comment from others on the same pull request."
        ),
    ),
    "override as text": (
        SMALL + "override: accept\n",
        (
            "6:11: override should be a mapping (keys: label, permission), not the text 'accept'. "
            "Accept a failing verdict by a label."
        ),
    ),
    "a metric that no rollout counts": (
        model("delivery: {strategy: {quality: {metric: log_loss, margin: 0.1}}}"),
        (
            "6:45: models.m.delivery.strategy.quality.metric should be accuracy, mae, "
            "quantile_loss:Q or mean:COLUMN (what a rollout counts as labels arrive), not the text "
            "'log_loss'."
        ),
    ),
}
