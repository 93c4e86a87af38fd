"""How the test rows were drawn, in one line."""

from __future__ import annotations

from assay.evidence import Comparison
from assay.report import numbers
from assay.report.escape import clean, code


def drawn_in_words(found: Comparison, *, escape: bool) -> str:
    """Say what the independent units are, and what the weights leave; empty where all rows are."""
    drawn = found.drawn
    if drawn is None:
        return ""
    named = {
        role: code(column, most=60) if escape else repr(clean(column, most=60))
        for role, column in drawn.columns.items()
    }
    parts = []
    if "entity" in named and drawn.clusters is not None:
        parts.append(
            f"the unit is {named['entity']}, not the row: {numbers.count(drawn.clusters)} clusters"
        )
    if "stratum" in named and drawn.strata is not None:
        parts.append(f"drawn in {numbers.count(drawn.strata)} strata of {named['stratum']}")
    if "weight" in named and drawn.effective_n is not None:
        parts.append(
            f"weighted by {named['weight']}, worth {drawn.effective_n:,.0f} equal rows (Kish)"
        )
    said = "; ".join(parts)
    return f"{said[:1].upper()}{said[1:]}."
