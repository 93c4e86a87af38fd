"""The options that name the columns of prediction files, for every command that reads them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from assay.config import Columns

_LONGEST_NAME = 256
_OPTIONS = (
    ("id", "id_column", "--id", "COLUMN", "Joins the rows."),
    ("label", "label", "--label", "COLUMN", "The true value."),
    ("prediction", "prediction", "--prediction", "COLUMN", "The predicted value."),
    ("score", "score", "--score", "COLUMN", "Probability of the positive class."),
    ("query", "query", "--query", "COLUMN", "The query of a ranking's item."),
    (
        *("seed", "seed_column", "--seed-column", "COLUMN"),
        (
            "Which training a row is from, where a side was trained several times: one row for "
            "each id and seed."
        ),
    ),
    (
        *("delimiter", "delimiter", "--delimiter", "TEXT"),
        "What separates the labels of one row, where each has several.",
    ),
    ("positive", "positive", "--positive", "CLASS", "The positive class."),
    (
        *("entity", "entity", "--entity", "COLUMN"),
        "Rows with one value belong together (a patient, a user): the unit is the cluster.",
    ),
    ("stratum", "stratum", "--stratum", "COLUMN", "The stratum a row is from."),
    ("weight", "weight", "--weight", "COLUMN", "How much a row counts."),
)
"""The role in ``assay.yaml``, the parameter, the option, what it takes, and its help."""


def column_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options; the command gets what they name as one argument, ``columns``."""

    @functools.wraps(command)
    def with_columns(*arguments: Any, **options: Any) -> Any:
        names = {role: options.pop(parameter) for role, parameter, *_ in _OPTIONS}
        return command(*arguments, columns=_columns(names), **options)

    result: Callable[..., Any] = with_columns
    for _, parameter, option, metavar, text in reversed(_OPTIONS):
        result = click.option(option, parameter, metavar=metavar, default=None, help=text)(result)
    return result


def _columns(names: dict[str, str | None]) -> Columns:
    from assay.config import Columns

    for role, _, option, *_ in _OPTIONS:
        name = names[role]
        if name is not None and not 0 < len(name) <= _LONGEST_NAME:
            raise click.BadParameter(
                f"a name has 1 to {_LONGEST_NAME} characters.", param_hint=option
            )
    return Columns.model_validate(names)
