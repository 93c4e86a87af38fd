"""Train on a server: by its orchestrator, from the commit, with what it says of itself kept."""

from __future__ import annotations

import time
from dataclasses import replace
from urllib.parse import urlsplit

from assay.config import Airflow, Kubeflow, Remote
from assay.errors import InputError, OutsideError
from assay.evidence import Lineage, OrchestratedRun, StageState, Training
from assay.training.environment import ConsumerEnvironment
from assay.training.job import Job, Tools, collect
from assay.training.lineage import lineage_of
from assay.training.orchestrators.airflow import AirflowRuns
from assay.training.orchestrators.http import Server
from assay.training.orchestrators.interface import Carried, Orchestrator, Order, carry_out
from assay.training.orchestrators.kubeflow import KubeflowRuns
from assay.training.orchestrators.outputs import DVC, Source, output_names


def train_elsewhere(job: Job, tools: Tools, rules: Airflow | Kubeflow) -> Training:
    """Have a server make the model of ``job``, fetch its outputs and keep them.

    A run that fails or times out is ``failed``, with the reason. Raises InputError where what is
    to be trained is not committed or the server's settings are wrong, OutsideError where it cannot
    be reached or its outputs cannot be had, IntegrityError where they are not what it reports.
    """
    _demand_committed(job, rules)
    started, clock = tools.now(), time.monotonic()
    environment = tools.builder.bare(rules.kind)
    if rules.outputs == DVC or "://" in rules.outputs:
        environment = tools.builder.with_dvc(environment, tools.transcript)
    carried = carry_out(
        _orchestrator(job, tools, rules, environment),
        _order(job),
        folder=job.checkout.folder,
        timeout=job.model.train.timeout,
        transcript=tools.transcript,
    )
    run = OrchestratedRun(
        orchestrator=rules.kind,
        server=rules.url,
        run=carried.run.id,
        attached=carried.run.attached,
        **carried.fetched.facts,
    )
    result = {"state": StageState.FAILED, "reason": carried.reason}
    if carried.reason is None:
        kept = collect(job.model, job.checkout.folder, job.target)
        result = {"state": StageState.FAILED, **kept}
    return Training(
        model=job.name,
        side=job.side,
        command=f"{rules.kind}: {rules.dag if isinstance(rules, Airflow) else rules.pipeline}",
        started=started.isoformat(timespec="seconds"),
        seconds=round(time.monotonic() - clock, 3),
        lineage=_lineage(job, environment, rules, run, carried),
        orchestrated=run,
        **result,
    )


def _demand_committed(job: Job, rules: Airflow | Kubeflow) -> None:
    if job.side.endswith("-only"):
        raise InputError(
            f"{rules.kind} trains commits, and code and data of two sides are none.",
            remedy="Leave attribution out, or train in the job.",
        )
    checkout = job.checkout
    inside = checkout.folder.relative_to(checkout.root)
    # What an earlier try fetched is no change of anybody's.
    fetched = {(inside / name).as_posix() for name in output_names(job.model)}
    changed = [
        path for path in checkout.changed if not any(_within(path, name) for name in fetched)
    ]
    if changed or (checkout.dirty and not checkout.changed):
        named = f" ({', '.join(changed[:3])})" if changed else ""
        raise InputError(
            f"{rules.kind} trains what is committed, and the work tree has changes{named}.",
            remedy="Commit and push them first.",
        )


def _within(path: str, name: str) -> bool:
    return path == name or path.startswith(f"{name}/")


def _orchestrator(
    job: Job, tools: Tools, rules: Airflow | Kubeflow, environment: ConsumerEnvironment
) -> Orchestrator:
    builder = tools.builder

    def source(run: str) -> Source:
        where = rules.outputs.replace("{run}", run)
        return Source(where=where, model=job.model, environment=environment, root=job.checkout.root)

    if isinstance(rules, Kubeflow):
        return KubeflowRuns(
            rules=rules,
            environment=_with_kfp(tools, environment),
            folder=job.checkout.folder,
            source=source,
            transcript=tools.transcript,
            redact=builder.redact,
        )
    return AirflowRuns(
        rules=rules,
        server=Server(name="Airflow", url=rules.url, patience=rules.patience),
        # Only what was declared as a secret: nothing else of the job is known to be masked.
        credentials={name: builder.variables[name] for name in builder.inside},
        source=source,
        redact=builder.redact,
    )


def _with_kfp(tools: Tools, environment: ConsumerEnvironment) -> ConsumerEnvironment:
    """Put the SDK's own environment first on PATH, made from its lock where there is none yet."""
    if tools.builder.kfp_lock is None:
        raise OutsideError(
            "the kfp SDK cannot be installed: its lock is not here.",
            remedy="Run the command by toolkit/bin/assay.",
        )
    programs = tools.builder.locked(tools.builder.kfp_lock, tools.transcript)
    return replace(environment, path=(programs, *environment.path))


def _order(job: Job) -> Order:
    checkout = job.checkout
    return Order(
        model=job.name,
        commit=checkout.revision.commit,
        path=checkout.folder.relative_to(checkout.root).as_posix(),
        command=job.model.train.command,
        seed=job.model.train.seed,
    )


def _lineage(
    job: Job,
    environment: ConsumerEnvironment,
    rules: Remote,
    run: OrchestratedRun,
    carried: Carried,
) -> Lineage:
    """The code is the commit's; data is what dvc.lock says that came along, else the report."""
    host = urlsplit(rules.url).hostname or rules.url
    made = lineage_of(environment, job.checkout, seed=job.model.train.seed, host=host)
    changed = {"platform": None, "python": None}
    if carried.reason is None and not carried.fetched.lock:
        reported = {f"data:{name}": digest for name, digest in run.data.items()}
        return made.model_copy(update={**changed, "dvc": reported})
    return made.model_copy(update=changed)
