"""Data checks over every row: schema, contents, labels, leakage and drift, as evidence."""

from assay.checks.catalogue import CHECKS, Check, severity_of
from assay.checks.run import check_data, freeze, not_measured
from assay.checks.schema import DataSchema, load_schema, write_schema

__all__ = [
    "CHECKS",
    "Check",
    "DataSchema",
    "check_data",
    "freeze",
    "load_schema",
    "not_measured",
    "severity_of",
    "write_schema",
]
