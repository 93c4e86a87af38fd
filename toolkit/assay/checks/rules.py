"""Conditions of the consumer's own, one SQL expression each, that every row must meet."""

from __future__ import annotations

import re
from collections.abc import Sequence

import duckdb

from assay.checks.catalogue import RULE_PREFIX
from assay.checks.side import Side, found_rows
from assay.config import CONFIG_NAME, DataRule, Severity
from assay.errors import AssayError, InputError, Location, SeveralErrors
from assay.evidence import Finding
from assay.tables.expression import condition, engine_refused
from assay.tables.rows import count_where


def broken_rules(side: Side, rules: Sequence[DataRule]) -> list[Finding]:
    """Rows that break a rule, or for which it is NULL; rules that are off are left out.

    Raises InputError (or SeveralErrors) for expressions that cannot be evaluated or do more than
    compute with the row's own columns.
    """
    findings = []
    problems: list[AssayError] = []
    for rule in rules:
        if rule.severity is Severity.OFF:
            continue
        try:
            findings += _broken(side, rule)
        except InputError as error:
            problems.append(error.placed(Location(file=CONFIG_NAME)))
    if len(problems) == 1:
        raise problems[0]
    if problems:
        raise SeveralErrors(tuple(problems))
    return findings


def _broken(side: Side, rule: DataRule) -> list[Finding]:
    what = f"the data rule {rule.name!r} ({rule.expression[:200]})"
    met = condition(side.rows, rule.expression, what=what)
    try:
        hits = count_where(side.rows, {"": f"{met} IS NOT TRUE"})[""]
    except duckdb.Error as error:
        raise engine_refused(what, error) from None
    except InputError as error:
        # A value that a function cannot take (strptime, say) comes in the words for damaged files.
        inner = re.search(r"\((.*)\)\.$", error.message, re.DOTALL)
        raise engine_refused(what, Exception(inner.group(1) if inner else error.message)) from None
    if not hits.count:
        return []
    phrase = f"break the rule {rule.name!r}: {rule.expression[:300]}"
    return [found_rows(side, f"{RULE_PREFIX}{rule.name}", (), hits, phrase)]
