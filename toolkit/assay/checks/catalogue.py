"""Every data check: its name, its default severity, and what it looks at.

docs/data-checks.md carries this table and is held to it by a test.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass

from assay.config import CONFIG_NAME, Data, Severity
from assay.errors import InputError, Location, SeveralErrors
from assay.evidence import Finding

RULE_PREFIX = "rule:"


@dataclass(frozen=True, kw_only=True)
class Check:
    """One check; ``looks_at`` is what the reference page says about it."""

    name: str
    title: str
    severity: Severity
    looks_at: str


_BLOCK, _WARN = Severity.BLOCK, Severity.WARN


def _check(name: str, title: str, severity: Severity, looks_at: str) -> Check:
    return Check(name=name, title=title, severity=severity, looks_at=looks_at)


CHECKS: dict[str, Check] = {
    check.name: check
    for check in (
        _check(
            "schema-columns",
            "Columns as in the schema",
            _BLOCK,
            "Columns that the frozen schema names and the file has not, or the other way round.",
        ),
        _check(
            "schema-types",
            "Types as in the schema",
            _BLOCK,
            "Values that cannot be read as the type that the schema gives the column.",
        ),
        _check(
            "schema-nulls",
            "No value missing where the schema wants one",
            _BLOCK,
            "Missing values (NULL or NaN) in columns that are not `nullable`, and more than "
            "`max_missing` of them in those that are.",
        ),
        _check(
            "schema-ranges",
            "Numbers within the schema's ranges",
            _BLOCK,
            "Numbers below `min` or above `max`.",
        ),
        _check(
            "schema-categories",
            "Only the schema's categories",
            _BLOCK,
            "Values that `categories` does not list.",
        ),
        _check(
            "schema-patterns",
            "Texts match the schema's patterns",
            _BLOCK,
            "Texts that `pattern`, a regular expression (RE2) for the whole text, does not match.",
        ),
        _check(
            "schema-unique",
            "Unique where the schema says so",
            _BLOCK,
            "Values that occur again in a column that is `unique`.",
        ),
        _check(
            "train-test-columns",
            "Train and test have the same columns",
            _BLOCK,
            "Columns that only one of the two files has, or that differ in type.",
        ),
        _check(
            "missing-values",
            "Few missing values",
            _WARN,
            "Columns of which more than 5 % is missing (NULL or NaN), unless the schema's "
            "`max_missing` settles it.",
        ),
        _check(
            "non-finite-values", "No infinite numbers", _WARN, "Infinities in columns of numbers."
        ),
        _check(
            "constant-columns",
            "No constant columns",
            _WARN,
            "Columns with one and the same value in every row that has one.",
        ),
        _check(
            "duplicate-ids",
            "Every row has an id of its own",
            _BLOCK,
            "Ids that occur again, and rows without an id. Needs `id`.",
        ),
        _check(
            "duplicate-rows",
            "No row twice",
            _WARN,
            "Rows that equal an earlier row in every column except the id.",
        ),
        _check(
            "label-missing", "Every row has a label", _BLOCK, "Rows without a label. Needs `label`."
        ),
        _check(
            "label-unseen",
            "No class only in test",
            _BLOCK,
            "Classes of the test rows that no training row has. Needs `label`.",
        ),
        _check(
            "label-conflicts",
            "The same features have one label",
            _WARN,
            "Rows that equal another in all features but have another class. Needs `label`.",
        ),
        _check(
            "class-balance",
            "Enough rows of each class",
            _WARN,
            "Classes with less than 1 % of the rows or fewer than 20 of them. Needs `label`.",
        ),
        _check(
            "leakage-ids",
            "No id in both train and test",
            _BLOCK,
            "Test rows whose id is a training row's. Needs `id`.",
        ),
        _check(
            "leakage-keys",
            "No key in both train and test",
            _BLOCK,
            "Test rows whose `keys` together (a customer, a document) are a training row's.",
        ),
        _check(
            "leakage-rows",
            "No training row among the test rows",
            _WARN,
            "Test rows that equal a training row in every column except the id.",
        ),
        _check(
            "drift-train-test",
            "Test rows resemble training rows",
            _WARN,
            "Columns whose population stability index between train and test exceeds `max_psi`, "
            "confirmed by a chi-square p-value below 5 % after Benjamini and Hochberg.",
        ),
        _check(
            "drift-base-head",
            "The data resembles the base's",
            _WARN,
            "The same between the base's file and the head's.",
        ),
    )
}


def severity_of(finding: Finding, data: Data) -> Severity:
    """Say what a finding does under the rules ``data``; pure.

    What deepchecks was asked for and did not run blocks, unless it is off. A rule that ``data``
    does not have blocks: a finding without a rule must not pass unseen.
    """
    if finding.source == "deepchecks":
        return _deepchecks_severity(finding, data)
    if finding.check.startswith(RULE_PREFIX):
        name = finding.check.removeprefix(RULE_PREFIX)
        return next((rule.severity for rule in data.rules if rule.name == name), Severity.BLOCK)
    return check_severity(finding.check, data.checks)


def _deepchecks_severity(finding: Finding, data: Data) -> Severity:
    if data.deepchecks is None:
        return Severity.BLOCK
    severity = data.deepchecks.checks.get(finding.check, data.deepchecks.severity)
    if finding.state == "not-run" and severity is not Severity.OFF:
        return Severity.BLOCK
    return severity


def check_severity(name: str, chosen: Mapping[str, Severity]) -> Severity:
    """The severity of one of our checks: what the rules choose, or the table's default."""
    default = CHECKS[name].severity if name in CHECKS else Severity.BLOCK
    return chosen.get(name, default)


