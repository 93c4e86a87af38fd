"""All data checks of one model: files and rules in, one evidence document out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from assay.checks.catalogue import check_severity, demand_known, severity_of
from assay.checks.deepchecks import not_run
from assay.checks.infer import infer_schema
from assay.checks.schema import DataSchema, Frozen, load_schema
from assay.checks.side import Side
from assay.checks.suite import NAMES, Job, run_checks
from assay.config import CONFIG_NAME, Data, Severity, Task
from assay.errors import InputError, Location
from assay.evidence import DataReport, Dataset, Finding, StageState, file_digest
from assay.tables.formats import detect_format
from assay.tables.profile import profile
from assay.tables.rows import numbered
from assay.tables.source import Engine, open_tables

Suites = Callable[
    [Data, Mapping[str, Side], Task | None], tuple[tuple[str, ...], tuple[Finding, ...]]
]
"""Runs deepchecks on the opened files; names of the checks that ran and findings come out."""


def check_data(
    data: Data,
    folder: Path,
    *,
    model: str,
    base_folder: Path | None = None,
    schema_path: Path | None = None,
    task: Task | None = None,
    suites: Suites | None = None,
) -> DataReport:
    """Check every row of a model's data files.

    ``folder`` is the model's folder; ``base_folder`` the same folder in a worktree that holds the
    base's data: without it nothing is said about drift from the base. ``data`` are the rules that
    judge (the base's). The schema is read from ``schema_path``, else from the base, else from the
    head; ``schema_changed`` says whether the head's text differs. ``suites`` runs deepchecks.

    Raises InputError for rules, columns, schema or files that cannot be used, OutsideError where
    disk or memory fail; see :func:`not_measured`.
    """
    demand_known(data)
    files = _files(data, folder)
    frozen, changed = _schemas(data, folder, base_folder, schema_path)
    for path in files.values():
        detect_format(path)
    digests = {name: file_digest(path) for name, path in files.items()}
    base_files, missing, unchanged = _base_files(data, base_folder, digests)
    opened = {**files, **{f"base_{name}": path for name, path in base_files.items()}}
    with open_tables(opened) as engine:
        sides = {name: _side(engine, name, data) for name in files}
        for side in sides.values():
            _demand_columns(side, data)
        base = {name: _side(engine, f"base_{name}", data) for name in base_files}
        job = Job(data=data, sides=sides, base=base, unchanged=unchanged, frozen=frozen, task=task)
        ran, findings = run_checks(job)
        datasets = _datasets(data, sides, digests)
    findings += missing
    if data.deepchecks is not None:
        more, found = (suites or _no_suites)(data, sides, task)
        ran += more
        findings += found
    blocks = any(severity_of(finding, data) is Severity.BLOCK for finding in findings)
    return DataReport(
        inputs={f"data:{name}": digest for name, digest in digests.items()},
        model=model,
        state=StageState.FAILED if blocks else StageState.PASSED,
        datasets=datasets,
        checks=tuple(ran),
        findings=tuple(findings),
        schema_source="declared" if frozen else "inferred",
        schema_changed=changed,
    )


def _datasets(
    data: Data, sides: Mapping[str, Side], digests: Mapping[str, str]
) -> tuple[Dataset, ...]:
    return tuple(
        Dataset(
            name=name,
            file=str(getattr(data, name)),
            rows=side.rows.count,
            columns=len(side.rows.table.columns),
            sha256=digests[name],
        )
        for name, side in sides.items()
    )


def _no_suites(
    data: Data, sides: Mapping[str, Side], task: Task | None
) -> tuple[tuple[str, ...], tuple[Finding, ...]]:
    """Say that deepchecks was asked for where nothing can run it."""
    del sides, task
    asked = data.deepchecks.suites if data.deepchecks else ()
    why = "deepchecks cannot be run here"
    return (), tuple(not_run(suite, "train/test", why) for suite in asked)


def not_measured(model: str, reason: str) -> DataReport:
    """The evidence of data that could not be checked, with the reason."""
    return DataReport(model=model, state=StageState.NOT_MEASURED, reason=reason)


def freeze(data: Data, folder: Path) -> DataSchema:
    """Infer the schema of a model's data files; what only people know is kept from the file."""
    earlier = load_schema(folder / data.schema_file)
    with open_tables(_files(data, folder)) as engine:
        sides = [_side(engine, name, data) for name in engine.tables]
    return infer_schema(
        [side.profiles for side in sides],
        id_column=data.id,
        earlier=earlier.schema if earlier else None,
    )


def _files(data: Data, folder: Path) -> dict[str, Path]:
    named = {name: getattr(data, name) for name in NAMES}
    files = {name: folder / path for name, path in named.items() if path is not None}
    if not files:
        raise InputError(
            "data names neither train nor test.",
            where=Location(file=CONFIG_NAME),
            remedy="Write `data: {train: data/train.parquet, test: data/test.parquet}`.",
        )
    return files


def _schemas(
    data: Data, folder: Path, base_folder: Path | None, schema_path: Path | None
) -> tuple[Frozen | None, bool]:
    """The schema that judges, and whether the head's is another."""
    own = folder / data.schema_file
    if schema_path is None and base_folder is not None:
        schema_path = base_folder / data.schema_file
    head = load_schema(own, shown_as=data.schema_file)
    if schema_path is None or schema_path == own:
        return head, False
    judging = load_schema(schema_path, shown_as=f"{data.schema_file} of the base")
    if judging is None:
        return head, head is not None
    return judging, head is None or head.text != judging.text


def _base_files(
    data: Data, base_folder: Path | None, digests: Mapping[str, str]
) -> tuple[dict[str, Path], list[Finding], tuple[str, ...]]:
    """The base's files that differ from the head's, those that are missing, and the unchanged."""
    files: dict[str, Path] = {}
    missing: list[Finding] = []
    unchanged: list[str] = []
    off = check_severity("drift-base-head", data.checks) is Severity.OFF
    if base_folder is None or off:
        return files, missing, ()
    for name, digest in digests.items():
        path = base_folder / str(getattr(data, name))
        if not path.is_file():
            missing.append(
                Finding(
                    check="drift-base-head",
                    state="not-run",
                    dataset=f"base/head {name}",
                    message=f"The base has no {getattr(data, name)} to compare with.",
                )
            )
        elif file_digest(path) == digest:
            unchanged.append(name)
        else:
            files[name] = path
    return files, missing, tuple(unchanged)


def _side(engine: Engine, name: str, data: Data) -> Side:
    rows = numbered(engine, name, ignore=data.ignore, id_column=data.id)
    return Side(name=name, rows=rows, profiles=profile(rows))


def _demand_columns(side: Side, data: Data) -> None:
    """Raise InputError for an id or label column that the file has not."""
    for role, name in (("id", data.id), ("label", data.label)):
        if name is not None and side.rows.table.column(name) is None:
            columns = ", ".join(column.name for column in side.rows.table.columns)
            raise InputError(
                f"there is no column {name!r}, which data.{role} names.",
                where=side.rows.table.where,
                remedy=f"The file has {columns[:300]}.",
            )
