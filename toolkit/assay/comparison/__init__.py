"""Base against head on the same test rows: prediction files in, ``comparison.json`` out."""

from assay.comparison.alone import head_alone
from assay.comparison.ask import Asked
from assay.comparison.compare import compare, not_measured
from assay.comparison.scalars import compare_scalars

__all__ = ["Asked", "compare", "compare_scalars", "head_alone", "not_measured"]
