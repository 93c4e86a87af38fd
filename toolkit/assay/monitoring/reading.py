"""One reading of logs and labels: everything that is scanned, in one engine, to sums and facts."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path

from assay.config import Labels, Logs, Model, Monitoring
from assay.environments import Tool
from assay.errors import InputError
from assay.evidence import Reference
from assay.monitoring.columns import Watched, When, asked_of, compared_columns, watch
from assay.monitoring.found import Read, Span, serving
from assay.monitoring.measuring import measured
from assay.monitoring.memory import COLUMNS, LEDGER
from assay.monitoring.multivariate import Features, together
from assay.tables import live_columns, live_counts, live_features, live_labels, live_log
from assay.tables.growing import settled
from assay.tables.live_features import BASELINE
from assay.tables.live_versions import read_unknown
from assay.tables.live_windows import count_windows
from assay.tables.log_files import Checked, check_files
from assay.tables.source import Engine, open_tables, scratch_folder


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What is to be read, and what is remembered."""

    model: Model
    monitoring: Monitoring
    logs: tuple[Path, ...]
    labels: tuple[Path, ...]
    state: Path
    span: Span
    reference: Reference | None
    before: tuple[live_counts.Cell, ...]
    known: frozenset[str] = frozenset()
    """The versions that may be judged; empty: all."""
    baseline: tuple[Path, ...] = ()
    """Rows that all features together are compared with."""
    classifier: Tool | None = None
    """What compares them."""


def rows_since(state: Path, reference: Reference | None, monitoring: Monitoring, span: Span) -> int:
    """From when files of the log are opened: farther back where rows of earlier weeks are asked."""
    return _rows_from(since_of(state, reference, span), reference, monitoring, span)


def _rows_from(
    history: int, reference: Reference | None, monitoring: Monitoring, span: Span
) -> int:
    if reference is None or monitoring.drift.multivariate is None:
        return history
    return max(0, min(history, _when(span).rows_from * span.length))


def since_of(state: Path, reference: Reference | None, span: Span) -> int:
    """From when the log is read: as far back as columns are compared, where no counts are kept."""
    if reference is None:
        return span.since
    wanted, _ = asked_of(reference, span.length)
    if live_columns.kept_key(state / COLUMNS) == wanted.key:
        return span.since
    return max(0, min(span.since, _when(span).oldest * span.length))


def read(asked: Reading) -> Read:
    """Read the logs and the labels, and write the label ledger and what was counted of columns.

    A file that is damaged inside is found and left out.
    """
    with scratch_folder() as folder:
        try:
            return _read(asked, folder, deep=False)
        except InputError:
            # Its footer was whole. Every value of every file is read once to find it.
            return _read(asked, folder, deep=True)


def _when(span: Span) -> When:
    return When(newest=span.newest, mature=min(span.mature, span.newest), length=span.length)


@dataclass(frozen=True, kw_only=True)
class _Opened:
    """The files of one reading, by their tables' names, and what could not be opened."""

    files: dict[str, Path]
    logs: Checked
    labels: Checked
    baseline: Checked


def _opened(
    asked: Reading, wanted: live_log.LogColumns, folder: Path, *, history: int, deep: bool
) -> _Opened:
    def hold(path: Path) -> Path | None:
        # What was fetched does not grow.
        fetched = path.is_relative_to(asked.state)
        return path if fetched else settled(path, folder, now=time.time())

    needed = [wanted.id, wanted.time, wanted.prediction]
    needed += [each for each in (wanted.row, wanted.score) if each]
    begun = _rows_from(history, asked.reference, asked.monitoring, asked.span)
    good = check_files(asked.logs, needed, folder, since=(wanted.time, begun), deep=deep, hold=hold)
    truth = Checked(files=(), unreadable=())
    labels = asked.monitoring.labels
    if labels is not None:
        names = [each for each in (labels.id, labels.row, labels.label, labels.time) if each]
        truth = check_files(asked.labels, names, folder, since=None, deep=deep, hold=hold)
    baseline = check_files(asked.baseline, (), folder, since=None, deep=deep)
    files = {
        f"{kind}{place}": path
        for kind, checked in (("log", good), ("labels", truth), (BASELINE, baseline))
        for place, path in enumerate(checked.files)
    }
    ledger = asked.state / LEDGER
    if labels is not None and ledger.exists():
        live_labels.check_ledger(ledger)
        files[live_labels.LEDGER] = ledger
    kept = asked.state / COLUMNS
    if asked.reference is not None and kept.exists() and history == asked.span.since:
        files[live_columns.KEPT] = kept
    return _Opened(files=files, logs=good, labels=truth, baseline=baseline)


