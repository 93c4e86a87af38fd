"""One reading of logs and labels: everything that is scanned, in one engine, to sums and facts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from assay.config import Labels, Logs, Model, Monitoring, Task
from assay.errors import InputError
from assay.evidence import Drift, Quality, Reference
from assay.monitoring.memory import LEDGER
from assay.monitoring.moved import moved
from assay.monitoring.quality import qualities, shown_metrics
from assay.tables import live_counts, live_labels, live_log
from assay.tables.source import Engine, open_tables


@dataclass(frozen=True, kw_only=True)
class Span:
    """What is read, in µs since 1970: from `since` to `at`; a window's length in µs."""

    since: int
    at: int
    length: int
    mature: int
    """The newest window whose labels should be there."""
    until: int
    """What is dated later waits: `at`, and what clocks may differ by."""


@dataclass(frozen=True, kw_only=True)
class Read:
    """What one reading found."""

    cells: tuple[live_counts.Cell, ...]
    delays: dict[int, tuple[float, float]]
    """By window: how late half and 90 % of its labels came, in seconds."""
    metrics: tuple[str, ...]
    sliced: tuple[Quality, ...] = ()
    shares: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Of the mature window: labelled and all predictions, by predicted class."""
    log: live_log.LogFacts = live_log.NOTHING
    labels: live_labels.LabelFacts | None = None
    drift: tuple[Drift, ...] = ()
    unreadable_logs: tuple[str, ...] = ()
    unreadable_labels: tuple[str, ...] = ()


def read(
    model: Model,
    monitoring: Monitoring,
    sources: tuple[Sequence[Path], Sequence[Path]],
    *,
    state: Path,
    span: Span,
    reference: Reference | None = None,
) -> Read:
    """Read the logs and the labels, and write the label ledger.

    A file that is damaged inside is found and left out.
    """
    try:
        return _read(
            model, monitoring, sources, state=state, span=span, reference=reference, deep=False
        )
    except InputError:
        # Its footer was whole. Every value of every file is read once to find it.
        return _read(
            model, monitoring, sources, state=state, span=span, reference=reference, deep=True
        )


def _read(
    model: Model,
    monitoring: Monitoring,
    sources: tuple[Sequence[Path], Sequence[Path]],
    *,
    state: Path,
    span: Span,
    reference: Reference | None,
    deep: bool,
) -> Read:
    logs, labels = sources
    asked, wanted = monitoring.labels, _log_columns(monitoring.logs, monitoring.slices)
    needed = [wanted.id, wanted.time, wanted.prediction]
    needed += [each for each in (wanted.row, wanted.score) if each]
    good = live_log.check_files(logs, needed, since=(wanted.time, span.since), deep=deep)
    truth = live_log.Checked(files=(), unreadable=())
    if asked is not None:
        names = [each for each in (asked.id, asked.row, asked.label, asked.time) if each]
        truth = live_log.check_files(labels, names, since=None, deep=deep)
    files = {f"log{place}": path for place, path in enumerate(good.files)}
    files |= {f"labels{place}": path for place, path in enumerate(truth.files)}
    ledger, aside = state / LEDGER, state / f".{LEDGER}.new"
    if asked is not None and ledger.exists():
        live_labels.check_ledger(ledger)
        files[live_labels.LEDGER] = ledger
    with open_tables(files, writes=[aside]) as engine:
        log = _answers(engine, wanted, span)
        facts = None
        if asked is not None:
            columns = _label_columns(asked)
            facts = live_labels.make_labels(
                engine,
                [name for name in files if name.startswith("labels")],
                columns,
                at=span.at,
                until=span.until,
            )
            live_labels.make_judged(engine, columns)
            live_labels.write_ledger(engine, aside, ledger)
        else:
            live_labels.make_judged(engine, None)
        found = _counted(engine, model, monitoring, span)
        named = [name for name in files if name.startswith("log")]
        drift: tuple[Drift, ...] = ()
        if reference is not None and named:
            end = span.at // span.length * span.length
            rule, length = monitoring.drift, span.length
            drift = moved(engine, named, wanted, reference, rule, end=end, length=length)
    return replace(
        found,
        log=log,
        labels=facts,
        drift=drift,
        unreadable_logs=good.unreadable,
        unreadable_labels=truth.unreadable,
    )


def _answers(engine: Engine, wanted: live_log.LogColumns, span: Span) -> live_log.LogFacts:
    names = [name for name in engine.tables if name.startswith("log")]
    if not names:
        return live_log.make_no_answers(engine, wanted)
    return live_log.make_answers(engine, names, wanted, since=span.since, until=span.until)


def _counted(engine: Engine, model: Model, monitoring: Monitoring, span: Span) -> Read:
    numbers = model.task is Task.REGRESSION if model.task else live_counts.numbers_of(engine)
    positive = None if numbers else _positive(engine, model)
    cells = live_counts.read_cells(engine, length=span.length, positive=positive)
    scored = any(cell.sums.bins for cell in cells)
    metrics = shown_metrics(monitoring.quality, numbers=numbers, positive=positive, scored=scored)
    sliced: list[Quality] = []
    for place, column in enumerate(monitoring.slices):
        for value in live_counts.slice_values(engine, place):
            where = live_counts.in_slice(place, value, window=span.mature, length=span.length)
            parts = live_counts.read_cells(
                engine, length=span.length, positive=positive, where=where
            )
            for part in parts:
                sliced += qualities(
                    metrics,
                    part.sums,
                    confidence=monitoring.confidence,
                    of_slice=f"{column}={value}",
                )
    shares = {}
    if not numbers:
        shares = live_counts.read_labelled_shares(engine, window=span.mature, length=span.length)
    return Read(
        cells=cells,
        delays=live_counts.read_delays(engine, length=span.length),
        metrics=metrics if monitoring.labels is not None else (),
        sliced=tuple(sliced),
        shares=shares,
    )


def _positive(engine: Engine, model: Model) -> str | None:
    """The positive class as the tables write it; 1 where the classes are 0 and 1."""
    named = model.columns.positive
    if named is not None:
        return str(int(named)) if isinstance(named, bool) else str(named)
    classes = set(live_counts.classes_of(engine))
    return "1" if classes <= {"0", "1"} and classes else None


def _log_columns(logs: Logs, slices: tuple[str, ...]) -> live_log.LogColumns:
    return live_log.LogColumns(
        id=logs.id,
        row=logs.row,
        time=logs.time,
        version=logs.version,
        prediction=logs.prediction,
        score=logs.score,
        slices=slices,
    )


def _label_columns(labels: Labels) -> live_labels.LabelColumns:
    return live_labels.LabelColumns(
        id=labels.id, row=labels.row, label=labels.label, time=labels.time
    )
