"""How ``assay compare`` reads METRIC=VALUE and COLUMN:EDGES."""

from __future__ import annotations

import difflib
import math
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from assay.config import Columns, Gate

_LONGEST_NAME = 256


class Lines(click.ParamType[Any]):
    """Text; a variable with several values holds one on each line."""

    name = "text"
    envvar_list_splitter = "\n"

    def split_envvar_value(self, rv: str) -> list[str]:
        """Return the lines of a variable that say something."""
        return [line.strip() for line in rv.split("\n") if line.strip()]

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ARG002 -- click's signature
        """Return the text without surrounding space."""
        return value.strip() if isinstance(value, str) else value


class GateOption(Lines):
    """``METRIC=VALUE``: a metric and the gate that its margin makes."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return (metric, Gate); fails with the way to write it."""
        if isinstance(value, tuple):
            return value
        metric, separator, margin = value.strip().rpartition("=")
        metric = metric.strip()
        if not separator or not metric:
            self.fail(f"{value[:80]!r} is not METRIC=VALUE, such as accuracy=0.01.", param, ctx)
        _known(self, metric, param, ctx)
        return metric, self._gate(metric, margin.strip(), param, ctx)

    def _gate(
        self,
        metric: str,
        margin: str,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Gate:
        from assay.config import Gate, metric_named

        if margin == "improve":
            return Gate(must_improve=True)
        number = _number(margin.removesuffix("%"))
        if number is None or number < 0:
            self.fail(
                f"{margin[:40]!r} is no margin for {metric}: write a number such as 0.01, a share "
                "of the base's value such as 2%, or improve.",
                param,
                ctx,
            )
        if number == 0:
            self.fail(
                f"a margin of 0 would fail a perfect copy of the base; write {metric}=improve if "
                "an improvement is meant.",
                param,
                ctx,
            )
        span = metric_named(metric).span
        if not margin.endswith("%") and span is not None and number >= span:
            self.fail(
                f"a margin of {number:g} lets every {metric} pass; write {metric}={number:g}% for "
                "that share of the base's value, or a smaller number such as 0.01.",
                param,
                ctx,
            )
        if margin.endswith("%"):
            if number >= 100:
                self.fail("a relative margin lies below 100%.", param, ctx)
            return Gate(relative_margin=number / 100)
        return Gate(margin=number)


class SliceOption(Lines):
    """``COLUMN``, or ``COLUMN:EDGE,EDGE`` with ascending inner edges."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the Slice; a colon that no numbers follow belongs to the column's name."""
        from assay.config import Slice

        if isinstance(value, Slice):
            return value
        if not 0 < len(value.strip()) <= _LONGEST_NAME:
            self.fail(f"a column's name has 1 to {_LONGEST_NAME} characters.", param, ctx)
        column, separator, listed = value.strip().rpartition(":")
        edges = [_number(edge) for edge in listed.split(",")] if separator else []
        numbers = [edge for edge in edges if edge is not None]
        if not numbers or len(numbers) < len(edges) or not column:
            return Slice(column=value.strip())
        if sorted(set(numbers)) != numbers:
            self.fail(f"the edges {listed!r} must ascend.", param, ctx)
        return Slice(column=column, bins=tuple(numbers))


def columns_of(**names: str | None) -> Columns:
    """Return the named columns; fails for a name that no column can have."""
    from assay.config import Columns

    for role, name in names.items():
        if name is not None and not 0 < len(name) <= _LONGEST_NAME:
            raise click.BadParameter(
                f"a name has 1 to {_LONGEST_NAME} characters.", param_hint=f"--{role}"
            )
    return Columns.model_validate(names)


class MetricOption(Lines):
    """The name of a metric, or ``mean:COLUMN``."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the name; fails for one that does not exist, with the nearest that does."""
        name = str(value).strip()
        _known(self, name, param, ctx)
        return name


def _known(
    kind: click.ParamType[Any],
    metric: str,
    param: click.Parameter | None,
    ctx: click.Context | None,
) -> None:
    from assay.config import METRICS, metric_named

    try:
        metric_named(metric)
    except KeyError:
        close = difflib.get_close_matches(metric, METRICS, n=1)
        hint = f" Did you mean {close[0]}?" if close else ""
        kind.fail(
            f"there is no metric {metric[:80]!r}.{hint} Known: {', '.join(METRICS)}, mean:COLUMN.",
            param,
            ctx,
        )


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