def _read(asked: Reading, folder: Path, *, deep: bool) -> Read:
    monitoring, span = asked.monitoring, asked.span
    history = since_of(asked.state, asked.reference, span)
    wanted = _log_columns(monitoring.logs, monitoring.slices)
    opened = _opened(asked, wanted, folder, history=history, deep=deep)
    ledger, aside = asked.state / LEDGER, asked.state / f".{LEDGER}.new"
    kept, beside = asked.state / COLUMNS, asked.state / f".{COLUMNS}.new"
    labels = monitoring.labels
    compared = compared_columns(monitoring, asked.reference)
    with open_tables(opened.files, writes=[aside, beside], compared=compared) as engine:
        absent = live_log.absent_columns(engine, _logs(engine), wanted.slices)
        log = _answers(engine, wanted, since=history, until=span.until)
        unknown = read_unknown(engine, asked.known, length=span.length)
        facts, written, told = None, False, None
        if labels is not None:
            told = _label_columns(labels)
            facts = _labelled(engine, told, span)
            written = live_labels.write_ledger(engine, aside)
        live_labels.make_judged(engine, told, asked.known)
        found = measured(
            engine, asked.model, monitoring, span, before=asked.before, unknown=unknown
        )
        columns = Watched()
        if asked.reference is not None:
            columns = _columns(engine, asked, wanted, found, history)
        # All was readable: nothing is kept of a file that is left out when it is read again.
        if written:
            live_labels.keep_ledger(aside, ledger)
        if asked.reference is not None:
            live_columns.write_windows(engine, beside, kept)
    return replace(
        found,
        unsliced=tuple(name for name in wanted.slices if name in absent),
        log=log,
        labels=facts,
        columns=replace(columns, notes=(*columns.notes, *map(_unread, opened.baseline.unreadable))),
        unreadable_logs=opened.logs.unreadable,
        unreadable_labels=opened.labels.unreadable,
    )


def _unread(why: str) -> str:
    return f"Of the baseline of drift a file is left out: {why}."


def _labelled(
    engine: Engine, columns: live_labels.LabelColumns, span: Span
) -> live_labels.LabelFacts:
    names = [name for name in engine.tables if name.startswith("labels")]
    return live_labels.make_labels(engine, names, columns, at=span.at, until=span.until)


def _answers(
    engine: Engine, wanted: live_log.LogColumns, *, since: int, until: int
) -> live_log.LogFacts:
    names = _logs(engine)
    if not names:
        return live_log.make_no_answers(engine, wanted)
    return live_log.make_answers(engine, names, wanted, since=since, until=until)


def _logs(engine: Engine) -> list[str]:
    return [name for name in engine.tables if name.startswith("log")]


def _columns(
    engine: Engine, asked: Reading, wanted: live_log.LogColumns, found: Read, history: int
) -> Watched:
    assert asked.reference is not None  # noqa: S101 -- the caller has looked
    span, when = asked.span, _when(asked.span)
    counted, features = asked_of(asked.reference, span.length)
    drift = asked.monitoring.drift
    features = tuple(
        replace(one, whole=one.whole and one.name not in drift.ignore) for one in features
    )
    laid = live_features.make_features(engine, _logs(engine), wanted, features)
    coded = live_features.are_coded(engine, _logs(engine))
    counted = replace(counted, features=laid, coded=coded, unseen=drift.unseen)
    end = (span.newest + 1) * span.length
    count_windows(engine, counted, since=history, end=end, oldest=when.oldest)
    watched = watch(
        engine,
        asked.reference,
        asked.monitoring,
        counted,
        when=when,
        version=serving(found.cells) or "",
    )
    rule = drift.multivariate
    if rule is None:
        return watched
    listed = Features(layouts=laid, names=counted.logged).without(drift.ignore)
    tables = [name for name in engine.tables if name.startswith(BASELINE)]
    known = live_features.make_baseline(engine, tables, features) if tables else None
    more = together(
        engine,
        listed,
        rule,
        when=when,
        begun=live_columns.first_windows(engine, "").get("feature_rows"),
        baseline=known,
        tool=asked.classifier,
    )
    return replace(
        watched, drift=(*watched.drift, *more.drift), notes=(*watched.notes, *more.notes)
    )


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
