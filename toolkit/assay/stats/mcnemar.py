"""McNemar's test, exact and conditional on the number of discordant rows."""

from __future__ import annotations

from scipy.special import bdtr


def mcnemar_worse(base_only: int, head_only: int) -> float:
    """One-sided exact p-value against "the head is not worse".

    `base_only` rows were right under the base alone, `head_only` under the head alone. Given
    their sum, equal models win each with probability 1/2 (McNemar 1947, Psychometrika 12), so p
    is the probability of at most `head_only` successes. 1.0 without any discordant row.
    """
    if base_only < 0 or head_only < 0:
        raise ValueError("counts of discordant rows cannot be negative")
    discordant = base_only + head_only
    if discordant == 0:
        return 1.0
    return float(bdtr(head_only, discordant, 0.5))
