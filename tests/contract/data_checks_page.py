"""The generated parts of docs/data-checks.md: tables between markers, out of the code."""

from __future__ import annotations

import re
import textwrap

from assay.checks.catalogue import CHECKS, DEEPCHECKS
from assay.checks.schema import ColumnSchema
from assay.tables.expression import FUNCTIONS


def data_checks_page(text: str) -> str:
    """Return the page with its marked parts written anew.

    Raises ValueError where the page lacks a part's markers.
    """
    for name, content in _parts().items():
        begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
        pattern = re.escape(begin) + r".*?" + re.escape(end)
        text, count = re.subn(pattern, lambda _: f"{begin}\n{content}\n{end}", text, flags=re.S)  # noqa: B023 -- called at once
        if count != 1:
            raise ValueError(f"docs/data-checks.md has no place for {name!r}")
    return text


def _parts() -> dict[str, str]:
    return {
        "checks": _table(
            ("check", "default", "finds"),
            [(f"`{one.name}`", f"`{one.severity}`", one.looks_at) for one in CHECKS.values()],
        ),
        "schema": _table(
            ("key", "default", "what"),
            [
                (f"`{name}`", _default(name), str(field.description))
                for name, field in ColumnSchema.model_fields.items()
            ],
        ),
        "functions": textwrap.fill(
            ", ".join(f"`{name}`" for name in sorted(FUNCTIONS)) + ".", width=100
        ),
        "deepchecks": textwrap.fill(
            "Names for `checks`: " + ", ".join(f"`{name}`" for name in sorted(DEEPCHECKS)) + ".",
            width=100,
        ),
    }


def _default(name: str) -> str:
    field = ColumnSchema.model_fields[name]
    if field.is_required():
        return "required"
    return "" if field.default is None else f"`{str(field.default).lower()}`"


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
