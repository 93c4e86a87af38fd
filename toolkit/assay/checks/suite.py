"""Which checks look at which files, in which order; those that are off do not run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from assay.checks.catalogue import CHECKS, RULE_PREFIX, check_severity
from assay.checks.conformance import (
    columns_as_declared,
    columns_of_other_types,
    schema_probes,
    settled_columns,
    unique_as_declared,
)
from assay.checks.contents import (
    balance_probes,
    constant_columns,
    content_probes,
    duplicate_ids,
    duplicate_rows,
    has_classes,
    label_conflicts,
)
from assay.checks.drift import drifted
from assay.checks.rules import broken_rules
from assay.checks.schema import Frozen
from assay.checks.side import Probe, Side, run_probes
from assay.checks.splits import BOTH, leaked_keys, leaked_rows, same_columns, unseen_classes
from assay.config import Data, Severity, Task
from assay.evidence import Finding

NAMES = ("train", "test")
_SCHEMA_PROBES = (
    "schema-types",
    "schema-nulls",
    "schema-ranges",
    "schema-categories",
    "schema-patterns",
)

Step = tuple[tuple[str, ...], Callable[[], list[Finding]]]
"""The names of checks and the function that runs them."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """What is checked: the rules, the opened files, the schema, and the base's files if any.

    ``sides`` are the head's files by name, ``base`` those of the base's that differ from them,
    ``unchanged`` the names of those that do not.
    """

    data: Data
    sides: Mapping[str, Side]
    base: Mapping[str, Side]
    unchanged: tuple[str, ...]
    frozen: Frozen | None
    task: Task | None

    def on(self, name: str) -> bool:
        """Whether a check is on."""
        return check_severity(name, self.data.checks) is not Severity.OFF


def run_checks(job: Job) -> tuple[list[str], list[Finding]]:
    """Run every check that is on; the names of those that ran, and what they found."""
    ran: set[str] = set()
    findings: list[Finding] = []
    for names, step in _steps(job):
        on = {name for name in names if job.on(name)}
        if on:
            ran |= on
            findings += [finding for finding in step() if finding.check in on]
    if job.unchanged and job.on("drift-base-head"):
        ran.add("drift-base-head")
    for side in job.sides.values():
        findings += broken_rules(side, job.data.rules)
    rules = [
        f"{RULE_PREFIX}{rule.name}" for rule in job.data.rules if rule.severity is not Severity.OFF
    ]
    return [name for name in CHECKS if name in ran] + rules, findings


def _steps(job: Job) -> Iterator[Step]:
    for side in job.sides.values():
        if job.frozen is not None:
            yield from _schema_steps(job, side, job.frozen)
        yield from _content_steps(job, side)
    if len(job.sides) == len(NAMES):
        yield from _split_steps(job, job.sides["train"], job.sides["test"])
    for name, base in job.base.items():
        yield _drift_step(job, "drift-base-head", f"base/head {name}", base, job.sides[name])


def _schema_steps(job: Job, side: Side, frozen: Frozen) -> Iterator[Step]:
    data = job.data
    yield ("schema-columns",), lambda: columns_as_declared(side, frozen, data.ignore)
    yield ("schema-types",), lambda: columns_of_other_types(side, frozen)
    yield ("schema-unique",), lambda: unique_as_declared(side, frozen, but=data.id)


def _content_steps(job: Job, side: Side) -> Iterator[Step]:
    id_column, label = job.data.id, job.data.label
    label = label if side.has(label) else None
    probed = ["missing-values", "non-finite-values"]
    if job.frozen is not None:
        probed += _SCHEMA_PROBES
    if side.has(id_column):
        probed.append("duplicate-ids")
    if label is not None:
        probed.append("label-missing")
    classes = label is not None and has_classes(side.profiles[label], job.task)
    if classes:
        probed.append("class-balance")
    yield tuple(probed), lambda: run_probes(side, _probes(job, side, label if classes else None))
    yield ("constant-columns",), lambda: constant_columns(side)
    if id_column is not None and side.has(id_column):
        yield ("duplicate-ids",), lambda: duplicate_ids(side, id_column)
    yield ("duplicate-rows",), lambda: duplicate_rows(side, id_column)
    if label is not None and classes:
        yield ("label-conflicts",), lambda: label_conflicts(side, label, id_column)


def _probes(job: Job, side: Side, classes: str | None) -> list[Probe]:
    """Every condition on single rows, of checks that are on, to be counted in one scan."""
    settled = settled_columns(job.frozen) if job.frozen and job.on("schema-nulls") else set()
    probes = content_probes(side, label=job.data.label, id_column=job.data.id, settled=settled)
    if job.frozen is not None:
        probes += schema_probes(side, job.frozen)
    if classes is not None:
        probes += balance_probes(side, classes)
    told = {
        job.data.label: job.on("label-missing"),
        job.data.id: job.on("duplicate-ids"),
    }
    return [
        probe
        for probe in probes
        if job.on(probe.check)
        # A missing label or id is told once, by the check of its own.
        and not (probe.check == "schema-nulls" and told.get(probe.columns[0]))
    ]


def _split_steps(job: Job, train: Side, test: Side) -> Iterator[Step]:
    data = job.data
    id_column, label = data.id, data.label
    yield ("train-test-columns",), lambda: same_columns(train, test)
    if label is not None and train.has(label) and has_classes(train.profiles[label], job.task):
        yield ("label-unseen",), lambda: unseen_classes(train, test, label)
    if id_column is not None:
        yield ("leakage-ids",), lambda: leaked_keys(train, test, (id_column,), "leakage-ids")
    if data.keys:
        yield ("leakage-keys",), lambda: leaked_keys(train, test, data.keys, "leakage-keys")
    yield ("leakage-rows",), lambda: leaked_rows(train, test, id_column)
    yield _drift_step(job, "drift-train-test", BOTH, train, test)


def _drift_step(job: Job, check: str, dataset: str, reference: Side, current: Side) -> Step:
    leave_out = {name for name in (job.data.id, *job.data.keys) if name is not None}
    return (check,), lambda: drifted(
        reference,
        current,
        check=check,
        dataset=dataset,
        max_psi=job.data.max_psi,
        leave_out=leave_out,
    )
