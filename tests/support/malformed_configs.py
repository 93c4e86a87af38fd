"""Malformed ``assay.yaml`` files, by what is wrong with them, and the message of each."""

from __future__ import annotations

SMALL = """version: 1
models:
  m:
    predictions: p.csv
    gates: {accuracy: {margin: 0.01}}
"""
GATE = "models.m.gates.accuracy"
ONE_OF_SIX = "give exactly one of requirements, uv, pyproject, conda, dockerfile and image."
A_PATH = "should be a relative path with forward slashes, without '..', not the text"
A_NAME = (
    "cannot be a model's name. Use lower-case letters, digits, '.', '_' and '-', at most 63, "
    "starting with a letter or digit."
)
TOP_KEYS = "Known here: check_run, comment, models, override, version."
A_MAPPING = "assay.yaml must be a mapping of keys to values; this one is"
TEN_LINES = "README.md shows the ten lines of a small one."
INDENT = "Check the indentation and the quotes at this place."


def gate(text: str) -> str:
    return SMALL.replace("margin: 0.01", text)


def predictions(text: str) -> str:
    return SMALL.replace("p.csv", text)


def named(text: str) -> str:
    return SMALL.replace("  m:", f"  {text}:")


def model(text: str) -> str:
    return f"{SMALL}    {text}\n"


YAML = {
    "open bracket": (
        "version: 1\nmodels: [a\n",
        (
            "2:9: this is not valid YAML: while parsing a flow sequence, the end of the file came "
            "first. Close the bracket or the quote that opens here."
        ),
    ),
    "open quote": (
        'version: 1\nmodels: "a\n',
        (
            "2:9: this is not valid YAML: while scanning a quoted scalar, the end of the file came "
            "first. Close the bracket or the quote that opens here."
        ),
    ),
    "tab": (
        "version: 1\nmodels:\n\tm: 1\n",
        "3:1: this is not valid YAML: a tab cannot indent. Indent with spaces.",
    ),
    "bad indentation": (
        "version: 1\n models: {}\n",
        f"2:8: this is not valid YAML: mapping values are not allowed here. {INDENT}",
    ),
    "reserved character": (
        "version: @1\n",
        "1:10: this is not valid YAML: found character '@' that cannot start any token. " + INDENT,
    ),
    "duplicate key": (
        "version: 1\nmodels: {}\nversion: 1\n",
        "3:1: the key 'version' stands here twice, first in line 1. Keep one of the two.",
    ),
    "duplicate key below": (
        model("train: {seed: 1, seed: 2}"),
        "6:22: the key 'seed' stands here twice, first in line 6. Keep one of the two.",
    ),
    "anchor": (
        "version: &v 1\n",
        (
            "1:10: anchors and aliases are not read here. "
            "Write the value out; put text that starts with & or * in quotes."
        ),
    ),
    "billion laughs": (
        "a: &a [l,l]\nb: &b [*a,*a]\nc: [*b,*b]\n",
        (
            "1:4: anchors and aliases are not read here. "
            "Write the value out; put text that starts with & or * in quotes."
        ),
    ),
    "alias": (
        "version: *v\n",
        (
            "1:10: anchors and aliases are not read here. "
            "Write the value out; put text that starts with & or * in quotes."
        ),
    ),
    "merge key": (
        "version: 1\nmodels:\n  m:\n    <<: {predictions: p.csv}\n",
        "4:5: merge keys are not read here. Write the keys out.",
    ),
    "python tag": (
        "version: !!python/object/apply:os.system [id]\n",
        "1:10: tags are not read here. Leave the tag out; put text that starts with ! in quotes.",
    ),
    "deep flow": ("version: " + "[" * 900, "1:49: this is nested deeper than 40. Flatten it."),
    "deep block": (
        "".join(" " * i + "-\n" for i in range(60)),
        "41:41: this is nested deeper than 40. Flatten it.",
    ),
    "control character": (
        "version: 1\nmodels: \x1b[31m\n",
        (
            "2:9: the character U+001B may not stand in YAML. "
            'Remove it; in double quotes an escape such as "\\x1b" means the same.'
        ),
    ),
    "escape of no character": (
        'version: "\\UFFFFFFFF"\n',
        (
            "1:13: this is not valid YAML: an escape in double quotes names no character. "
            "Use single quotes where no escapes are meant."
        ),
    ),
    "lone surrogate": (
        predictions('"\\ud800"'),
        "4:18: this text holds half of a character (a lone surrogate). Write the character itself.",
    ),
    "huge integer": (
        gate("margin: " + "9" * 5000),
        (
            f"5:32: the number {'9' * 40} is out of range. "
            "Numbers have at most 18 digits before the point."
        ),
    ),
    "huge float": (
        gate("margin: 1e999"),
        "5:32: the number 1e999 is out of range. Numbers have at most 18 digits before the point.",
    ),
    "two documents": (
        SMALL + "---\nversion: 1\n",
        (
            "6:1: this is not valid YAML: a second document starts here (---). "
            "Keep one document in a file."
        ),
    ),
    "later YAML": (
        "%YAML 3.0\n---\nversion: 1\n",
        (
            "1:1: this is not valid YAML: found incompatible YAML document "
            f"(version 1.* is required). {INDENT}"
        ),
    ),
    "empty": ("", f"1:1: {A_MAPPING} empty. {TEN_LINES}"),
    "comments alone": ("# nothing\n\n", f"1:1: {A_MAPPING} empty. {TEN_LINES}"),
    "list": ("\n- a\n", f"2:1: {A_MAPPING} a list. {TEN_LINES}"),
    "text": ("hello\n", f"1:1: {A_MAPPING} a single value. {TEN_LINES}"),
    "number as key": ("1: a\n", "1:1: the key '1' is not text. Put it in quotes."),
    "true as key": ("true: a\n", "1:1: the key 'true' is not text. Put it in quotes."),
    "null as key": ("? \n: a\n", "1:2: this key is not text. Put it in quotes."),
    "list as key": ("? [a]\n: a\n", "1:3: this key is not text. Put it in quotes."),
}

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
            "Predictions on the test rows: Parquet, CSV or JSON lines."
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
            "A per-row score column is mean:COLUMN."
        ),
    ),
    "misspelt metric to report": (
        model("report: [f1, roc-auc]"),
        (
            "6:18: unknown metric 'roc-auc'. Did you mean 'roc_auc'? "
            "A per-row score column is mean:COLUMN."
        ),
    ),
}

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
            "6:13: models.m.slices should be a list of: text of 1 to 256 characters or a mapping "
            "(keys: column, bins), not the text 'plan'. Columns to slice by."
        ),
    ),
    "slice as number": (
        model("slices: [3]"),
        (
            "6:14: models.m.slices.0 should be text of 1 to 256 characters or a mapping "
            "(keys: column, bins), not 3."
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
            "6:32: models.m.slices.0.bins should be a list of: a number, not an empty list. "
            "Inner edges, ascending: [18, 40] makes 3 bins."
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
            "false. null: the model has none."
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
            "6:11: models.m.task should be 'binary', 'multiclass', 'regression' or 'score', "
            "not the text 'classification'. Default: inferred from the predictions."
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
}

NO_MARGIN = ["-1", ".nan", ".inf", "-.inf", "'0.01'", "abc", "1%", "true", "010", "1:30", "[1]"]
CASES = {**YAML, **KEYS, **VALUES}
