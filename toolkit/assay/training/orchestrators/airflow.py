"""Airflow 3: a DAG run is triggered under the order's own id, watched, stopped, and asked.

The REST API v2, as https://airflow.apache.org/docs/apache-airflow/stable/stable-rest-api-ref.html
describes it. An order's run id is its key, and the server refuses a second run of one id, so no
retry starts another.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from assay.config import Airflow
from assay.errors import InputError, Location, OutsideError
from assay.training.orchestrators.airflow_logs import Logs
from assay.training.orchestrators.http import Answer, Server
from assay.training.orchestrators.interface import Fetched, Order, Outcome, Run
from assay.training.orchestrators.outputs import Source, read_report
from assay.training.process import Ended, Redactor, Transcript

_API = "/api/v2"
_MOST_ATTEMPTS = 100
_CANCEL_SECONDS = 15.0
_TOKEN, _USER, _PASSWORD = "AIRFLOW_TOKEN", "AIRFLOW_USERNAME", "AIRFLOW_PASSWORD"


@dataclass(kw_only=True)
class AirflowRuns:
    """Orders as runs of one DAG; ``credentials`` are the training's declared secrets by name.

    ``source`` says where the outputs of a run id are. ``sleep`` takes seconds.
    """

    rules: Airflow
    server: Server
    credentials: Mapping[str, str] = field(repr=False)
    source: Callable[[str], Source]
    redact: Redactor
    sleep: Callable[[float], None] = time.sleep
    _token: str | None = field(default=None, init=False, repr=False)
    _order: Order | None = field(default=None, init=False)

    def submit(self, order: Order) -> Run:
        """Trigger the DAG, or attach to the order's run that waits, runs or has succeeded.

        Of a run that failed or was cancelled the next attempt is made, with a number behind its
        id. Raises InputError where there is no such DAG or it is paused.
        """
        self._order = order
        self._demand_dag()
        settings = self.rules.model_dump(mode="json", include={"url", "dag", "conf", "outputs"})
        base = f"assay-{order.model}-{order.key(settings)}"
        for attempt in range(1, _MOST_ATTEMPTS + 1):
            run = base if attempt == 1 else f"{base}.{attempt}"
            conf = self._conf(order, run)
            found = self._run(run)
            if found is None and self._trigger(run, conf):
                return Run(id=run)
            found = found or self._run(run)
            if found is not None and found.get("state") != "failed":
                self._demand_same(found, conf)
                return Run(id=run, attached=True)
        raise OutsideError(
            f"{_MOST_ATTEMPTS} runs of this order have failed.",
            remedy="Look at them in Airflow; a change that is committed is another order.",
        )

    def wait(self, run: Run, *, timeout: float, transcript: Transcript) -> Outcome:
        """Show the tasks' logs as they come, until the run has ended."""
        started = self.server.clock()
        with transcript.foreign(f"Airflow DAG run {run.id}") as write:
            logs = Logs(ask=self._ask, path=self._path(run.id), write=write, redact=self.redact)
            while True:
                found = self._run(run.id)
                if found is None:
                    raise OutsideError(
                        f"Airflow no longer has the DAG run {run.id}.",
                        remedy="Somebody deleted it; `assay train` again submits it anew.",
                    )
                logs.show()
                state, seconds = str(found.get("state")), self.server.clock() - started
                if state == "success":
                    return Outcome(ended=Ended(code=0, seconds=seconds, tail=logs.tail))
                if state == "failed":
                    ended = Ended(code=1, seconds=seconds, tail=logs.tail)
                    return Outcome(
                        ended=ended, reason=f"the DAG run {run.id} failed{logs.failures()}"
                    )
                if seconds >= timeout:
                    ended = Ended(code=None, seconds=seconds, tail=logs.tail)
                    return Outcome(ended=ended, reason=ended.why(f"the DAG run {run.id}", timeout))
                self.sleep(min(self.rules.poll, max(0.1, timeout - seconds)))

    def cancel(self, run: Run) -> None:
        """Have Airflow fail the run, which ends its tasks; what has ended stays as it is."""
        found = self._run(run.id, patience=_CANCEL_SECONDS)
        if found is None or found.get("state") in {"success", "failed"}:
            return
        note = "Cancelled by Assay: the job that waited for it was stopped or timed out."
        answer = self._ask(
            "PATCH",
            self._path(run.id),
            body={"state": "failed", "note": note},
            patience=_CANCEL_SECONDS,
        )
        _demand(answer, "cancel the DAG run")

    def fetch(self, run: Run, folder: Path, transcript: Transcript) -> Fetched:
        """Ask the report task what was trained, then fetch the outputs and check both."""
        task = quote(self.rules.report, safe="")
        path = f"{self._path(run.id)}/taskInstances/{task}/xcomEntries/return_value"
        answer = self._ask("GET", path, query={"deserialize": "false", "stringify": "false"})
        if answer.status == 404:
            raise OutsideError(
                f"the task {self.rules.report} of the DAG run {run.id} returned nothing.",
                remedy="Let it return what was trained, or name another one under `report`.",
            )
        _demand(answer, f"read what the task {self.rules.report} returned")
        found = answer.data.get("value") if isinstance(answer.data, dict) else None
        wanted = self._order.commit if self._order else None
        where = f"the task {self.rules.report} of the DAG run {run.id}"
        report = read_report(found, wanted=wanted, where=where)
        source = self.source(run.id)
        return Fetched(
            lock=source.fetch(report, folder, transcript),
            facts={
                "commit": report.commit,
                "data": {self.redact(name): each for name, each in report.data.items()},
                "outputs": self.redact(source.where),
            },
        )

    def _conf(self, order: Order, run: str) -> dict[str, Any]:
        facts = {**order.facts(), "run": run, "outputs": self.source(run).where}
        return {**self.rules.conf, "assay": facts}

    def _demand_dag(self) -> None:
        dag = self.rules.dag
        answer = self._ask("GET", f"{_API}/dags/{quote(dag, safe='')}")
        if answer.status == 404:
            raise InputError(
                f"Airflow at {self.rules.url} has no DAG {dag}.",
                where=Location(file="assay.yaml"),
                remedy="Name one under train.orchestrator.dag; one with errors is none.",
            )
        _demand(answer, f"read the DAG {dag}")
        if isinstance(answer.data, dict) and answer.data.get("is_paused"):
            raise InputError(
                f"the DAG {dag} is paused, and its runs would wait for ever.",
                remedy=f"Unpause it: airflow dags unpause {dag}.",
            )

    def _trigger(self, run: str, conf: Mapping[str, Any]) -> bool:
        """Create the run; False where one of this id is there by now."""
        body = {"dag_run_id": run, "logical_date": None, "conf": dict(conf)}
        try:
            answer = self._ask("POST", self._path(), body=body)
        except KeyboardInterrupt:
            # Whether it arrived is not known; a run that nobody waits for must not go on.
            self.cancel(Run(id=run))
            raise
        if answer.status == 409:
            return False
        _demand(answer, f"trigger the DAG {self.rules.dag}")
        return True

    def _demand_same(self, found: Mapping[str, Any], conf: Mapping[str, Any]) -> None:
        if found.get("conf") != conf:
            raise OutsideError(
                f"the DAG run {found.get('dag_run_id')} is there already, for another order.",
                remedy="Somebody made it by hand: delete it in Airflow.",
            )

    def _run(self, run: str, *, patience: float | None = None) -> dict[str, Any] | None:
        answer = self._ask("GET", self._path(run), patience=patience)
        if answer.status == 404:
            return None
        _demand(answer, f"read the DAG run {run}")
        if not isinstance(answer.data, dict):
            raise OutsideError(f"Airflow at {self.rules.url} answered no JSON.")
        return answer.data

    def _path(self, run: str | None = None) -> str:
        path = f"{_API}/dags/{quote(self.rules.dag, safe='')}/dagRuns"
        return path if run is None else f"{path}/{quote(run, safe='')}"

    def _ask(self, method: str, path: str, **more: Any) -> Answer:
        """Ask with a token, and once more with a new one where it has run out."""
        headers = {"Authorization": f"Bearer {self._bearer()}"}
        answer = self.server.ask(method, path, headers=headers, **more)
        if answer.status == 401 and _TOKEN not in self.credentials:
            self._token = None
            headers = {"Authorization": f"Bearer {self._bearer()}"}
            answer = self.server.ask(method, path, headers=headers, **more)
        return answer

    def _bearer(self) -> str:
        if _TOKEN in self.credentials:
            return self.credentials[_TOKEN]
        if self._token is None:
            self._token = self._log_in()
        return self._token

    def _log_in(self) -> str:
        if not {_USER, _PASSWORD} <= self.credentials.keys():
            raise InputError(
                "there are no credentials for Airflow among the training's secrets.",
                remedy=f"Declare {_TOKEN}, or {_USER} and {_PASSWORD}, in the secret `training` "
                "(--training-secrets).",
            )
        body = {"username": self.credentials[_USER], "password": self.credentials[_PASSWORD]}
        answer = self.server.ask("POST", "/auth/token", body=body)
        token = answer.data.get("access_token") if isinstance(answer.data, dict) else None
        if answer.status not in {200, 201} or not isinstance(token, str):
            raise OutsideError(
                f"Airflow at {self.rules.url} refuses the login ({answer.status}).",
                remedy=f"Check {_USER} and {_PASSWORD} in the secret `training`.",
            )
        return token


def _demand(answer: Answer, what: str) -> None:
    if answer.status in {401, 403}:
        raise OutsideError(
            f"Airflow does not let these credentials {what} ({answer.status}).",
            remedy="They must be valid, and may read, trigger and edit the runs of the DAG.",
        )
    if not 200 <= answer.status < 300:
        raise OutsideError(f"Airflow would not {what} ({answer.status}): {answer.said}.")
