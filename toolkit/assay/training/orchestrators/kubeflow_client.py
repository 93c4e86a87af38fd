"""Speak to Kubeflow Pipelines: ``python kubeflow_client.py submit|wait|cancel request answer``.

A script of its own for an environment of its own (requirements/kfp.txt): the toolkit starts it and
never imports it, and it imports nothing of the toolkit. Request and answer are JSON files; what is
printed is for the log. A token comes as the variable KUBEFLOW_TOKEN.
"""

from __future__ import annotations

import json
import os
import sys
import time
import warnings
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

Answer = dict[str, Any]
_OVER = {"SUCCEEDED", "SKIPPED", "FAILED", "CANCELED"}
_LOST = {"FAILED", "CANCELED", "CANCELING"}
_MOST_ATTEMPTS = 100
_BUSY = {0, 429, 500, 502, 503, 504}


class Unreachable(Exception):
    """The server did not answer in time."""


class Server:
    """The SDK's client, asked again while the server is out of reach."""

    def __init__(self, url: str, namespace: str, patience: float) -> None:
        self.patience = patience
        self._url = url
        self._namespace = namespace
        self._made: Any = None

    def ask(self, call: Callable[[Any], Any], patience: float | None = None) -> Any:
        """Call with the client; raises Unreachable once the patience is over."""
        ends, pause = time.monotonic() + (self.patience if patience is None else patience), 0.5
        while True:
            try:
                return call(self._client())
            except Exception as error:
                status = getattr(error, "status", None)
                if status is not None and status not in _BUSY:
                    raise
                if status is None and "urllib3" not in type(error).__module__:
                    raise
                if time.monotonic() + pause > ends:
                    why = f"it answers {status}" if status else "no connection"
                    raise Unreachable(why) from None
            time.sleep(pause)
            pause = min(10.0, pause * 2)

    def _client(self) -> Any:
        if self._made is None:
            # The SDK's own way of asking for health hides what the server answers.
            once = {"get_kfp_healthz": lambda made: made._healthz_api.healthz_service_get_healthz()}
            kind: Any = type("Client", (import_module("kfp").Client,), once)
            token = os.environ.get("KUBEFLOW_TOKEN")
            client = kind(host=self._url, namespace=self._namespace, existing_token=token)
            # The SDK's own retries would hide a lost answer, and send a creation twice.
            client._run_api.api_client.rest_client.pool_manager.connection_pool_kw["retries"] = 0
            self._made = client
        return self._made


def submit(server: Server, asked: Answer) -> Answer:
    """Create the run of a name, or find the one that waits, runs or has succeeded."""
    declared = _parameters(Path(asked["package"]))
    missing = [name for name in ("commit", "outputs") if name not in declared]
    unknown = sorted(set(asked["arguments"]) - declared)
    if missing or unknown:
        return {"missing": missing, "unknown": unknown}
    experiment = server.ask(lambda client: client.create_experiment(name=asked["experiment"]))
    place = experiment.experiment_id
    for attempt in range(1, _MOST_ATTEMPTS + 1):
        name = asked["name"] if attempt == 1 else f"{asked['name']}.{attempt}"
        told = {**asked["facts"], "run": name, "outputs": asked["outputs"].replace("{run}", name)}
        told = {key: each for key, each in told.items() if key in declared and each is not None}
        arguments = {**asked["arguments"], **told}
        found, made = _found_or_made(server, asked["package"], place, name, arguments)
        if found.state in _LOST:
            continue
        known = found.runtime_config.parameters if found.runtime_config else None
        if dict(known or {}) != arguments:
            return {"other": name}
        return {"id": found.run_id, "name": name, "attached": found.run_id != made}
    return {"attempts": _MOST_ATTEMPTS}


