"""Files that are no YAML, or more of YAML than is read."""

from __future__ import annotations

from support.malformed.small import A_MAPPING, INDENT, SMALL, TEN_LINES, gate, model, predictions

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
