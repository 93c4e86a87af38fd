"""What ``assay ledger show`` prints: each model's test sets, and their last decisions."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from assay.errors import IntegrityError

if TYPE_CHECKING:
    from assay.state import Snapshot

_LAST = 5


def uses(read: Callable[[str], Snapshot], model: str | None) -> list[dict[str, Any]]:
    """Return each file of the ledger as plain data, by model and then by its last decision.

    A damaged file has its ``damage`` in place of numbers.
    """
    from assay.state.ledger import FOLDER, decisions_in

    found = []
    for path, content in read(FOLDER).files.items():
        name, _, file = path.removeprefix(FOLDER).partition("/")
        if model not in (None, name):
            continue
        facts: dict[str, Any] = {"model": name, "test_set": file.partition(".")[0]}
        try:
            made = decisions_in(path, content)
        except IntegrityError as error:
            found.append({**facts, "damage": str(error)})
            continue
        if not made:
            continue
        last = [
            {key: getattr(one, key) for key in ("head", "at", "run", "commit", "credit")}
            for one in reversed(made[-_LAST:])
        ]
        credit = made[-1].credit
        found.append(
            {
                **facts,
                "decisions": len(made),
                "credit": credit,
                "beyond_credit": credit is not None and len(made) > max(1, credit),
                "since": min(one.at for one in made),
                "last": last,
            }
        )
    return sorted(found, key=lambda one: (one["model"], one.get("since", ""), one["test_set"]))


def print_ledger(found: list[dict[str, Any]]) -> None:
    """Print one line for each test set, then its last decisions."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    from assay.cli.console import console, printable

    out = console()
    if not found:
        out.print("The ledger is empty: no test set has decided yet, or nobody asks for it.")
        return
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for header in ("Model", "Test set", "Since"):
        table.add_column(header, no_wrap=True)
    for header in ("k", "Credit K"):
        table.add_column(header, justify="right", no_wrap=True)
    table.add_column("Last decisions")
    for one in found:
        if "damage" in one:
            row = (printable(one["model"]), printable(one["test_set"][:12]), "–", "–", "–")
            table.add_row(*row, printable(one["damage"]))
            continue
        credit = "–" if one["credit"] is None else f"{one['credit']:,}"
        last = ", ".join(f"{made['head'][:7]} {made['at'][:10]}" for made in one["last"])
        table.add_row(
            one["model"],
            one["test_set"][:12],
            one["since"][:10],
            f"{one['decisions']:,}" + (" worn" if one["beyond_credit"] else ""),
            credit,
            last,
        )
    out.print(table)
    out.print(
        "k counts the distinct heads decided about; K is what the smallest margin affords, as of "
        "the last of them (docs/statistics.md)."
    )
