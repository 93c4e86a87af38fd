"""Numbers out of metric files: a base's against a head's, honestly without an interval."""

from __future__ import annotations

from collections.abc import Mapping

from assay.config import Scalar
from assay.evidence import Measurement


def compare_scalars(
    scalars: Mapping[str, Scalar],
    *,
    base: Mapping[str, float],
    head: Mapping[str, float],
    base_missing: Mapping[str, str] | None = None,
    head_missing: Mapping[str, str] | None = None,
) -> tuple[Measurement, ...]:
    """Measure each configured number; what a side lacks is undefined, with the side's reason."""
    reasons = {"base": base_missing or {}, "head": head_missing or {}}
    result = []
    for name, scalar in scalars.items():
        left, right = base.get(name), head.get(name)
        missing = [
            f"{side}: {reasons[side].get(name, 'the number is missing')}"
            for side, value in (("base", left), ("head", right))
            if value is None
        ]
        difference = None
        if left is not None and right is not None:
            difference = (right - left) * (1 if scalar.higher_is_better else -1) + 0.0
        result.append(
            Measurement(
                metric=name,
                higher_is_better=scalar.higher_is_better,
                base=left,
                head=right,
                difference=difference,
                undefined="; ".join(missing) or None,
                has_interval=False,
            )
        )
    return tuple(result)
