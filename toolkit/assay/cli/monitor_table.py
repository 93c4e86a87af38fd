"""A look at production for a person at a terminal: what is wrong first, then what was measured."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from assay.cli.claim_table import shortened
from assay.cli.console import printable
from assay.config import Severity
from assay.evidence import State
from assay.report.look_metrics import labelled_windows
from assay.report.look_tables import EFFECTS, drift_heading
from assay.report.numbers import (
    count,
    duration,
    interval,
    number,
    percent,
    places_for,
    places_without_interval,
    plural,
    written,
)
from assay.report.words import STATES

if TYPE_CHECKING:
    from rich.console import Console

    from assay.evidence import Look, Rule
    from assay.evidence.monitoring import Drift, Quality, Window

_STYLES = {State.BETTER: "green", State.WORSE: "red", State.INCONCLUSIVE: "yellow"}
_NAME = 28
_NONE = "–"


def print_look(console: Console, look: Look) -> None:
    """Print all that a look found; names from outside are printed, never obeyed."""
    console.print(Text(printable(look.sentence), style="bold"))
    _section(console, "Problems", _problems(look))
    _section(console, "Judged, at all looks together", _rules(look.rules))
    for provisional, window in sorted(labelled_windows(look).items()):
        young = ", provisional" if provisional else ""
        _section(console, f"Window until {_moment(window.end)}{young}", _window(window))
    if look.retrospects:
        rows = [(one.metric, _plain(one.sentence())) for one in look.retrospects]
        _section(console, "Estimates without labels, held against labels since", _pairs(rows))
    moved = [one for one in look.drift if one.moved]
    _section(console, drift_heading(look.drift), _drift(moved) if look.drift else None)
    _section(console, "Seen", _pairs(_seen(look)))
    _section(console, "Not measured, or not yet", _lines(look.notes))
    _section(console, "Not read", _lines(look.unreadable))


def _section(console: Console, name: str, body: Table | None) -> None:
    if body is None or not (body.row_count or body.columns or name.startswith("Drift")):
        return
    console.print()
    console.print(Text(name, style="bold"))
    if body.row_count:
        console.print(Padding(body, (0, 0, 0, 2)))


def _table(*heads: str, right: Sequence[int] = ()) -> Table:
    table = Table(box=None, show_header=bool(heads), pad_edge=False, padding=(0, 2, 0, 0))
    for place, head in enumerate(heads):
        table.add_column(head, justify="right" if place in right else "left", header_style="dim")
    return table


def _problems(look: Look) -> Table | None:
    if not look.problems:
        return None
    table = _table()
    for one in look.problems:
        urgent = one.severity is Severity.BLOCK
        word = Text("urgent" if urgent else "warning", style="red" if urgent else "yellow")
        since = "New." if one.since == look.at else f"Since {_moment(one.since)}."
        why = Text(f"{_plain(one.sentence)} {since}")
        table.add_row(word, Text(shortened(one.key, _NAME)), why)
        if one.step:
            table.add_row("", "first", Text(_plain(f"{one.step} {one.command}".strip())))
    return table


def _rules(rules: Sequence[Rule]) -> Table | None:
    if not rules:
        return None
    heads = ("metric", "live", "promised", "difference", "margin", "predictions", "")
    table = _table(*heads, right=(1, 2, 3, 4, 5))
    for rule in rules:
        places = places_for(rule.interval) if rule.interval else 4
        why = f" ({_plain(rule.reason)})" if rule.reason else ""
        table.add_row(
            shortened(rule.metric, _NAME),
            _number(rule.head, places),
            _number(rule.base, places),
            interval(rule.interval, places) if rule.interval else _NONE,
            _NONE if rule.margin is None else written(rule.margin),
            count(rule.n),
            Text(STATES[rule.state] + why, style=_STYLES.get(rule.state, "")),
        )
    return table


def _window(window: Window) -> Table:
    table = _table()
    table.add_row("labels", Text(_coverage(window)))
    if window.unknown:
        rows = plural(window.unknown, "prediction")
        table.add_row("unknown", f"{rows} of unknown versions, counted apart")
    for one in window.quality:
        if one.slice == "all":
            name = f"{one.metric} (by scores)" if one.estimated else one.metric
            table.add_row(shortened(name, _NAME), Text(_value(one)))
    slices = len({one.slice for one in window.quality} - {"all"})
    if slices:
        table.add_row("slices", f"{plural(slices, 'slice')}: see monitor.json, or look.html")
    return table


def _coverage(window: Window) -> str:
    known, of = window.coverage, window.predictions
    if known is None:
        return f"none are read; {plural(of, 'prediction')}"
    share = f" ({percent(known.labelled / of)})" if of else ""
    parts = [f"{count(known.labelled)} of {plural(of, 'prediction')}{share}"]
    if known.delay_median is not None:
        parts.append(f"half came within {duration(known.delay_median)}")
    if known.delay_90 is not None:
        parts.append(f"90 % within {duration(known.delay_90)}")
    return "; ".join([*parts, *([_plain(known.selection)] if known.selection else [])])


def _value(one: Quality) -> str:
    if one.value is None:
        return f"not measured ({_plain(one.reason or 'no reason was given')})"
    places = places_for(one.interval) if one.interval else places_without_interval(one.value, None)
    shown = number(one.value, places)
    if one.interval is not None:
        shown += f" [{number(one.interval[0], places)}, {number(one.interval[1], places)}]"
    return f"{shown} of {count(one.n)}"


def _drift(moved: Iterable[Drift]) -> Table:
    table = _table()
    for one in moved:
        effects = ", ".join(
            f"{EFFECTS.get(effect.name, effect.name)} {effect.value:.3g}"
            for effect in one.effects
            if effect.threshold is not None and effect.value > effect.threshold
        )
        cost = "" if one.cost is None else f"; estimated cost {number(one.cost, 4)}"
        leading = f", mostly by {', '.join(map(repr, one.leading))}" if one.leading else ""
        named = ", ".join(f"{new.name} {count(new.rows)}" for new in one.new)
        new = f", new: {named}" if named else ""
        spread = f" [{one.interval[0]:.3g}, {one.interval[1]:.3g}]" if one.interval else ""
        words = f"{effects}{spread} against {one.against}{leading}{new}{cost}"
        table.add_row(shortened(one.column, _NAME), _plain(one.role), Text(_plain(words)))
    return table


def _seen(look: Look) -> Iterator[tuple[str, str]]:
    """What was read, and what lives."""
    if look.windows:
        rows = plural(sum(window.predictions for window in look.windows), "prediction")
        yield "log", f"{rows} since {_moment(look.windows[0].start)}"
        yield "serves", look.version or "versions that the log does not name"
    feed = look.labels
    if feed is not None:
        counts = (
            (feed.new, "new"),
            (feed.corrected, "corrected"),
            (feed.contradictory, "contradictory"),
            (feed.duplicates, "repeated"),
            (feed.orphans, "of no prediction"),
            (feed.ahead, "dated in the future"),
        )
        more = "".join(f", {count(value)} {word}" for value, word in counts if value)
        yield "labels", f"{plural(feed.known, 'prediction')} with one{more}"
    for beat in look.heartbeats:
        state = "silent" if beat.silent else "lives" if beat.last else "expected"
        last = "none yet" if beat.last is None else f"last {_moment(beat.last)}"
        yield (
            f"heartbeat {beat.name}",
            f"{state}, {last}; silent after {duration(beat.silent_after)}",
        )


def _pairs(rows: Iterable[tuple[str, str]]) -> Table:
    table = _table()
    for name, words in rows:
        table.add_row(shortened(name, _NAME), Text(_plain(words)))
    return table


def _lines(lines: Sequence[str]) -> Table | None:
    if not lines:
        return None
    table = _table()
    for line in lines:
        table.add_row(Text(_plain(line)))
    return table


def _moment(value: str) -> str:
    return f"{datetime.fromisoformat(value):%Y-%m-%d %H:%M}"


def _plain(text: str) -> str:
    return printable(text).replace("\n", " ")


def _number(value: float | None, places: int) -> str:
    return _NONE if value is None else number(value, places)
