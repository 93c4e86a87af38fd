"""How ``assay compare`` reads METRIC=VALUE and COLUMN:EDGES."""

from __future__ import annotations

import difflib
import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click

from assay.errors import InputError

if TYPE_CHECKING:
    from assay.comparison import Asked
    from assay.config import Cross, Gate, Slice, WorstSlice
    from assay.evidence import Comparison

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
    """``COLUMN``, ``COLUMN:EDGE,EDGE`` with ascending inner edges, or ``COLUMN:q4``: 4 bins."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the Slice; a colon that no numbers follow belongs to the column's name."""
        from assay.config import Slice
        from assay.config.gates import MOST_BINS

        if isinstance(value, Slice):
            return value
        if not 0 < len(value.strip()) <= _LONGEST_NAME:
            self.fail(f"a column's name has 1 to {_LONGEST_NAME} characters.", param, ctx)
        column, separator, listed = value.strip().rpartition(":")
        many = re.fullmatch(r"q(\d{1,4})", listed) if column else None
        if many:
            return self._equal_bins(column, int(many[1]), param, ctx)
        edges = [_number(edge) for edge in listed.split(",")] if separator else []
        numbers = [edge for edge in edges if edge is not None]
        if not numbers or len(numbers) < len(edges) or not column:
            return Slice(column=value.strip())
        if len(numbers) >= MOST_BINS:
            self.fail(f"at most {MOST_BINS - 1} edges are taken.", param, ctx)
        if sorted(set(numbers)) != numbers:
            self.fail(f"the edges {listed!r} must ascend.", param, ctx)
        return Slice(column=column, bins=tuple(numbers))

    def _equal_bins(
        self, column: str, bins: int, param: click.Parameter | None, ctx: click.Context | None
    ) -> Slice:
        from assay.config import Slice
        from assay.config.gates import MOST_BINS

        if not 2 <= bins <= MOST_BINS:
            self.fail(f"a column is divided into 2 to {MOST_BINS} bins, not {bins}.", param, ctx)
        return Slice(column=column, bins=bins)


def crosses_of(pairs: Sequence[tuple[str, str]]) -> tuple[Cross, ...]:
    """Return the crossings; fails for names that no column can have, and one column twice."""
    from assay.config import Cross

    for first, second in pairs:
        if not all(0 < len(name) <= _LONGEST_NAME for name in (first, second)):
            raise click.BadParameter(
                f"a column's name has 1 to {_LONGEST_NAME} characters.", param_hint="--cross"
            )
        if first == second:
            raise click.BadParameter(
                f"{first[:80]!r} cannot be crossed with itself.", param_hint="--cross"
            )
    return tuple(Cross(cross=pair) for pair in pairs)


def check_once(metrics: Iterable[str]) -> None:
    """Raise where a metric has two margins: the last one would win unseen."""
    for metric, times in Counter(metrics).items():
        if times > 1:
            raise click.UsageError(f"--margin names {metric} {times} times: give it one margin.")


def check_used(asked: Asked, found: Comparison) -> None:
    """Raise InputError where --lower-is-better names no column whose mean was measured."""
    measured = {each.metric for each in found.measurements if each.metric.startswith("mean:")}
    for name in sorted(asked.lower_is_better - measured):
        columns = ", ".join(repr(each.removeprefix("mean:")[:60]) for each in sorted(measured))
        raise InputError(
            f"--lower-is-better names {name.removeprefix('mean:')[:100]!r}, which is no score "
            "column that is measured here.",
            remedy=f"Measured: {columns}." if columns else "Name it with --metric mean:COLUMN too.",
        )


def search_of(metric: str | None) -> WorstSlice:
    """Return the search for the worst slice by a metric; 'off' is none, None the usual one."""
    from assay.config import Severity, WorstSlice

    if metric == "off":
        return WorstSlice(severity=Severity.OFF)
    named = MetricOption().convert(metric, None, None) if metric is not None else None
    return WorstSlice(metric=named)


class MetricOption(Lines):
    """The name of a metric."""

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
    from assay.config import METRICS
    from assay.config.families import is_metric, known_metrics

    if not is_metric(metric):
        close = difflib.get_close_matches(metric, METRICS, n=1)
        hint = f" Did you mean {close[0]}?" if close else ""
        kind.fail(
            f"there is no metric {metric[:80]!r}.{hint} Known: {known_metrics()}.",
            param,
            ctx,
        )


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
