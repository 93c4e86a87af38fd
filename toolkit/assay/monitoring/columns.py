"""What is watched of columns: which are counted, and what the counts of windows show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from assay.config import Monitoring
from assay.evidence import Drift, Quality, Reference, Retrospect
from assay.monitoring.cells import pooled
from assay.monitoring.drift import FEWEST_WEEKS, drifted
from assay.monitoring.estimate import of_windows
from assay.monitoring.profile import layouts
from assay.monitoring.seasons import EARLIER_WEEKS, OTHER_DAYS, Spans, reach_of, spans_of
from assay.monitoring.times import from_microseconds, moment_of, spoken
from assay.tables.column_counts import ColumnCounts, Layout
from assay.tables.live_columns import LAYOUT, Asked, WindowCounts, first_windows, read_windows
from assay.tables.reference_rows import LABEL, PREDICTION, SCORE
from assay.tables.source import Engine

NAMES = {"prediction": PREDICTION, "score": SCORE, "label": LABEL}
"""By role: no feature is called so."""
ROLES = {"prediction": "predicted", "score": "score", "label": "label"}
"""The columns of judged predictions by their role in a reference."""
_WORDS = {"true": "1", "false": "0"}


@dataclass(frozen=True, kw_only=True)
class Watched:
    """What one look found in columns, and what it could not look at."""

    drift: tuple[Drift, ...] = ()
    estimates: Mapping[int, tuple[Quality, ...]] = field(default_factory=dict)
    """Quality without labels, by window."""
    retrospects: tuple[Retrospect, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class When:
    """The newest complete window, and the newest one whose labels should be there."""

    newest: int
    mature: int
    length: int

    @property
    def oldest(self) -> int:
        """The first window that a look may still be compared with."""
        return min(self.newest, self.mature) - reach_of(self.length)

    @property
    def rows_from(self) -> int:
        """The first window of whose rows, and not counts, a look may ask."""
        spans = spans_of(self.newest, length=self.length)
        return min((*spans.week, *spans.earlier))


def compared_columns(monitoring: Monitoring, reference: Reference | None) -> set[str]:
    """The columns of files that queries compare: all but features that are numbers."""
    logs, labels = monitoring.logs, monitoring.labels
    names = {logs.id, logs.row, logs.time, logs.version, logs.prediction, logs.score}
    names |= {*monitoring.slices}
    if labels is not None:
        names |= {labels.id, labels.row, labels.label, labels.time}
    if reference is not None:
        names |= {one.name for one in reference.columns if one.kind != "number"}
    return {name for name in names if name is not None}


def asked_of(reference: Reference, length: int) -> tuple[Asked, tuple[Layout, ...]]:
    """What is counted, without the features; and their layouts by their logged names.

    The caller puts the features in by the columns of the view that it makes of the log.
    """
    laid = layouts(reference)
    pairs = list(zip(reference.columns, laid, strict=True))
    roles = {
        column.role: replace(
            one,
            name=ROLES[column.role],
            values=tuple(_WORDS.get(value, value) for value in one.values),
        )
        for column, one in pairs
        if column.role != "feature"
    }
    score = roles.get("score")
    answers = (roles.get("prediction"), score)
    return Asked(
        key=f"{reference.digest()} {length} {LAYOUT}",
        features=(),
        logged=tuple(one.name for column, one in pairs if column.role == "feature"),
        answers=tuple(one for one in answers if one is not None),
        label=roles.get("label"),
        score=score if score is not None and score.number else None,
        positive=reference.positive,
        length=length,
    ), tuple(one for column, one in pairs if column.role == "feature")


def watch(
    engine: Engine,
    reference: Reference,
    monitoring: Monitoring,
    asked: Asked,
    *,
    when: When,
    version: str,
) -> Watched:
    """Compare the newest windows with the reference and with their hours in earlier weeks.

    Reads the table ``windows``; `version` is the one that serves.
    """
    newest, mature = (spans_of(at, length=when.length) for at in (when.newest, when.mature))
    wanted = {
        at
        for one in (newest, mature)
        for span in (one.week, one.earlier, *one.usual)
        for at in span
    }
    if asked.score is not None:
        wanted |= set(range(when.oldest, when.newest + 1))
    found = read_windows(engine, asked, numbers=sorted(wanted), version=version)
    first = first_windows(engine, version)
    names = dict(zip((one.name for one in asked.features), asked.logged, strict=True))
    names |= {ROLES[role]: name for role, name in NAMES.items()}
    sides = [
        _sides(rows, [one.name for one, _ in listed], found, spans, first[rows])
        for rows, listed in asked.parts()
        if rows in first
        for spans in [mature if rows == "label_rows" else newest]
    ]
    together, notes = _compared(sides, names, when.length)
    drift = drifted(
        reference,
        together.window,
        rule=monitoring.drift,
        week=together.week,
        days=(together.earlier, *together.usual),
        names=NAMES,
        young=together.young,
    )
    estimates, retrospects, unknown = of_windows(
        reference, found, confidence=monitoring.confidence, mature=when.mature
    )
    return Watched(
        drift=drift,
        estimates=estimates,
        retrospects=retrospects,
        notes=(*notes, *([unknown] if unknown else [])),
    )


@dataclass(frozen=True, kw_only=True)
class _Sides:
    """What one part of the columns is compared by; `begun` is its first window."""

    window: dict[str, ColumnCounts]
    week: dict[str, ColumnCounts]
    earlier: tuple[dict[str, ColumnCounts], ...]
    usual: tuple[tuple[dict[str, ColumnCounts], ...], ...] = ()
    young: frozenset[str] = frozenset()
    what: str = ""
    begun: int = 0
    weeks: int = EARLIER_WEEKS
    divides: bool = True


def _sides(
    rows: str,
    columns: Sequence[str],
    found: Mapping[int, WindowCounts],
    spans: Spans,
    begun: int,
) -> _Sides:
    """One part's counts; a column that has no value in the whole week was not logged."""

    def counts(number: int) -> dict[str, ColumnCounts]:
        own = found[number].columns if number in found else {}
        return {name: own[name] for name in columns if name in own}

    listed = [counts(number) for number in spans.week]
    week = {
        name: pooled([one[name] for one in listed if name in one])
        for name in columns
        if any(name in one for one in listed)
    }
    absent = {name for name, one in week.items() if one.rows == one.missing}
    if rows == "feature_rows" and absent != set(week):
        absent = set()  # One of several that is missing everywhere has drifted.
    week = {name: one for name, one in week.items() if name not in absent}
    window = {name: one for name, one in counts(spans.window).items() if name in week}
    earlier, *usual = (
        tuple(counts(number) for number in span if number >= begun)
        for span in (spans.earlier, *spans.usual)
    )
    return _Sides(
        window=window,
        week=week,
        earlier=earlier,
        usual=tuple(usual),
        young=frozenset(week) if begun > spans.week[0] else frozenset(),
        what=_PARTS[rows],
        begun=begun,
        weeks=sum(any(one.values()) for one in earlier),
        divides=bool(spans.earlier),
    )


