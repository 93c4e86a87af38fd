"""Values of an arm whose share of the traffic depends on what was seen before, as in a bandit.

The plain mean of an arm is biased then: an arm that began unluckily is shown less, and is not
corrected. Weighting by the inverse of the probability with which the arm was chosen makes the mean
of all units unbiased (Horvitz and Thompson 1952, JASA 47), and each value's expectation given the
past is the arm's mean, which is what a confidence sequence needs.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def inverse_propensity(
    values: ArrayLike, chosen: ArrayLike, probability: ArrayLike
) -> NDArray[np.float64]:
    """Return one value for every unit, also of those that went elsewhere, of shape (n,).

    `values` holds what was observed (ignored where `chosen` is false) and `probability` the one
    with which this arm was to be chosen, fixed before the unit. For 0/1 values and a floor ε of
    exposure they lie between 0 and 1/ε. Raises ValueError where an arm was chosen with
    probability 0.
    """
    taken = np.asarray(chosen, dtype=bool)
    share = np.asarray(probability, dtype=np.float64)
    if not np.all((share[taken] > 0) & (share[taken] <= 1)):
        raise ValueError("an arm that was chosen must have had a probability above 0, at most 1")
    result = np.zeros(taken.shape)
    result[taken] = np.asarray(values, dtype=np.float64)[taken] / share[taken]
    return result
