"""Path patterns of ``assay.yaml``: relative to the repository's root, with ``**`` over folders."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

_WILD = re.compile(r"[*?\[]")


def matches(path: str, pattern: str) -> bool:
    """Say whether ``path`` is meant by ``pattern``.

    ``*`` and ``?`` stay inside one folder, ``**`` crosses folders (also none), ``[a-c]``
    and ``[!a-c]`` are one character of a set. A pattern whose last part is a plain name also means
    everything in the folder of that name.
    """
    return _compiled(pattern).fullmatch(path) is not None


def first_match(paths: Iterable[str], patterns: Iterable[str]) -> str | None:
    """Return the first of ``paths`` that one of ``patterns`` means."""
    wanted = tuple(patterns)
    return next((path for path in paths if any(matches(path, one) for one in wanted)), None)


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> re.Pattern[str]:
    parts = [part for part in pattern.removeprefix("./").split("/") if part]
    text = ""
    for index, part in enumerate(parts):
        last = index == len(parts) - 1
        if part == "**":
            text += ".*" if last else "(?:.*/)?"
        else:
            text += _segment(part) + ("" if last else "/")
    if parts and not _WILD.search(parts[-1]):
        text += "(?:/.*)?"
    return re.compile(text, re.DOTALL)


def _segment(part: str) -> str:
    text = ""
    index = 0
    while index < len(part):
        character = part[index]
        end = part.find("]", index + 2) if character == "[" else -1
        if end > 0:
            inside = part[index + 1 : end]
            negated, inside = ("^", inside[1:]) if inside[0] == "!" else ("", inside)
            body = "".join("-" if one == "-" else re.escape(one) for one in inside)
            text += f"(?!/)[{negated}{body}]" if _is_set(f"[{negated}{body}]") else re.escape(part)
            index = end
        elif character == "*":
            text += "[^/]*"
        elif character == "?":
            text += "[^/]"
        else:
            text += re.escape(character)
        index += 1
    return text


def _is_set(text: str) -> bool:
    try:
        re.compile(text)
    except re.error:
        return False
    return True