def _compared(
    sides: Sequence[_Sides], names: Mapping[str, str], length: int
) -> tuple[_Sides, list[str]]:
    """All parts together, by the names that the reference knows; and what is not judged yet."""

    def renamed(counts: Mapping[str, ColumnCounts]) -> dict[str, ColumnCounts]:
        return {names[name]: one for name, one in counts.items()}

    def nothing() -> tuple[dict[str, ColumnCounts], ...]:
        return tuple({} for _ in range(EARLIER_WEEKS))

    usual = tuple(nothing() for _ in range(OTHER_DAYS))
    together = _Sides(window={}, week={}, earlier=nothing(), usual=usual)
    for one in sides:
        together.window.update(renamed(one.window))
        together.week.update(renamed(one.week))
        for mine, own in zip(
            (together.earlier, *together.usual), (one.earlier, *one.usual), strict=False
        ):
            for place, week in enumerate(own):
                mine[place].update(renamed(week))
    young = {names[name] for one in sides for name in one.young}
    return replace(together, young=frozenset(young)), list(_unjudged(sides, length))


def _unjudged(sides: Sequence[_Sides], length: int) -> Iterator[str]:
    for one in sides:
        if one.young:
            yield (
                f"Drift of {one.what}: they begin at "
                f"{moment_of(from_microseconds(one.begun * length))}, and the newest week is not "
                "whole. Until it is, weekdays would look like drift: only missing values and "
                "values never seen are judged."
            )
        elif one.divides and one.weeks < FEWEST_WEEKS:
            yield (
                f"Drift of {one.what} against the same hours of earlier weeks is judged from "
                f"{FEWEST_WEEKS} such weeks on; there are {one.weeks}."
            )
    if sides and not sides[0].divides:
        yield (
            f"Windows of {spoken(length / 1e6)} do not divide a week: nothing is compared with the "
            "same hours of earlier weeks."
        )
    if sides and not any(one.week for one in sides if one.what == "features"):
        yield "Drift of features: the log holds none of the reference's."


_PARTS = {"feature_rows": "features", "answer_rows": "answers", "label_rows": "labels"}
