"""What a pull request changes in a model's rules, one line for each key."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from assay.config import Model

_NOTHING = object()


def changed_rules(base: Model, head: Model) -> tuple[str, ...]:
    """Return `key: base → head` for every key of the rules that differs, in order of the keys."""
    before, after = (rules.model_dump(mode="json", by_alias=True) for rules in (base, head))
    return tuple(_differences("", before, after))


def _differences(name: str, before: Any, after: Any) -> Iterator[str]:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in [*before, *(key for key in after if key not in before)]:
            path = f"{name}.{key}" if name else str(key)
            yield from _differences(path, before.get(key, _NOTHING), after.get(key, _NOTHING))
    elif before != after:
        yield f"{name}: {_shown(before)} → {_shown(after)}"


def _shown(value: Any) -> str:
    if value is _NOTHING or value is None:
        return "none"
    if isinstance(value, dict):
        # Keys left at their defaults say nothing about the change.
        value = {key: item for key, item in value.items() if item is not None}
    return json.dumps(value, ensure_ascii=False)
