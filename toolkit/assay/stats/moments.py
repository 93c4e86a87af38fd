"""Sums of products up to the third order, and one of the fourth: what a mean's interval needs.

A paired metric that is a mean of per-row values (log loss, Brier score, absolute error, any
score) is held as two variables per row, the base's value b and the difference d = head − base.
Storing d and not head keeps every digit where the two models nearly agree.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import ArrayLike

Exponents = tuple[int, ...]


@cache
def monomials(variables: int) -> tuple[Exponents, ...]:
    """Exponents of every product of the first to the third order, and of the second variable⁴.

    `monomials(2)` starts with (0, 1), the plain sum of the second variable, and has ten members.
    """
    every = itertools.product(range(5), repeat=variables)
    fourth = (0, 4, *[0] * (variables - 2))
    return tuple(each for each in every if 1 <= sum(each) <= 3 or each == fourth)


@dataclass(frozen=True, kw_only=True)
class Linear:
    """Central moments of a linear combination of the variables, over n rows."""

    n: int
    mean: float
    variance: float
    """Sum of squares divided by n, not n − 1."""
    third: float
    """Sum of cubes divided by n."""


@dataclass(frozen=True, kw_only=True)
class JointMoments:
    """n rows of several variables, as sums of products of (variable − shift).

    The first variable is the base's value, the second head − base. `sums[(i, j)]` is
    Σ (b − shifts[0])ⁱ·(d − shifts[1])ʲ for every (i, j) of `monomials(2)`. Shifts are numbers
    near the means (exactness does not matter); they keep the sums free of cancellation.
    `changed` counts the rows with d ≠ 0.
    """

    n: int
    shifts: tuple[float, ...]
    sums: Mapping[Exponents, float]
    changed: int

    def __post_init__(self) -> None:
        if set(self.sums) != set(monomials(len(self.shifts))):
            raise ValueError(f"sums are needed for exactly {monomials(len(self.shifts))}")
        if not 0 <= self.changed <= self.n:
            raise ValueError("the changed rows cannot outnumber the rows")

    @classmethod
    def from_columns(cls, *columns: ArrayLike) -> JointMoments:
        """Moments of arrays of shape (n,): the base's value, head − base, then any others."""
        arrays = [np.asarray(column, dtype=np.float64) for column in columns]
        n = arrays[0].size
        shifts = tuple(float(array.mean()) if n else 0.0 for array in arrays)
        sums = {}
        # Overflow ends as an infinite sum, which `finite` reports.
        with np.errstate(over="ignore", invalid="ignore"):
            powers = []
            for array, shift in zip(arrays, shifts, strict=True):
                centred = array - shift
                square = centred * centred
                powers.append({1: centred, 2: square, 3: square * centred, 4: square * square})
            for exponents in monomials(len(arrays)):
                factors = [powers[k][power] for k, power in enumerate(exponents) if power]
                sums[exponents] = float(math.prod(factors[1:], start=factors[0]).sum())
        return cls(n=n, shifts=shifts, sums=sums, changed=int(np.count_nonzero(arrays[1])))

    @classmethod
    def from_sides(cls, base: ArrayLike, head: ArrayLike) -> JointMoments:
        """Moments of one value per row and side, arrays of shape (n,)."""
        left, right = (np.asarray(side, dtype=np.float64) for side in (base, head))
        return cls.from_columns(left, right - left)

    @property
    def finite(self) -> bool:
        """Whether every sum is a number."""
        return all(math.isfinite(total) for total in (*self.sums.values(), *self.shifts))

    def mean(self, variable: int) -> float:
        """The mean of one variable."""
        unit = tuple(int(place == variable) for place in range(len(self.shifts)))
        return self.shifts[variable] + self.sums[unit] / self.n

    def linear(self, coefficients: Sequence[float]) -> Linear:
        """Mean, variance and third central moment of Σ coefficients[k]·variable[k]."""
        raw = [0.0, 0.0, 0.0]
        for exponents, total in self.sums.items():
            order = sum(exponents)
            if order > len(raw):
                continue
            ways = math.factorial(order)
            factor = 1.0
            for power, coefficient in zip(exponents, coefficients, strict=True):
                ways //= math.factorial(power)
                factor *= coefficient**power
            raw[order - 1] += ways * factor * total / self.n
        first, second, third = raw
        shift = sum(c * s for c, s in zip(coefficients, self.shifts, strict=True))
        return Linear(
            n=self.n,
            mean=shift + first,
            variance=max(0.0, second - first**2),
            third=third - 3 * first * second + 2 * first**3,
        )

    def square_of_changes(self) -> float:
        """Σd⁴ / Σd²: the mean square of d, weighted by what each row adds to the variance.

        d² itself where all changes are of one size, and the largest where one row outweighs all.
        """
        _, square, _, fourth = self._powers_of_changes()
        return max(0.0, fourth / square) if square > 0 else 0.0

    def lean_of_changes(self) -> float:
        """The mean square of the changes, or (Σd³ / Σd²)² if that is more.

        The latter is Σd⁴ / Σd² where all changes are of one size and sign, less where sizes
        differ, and 0 where as many are large on either side.
        """
        _, square, cube, _ = self._powers_of_changes()
        if square <= 0:
            return 0.0
        return float(max(square / self.changed, (cube / square) ** 2))

    def changes_that_count(self) -> float:
        """(Σd²)² / Σd⁴: how many changes of one size would carry the variance as these do.

        Where all rows change a little and a few change much, those few.
        """
        _, square, _, fourth = self._powers_of_changes()
        return square**2 / fourth if fourth > 0 else 0.0

    def _powers_of_changes(self) -> list[float]:
        """Σd, Σd², Σd³ and Σd⁴."""
        shift = self.shifts[1]
        raw = [float(self.n)]
        for order in range(1, 5):
            raw.append(self.sums[(0, order, *[0] * (len(self.shifts) - 2))])
        return [
            sum(math.comb(p, k) * shift ** (p - k) * raw[k] for k in range(p + 1))
            for p in range(1, 5)
        ]
