"""The variables the consumer's commands get: theirs, the declared secrets, and none of ours."""

from __future__ import annotations

import re
from collections.abc import Mapping

from assay.errors import InputError, Location

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LINE = re.compile(r"(?:export[ \t]+)?(?P<name>[^\s=#]+)[ \t]*=[ \t]*(?P<rest>.*)", re.DOTALL)
_BLANK = " \t"
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\", "$": "$"}
_WITHHELD_PREFIXES = ("ASSAY_", "ACTIONS_", "INPUT_")
_WITHHELD = frozenset(
    {
        "GITHUB_TOKEN",
        "GH_TOKEN",
        "GITHUB_OUTPUT",
        "GITHUB_ENV",
        "GITHUB_PATH",
        "GITHUB_STATE",
        "GITHUB_STEP_SUMMARY",
        "REPO_TOKEN",
        "VIRTUAL_ENV",
        "PYTHONHOME",
    }
)
ALWAYS = {"PYTHONUNBUFFERED": "1", "DVC_NO_ANALYTICS": "1"}
"""What every command of the consumer gets, inside a container too."""
_RESERVED_PREFIXES = ("ASSAY_", "ACTIONS_", "GITHUB_", "RUNNER_")


def consumer_variables(
    environment: Mapping[str, str], declared: Mapping[str, str]
) -> dict[str, str]:
    """Return the variables of the consumer's process.

    Tokens of the run, Assay's own inputs and the runner's command files stay behind: what the
    consumer's code prints or writes must not steer the job. ``declared`` are their secrets.
    """
    kept = {
        name: value
        for name, value in environment.items()
        if name not in _WITHHELD and not name.startswith(_WITHHELD_PREFIXES)
    }
    return {**kept, **ALWAYS, **declared}


def parse_dotenv(text: str, *, name: str) -> dict[str, str]:
    """Read ``NAME=value`` lines; quoted values may span lines.

    ``'…'`` is literal; ``"…"`` knows ``\\n \\r \\t \\" \\\\ \\$``; an unquoted value ends at the
    line or at `` #``. Raises InputError that names the line, never a value.
    """
    found: dict[str, str] = {}
    lines = text.replace("\r\n", "\n").split("\n")
    number = 0
    while number < len(lines):
        line = lines[number].lstrip(_BLANK)
        start = number + 1
        number += 1
        if not line.strip(_BLANK) or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if not match:
            raise _wrong(name, start, "this line is no NAME=value")
        key, rest = match["name"], match["rest"].lstrip(_BLANK)
        _check_name(key, name, start, found)
        if rest[:1] in {"'", '"'}:
            more = lines[number:]
            value, used = _quoted(rest, more, name, start)
            number += used
        else:
            value = re.split(r"(?:^|[ \t])#", rest, maxsplit=1)[0].strip(_BLANK)
        found[key] = value
    return found


def _check_name(key: str, name: str, line: int, found: Mapping[str, str]) -> None:
    if not _NAME.fullmatch(key):
        raise _wrong(name, line, "the name before `=` is not made of letters, digits and _")
    if key.startswith(_RESERVED_PREFIXES):
        raise _wrong(name, line, f"{key} belongs to the runner or to Assay: use another name")
    if key in found:
        raise _wrong(name, line, f"{key} is given twice")


def _quoted(rest: str, more: list[str], name: str, line: int) -> tuple[str, int]:
    """Return the value of a quoted text and how many further lines it used."""
    quote = rest[0]
    value = ""
    for used, part in enumerate((rest[1:], *more)):
        index = 0
        while index < len(part):
            character = part[index]
            if character == quote:
                after = part[index + 1 :].strip(_BLANK)
                if after and not after.startswith("#"):
                    raise _wrong(name, line + used, "something follows the closing quote")
                return value, used
            if character == "\\" and quote == '"' and index + 1 < len(part):
                index += 1
                escaped = part[index]
                value += _ESCAPES.get(escaped, "\\" + escaped)
            else:
                value += character
            index += 1
        value += "\n"
    raise _wrong(name, line, "the quote that opens here is never closed")


def _wrong(name: str, line: int, what: str) -> InputError:
    return InputError(
        f"{what}.",
        where=Location(file=name, line=line),
        remedy="Write one NAME=value a line, values of several lines in quotes.",
    )