def _found_or_made(
    server: Server, package: str, place: str, name: str, arguments: Answer
) -> tuple[Any, str | None]:
    """Return the one run of a name, and the id of what was made here.

    The server takes two runs of one name. So a creation without an answer is looked for before it
    is sent again, and of those that were made at once the first one stays.
    """
    made = None
    ends = time.monotonic() + server.patience
    while not (found := _named(server, place, name)):
        if made is not None:
            # Made, and not listed yet.
            return _run(server, made), made
        try:
            created = server.ask(
                lambda client: client.create_run_from_pipeline_package(
                    package,
                    arguments=arguments,
                    run_name=name,
                    experiment_id=place,
                    enable_caching=False,
                ),
                patience=0,
            )
            made = created.run_id
        except Unreachable:
            if time.monotonic() > ends:
                raise
            time.sleep(1)
    _stop(server, found[1:])
    return found[0], made


def _named(server: Server, place: str, name: str) -> list[Any]:
    """Return the runs of a name, the first one first; what ended without success comes last."""
    found = [run for run in _listed(server, place, name) if run.display_name == name]
    return sorted(found, key=lambda run: (run.state in _LOST, run.created_at, run.run_id))


def _listed(server: Server, place: str, part: str) -> list[Any]:
    predicate = {"operation": "IS_SUBSTRING", "key": "display_name", "stringValue": part}
    wanted = json.dumps({"predicates": [predicate]})
    answer = server.ask(
        lambda client: client.list_runs(
            experiment_id=place, filter=wanted, page_size=100, sort_by="created_at"
        )
    )
    return list(answer.runs or ())


def _stop(server: Server, runs: list[Any]) -> None:
    for each in runs:
        if each.state not in _OVER:
            _terminate(server, each.run_id)


def _run(server: Server, run: str) -> Any:
    return server.ask(lambda client: client.get_run(run))


def _terminate(server: Server, run: str) -> None:
    server.ask(lambda client: client.terminate_run(run))


def wait(server: Server, asked: Answer) -> Answer:
    """Print each task's changes of state until the run is over."""
    shown: dict[str, str] = {}
    errors: dict[str, str] = {}
    while True:
        run = _run(server, asked["id"])
        details = run.run_details.task_details if run.run_details else None
        for task in details or ():
            name, state = task.display_name or task.task_id, task.state or "PENDING"
            if shown.get(name) != state:
                print(f"[{name}] {state.lower()}", flush=True)
            shown[name] = state
            if state == "FAILED":
                errors[name] = (task.error.message if task.error else None) or "no reason given"
        if run.state in _OVER:
            for name, error in errors.items():
                print(f"[{name}] {error}", flush=True)
            own = run.error.message if run.error else None
            return {"state": run.state, "errors": errors, "error": own}
        time.sleep(asked["poll"])


def cancel(server: Server, asked: Answer) -> Answer:
    """Terminate a run by its id, or every one that was submitted under a name."""
    if "id" in asked:
        runs = [_run(server, asked["id"])]
    else:
        experiment = server.ask(lambda client: client.create_experiment(name=asked["experiment"]))
        runs = _listed(server, experiment.experiment_id, asked["name"])
    _stop(server, runs)
    return {}


def _parameters(package: Path) -> set[str]:
    """Return the names of a compiled pipeline's parameters."""
    yaml = import_module("yaml")
    spec = next(yaml.safe_load_all(package.read_text(encoding="utf-8")))
    definitions = spec.get("root", {}).get("inputDefinitions", {})
    return set(definitions.get("parameters", {}))


def main(action: str, request: str, answer: str) -> None:
    """Do what is asked, and write the answer."""
    warnings.simplefilter("ignore")
    asked = json.loads(Path(request).read_text(encoding="utf-8"))
    server = Server(asked["url"], asked["namespace"], asked["patience"])
    try:
        found = {"submit": submit, "wait": wait, "cancel": cancel}[action](server, asked)
    except Unreachable as why:
        found = {"unreachable": str(why)}
    except Exception as error:
        status = getattr(error, "status", None)
        if status is None:
            raise
        found = {"status": status, "said": str(getattr(error, "body", ""))[:300]}
    Path(answer).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