def demand_known(data: Data) -> None:
    """Raise InputError for each check that ``data`` names and nobody knows."""
    problems = [
        *(_unknown("checks", name, list(CHECKS)) for name in data.checks if name not in CHECKS),
        *(
            _unknown("deepchecks.checks", name, sorted(DEEPCHECKS))
            for name in (data.deepchecks.checks if data.deepchecks else {})
            if name not in DEEPCHECKS
        ),
    ]
    names = [rule.name for rule in data.rules]
    problems += [
        InputError(
            f"data.rules: the name {name!r} stands there twice.",
            where=Location(file=CONFIG_NAME),
            remedy="Rename one.",
        )
        for name in sorted({name for name in names if names.count(name) > 1})
    ]
    if len(problems) == 1:
        raise problems[0]
    if problems:
        raise SeveralErrors(tuple(problems))


def _unknown(where: str, name: str, known: list[str]) -> InputError:
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"Did you mean {close[0]!r}?" if close else f"Known here: {', '.join(known)}."
    return InputError(
        f"data.{where} names {name[:80]!r}, which is no check.",
        where=Location(file=CONFIG_NAME),
        remedy=hint,
    )


DEEPCHECKS = frozenset(
    {
        "ConflictingLabels",
        "DataDuplicates",
        "DatasetsSizeComparison",
        "DateTrainTestLeakageDuplicates",
        "DateTrainTestLeakageOverlap",
        "FeatureDrift",
        "FeatureFeatureCorrelation",
        "FeatureLabelCorrelation",
        "FeatureLabelCorrelationChange",
        "IdentifierLabelCorrelation",
        "IndexTrainTestLeakage",
        "IsSingleValue",
        "LabelDrift",
        "MixedDataTypes",
        "MixedNulls",
        "MultivariateDrift",
        "NewCategoryTrainTest",
        "NewLabelTrainTest",
        "OutlierSampleDetection",
        "SpecialCharacters",
        "StringLengthOutOfBounds",
        "StringMismatch",
        "StringMismatchComparison",
        "TrainTestSamplesMix",
    }
)
"""The checks of deepchecks' two tabular suites, by the names of its classes."""
