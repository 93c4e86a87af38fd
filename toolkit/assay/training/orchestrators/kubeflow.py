"""Kubeflow Pipelines: a pipeline is compiled here by the kfp SDK, and run by its server.

The SDK lives in an environment of its own (requirements/kfp.txt), where ``kubeflow_client.py``
speaks to the server; the two meet through files. The server takes two runs of one name, so the
client looks for the order's before it makes one.
"""

from __future__ import annotations

import json
import shlex
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from assay.config import Kubeflow
from assay.errors import InputError, Location, OutsideError
from assay.training.environment import ConsumerEnvironment
from assay.training.orchestrators.interface import Fetched, Order, Outcome, Run
from assay.training.orchestrators.outputs import Source, read_report
from assay.training.process import Ended, Redactor, Transcript

SCRIPT = Path(__file__).with_name("kubeflow_client.py")
REPORT = "report.json"
_SUBMIT_SECONDS = 600.0
_COMPILE_SECONDS = 600.0
_CANCEL_SECONDS = 60.0
_CANCEL_PATIENCE = 15.0


@dataclass(kw_only=True)
class KubeflowRuns:
    """Orders as runs of one pipeline, whose file lies in ``folder``.

    ``environment`` is the one of the kfp SDK; ``source`` says where the outputs of a run are.
    """

    rules: Kubeflow
    environment: ConsumerEnvironment
    folder: Path
    source: Callable[[str], Source]
    transcript: Transcript
    redact: Redactor
    _order: Order | None = field(default=None, init=False)
    _ids: dict[str, str] = field(default_factory=dict, init=False)

    def submit(self, order: Order) -> Run:
        """Compile the pipeline and create its run, or attach to the order's.

        Of a run that failed or was cancelled the next attempt is made, with a number behind its
        name. Raises InputError where the pipeline does not compile or lacks a parameter.
        """
        self._order = order
        settings = self.rules.model_dump(mode="json", exclude={"kind", "poll", "patience"})
        name = f"assay-{order.model}-{order.key(settings)}"
        with tempfile.TemporaryDirectory(prefix="assay-kubeflow-") as scratch:
            package = self._compiled(Path(scratch))
            asked = {
                "package": str(package),
                "name": name,
                "experiment": self.rules.experiment,
                "arguments": self.rules.arguments,
                "facts": order.facts(),
                "outputs": self.rules.outputs,
            }
            try:
                _, answer = self._ask("submit", asked, timeout=_SUBMIT_SECONDS)
            except KeyboardInterrupt:
                # Whether it arrived is not known; a run that nobody waits for must not go on.
                asked = {"experiment": self.rules.experiment, "name": name}
                self._ask("cancel", asked, timeout=_CANCEL_SECONDS, patience=_CANCEL_PATIENCE)
                raise
        self._demand_taken(answer)
        self._ids[answer["name"]] = answer["id"]
        return Run(id=answer["name"], attached=answer["attached"])

    def wait(self, run: Run, *, timeout: float, transcript: Transcript) -> Outcome:  # noqa: ARG002
        """Show the tasks' states as they change, until the run has ended.

        The API of Kubeflow Pipelines has no logs; those are in its own pages.
        """
        asked = {"id": self._ids[run.id], "poll": self.rules.poll}
        title = f"Kubeflow Pipelines run {run.id}"
        ended, answer = self._ask("wait", asked, timeout=timeout, title=title, late=True)
        if ended.code is None:
            return Outcome(ended=ended, reason=ended.why(f"the run {run.id}", timeout))
        if answer["state"] in {"SUCCEEDED", "SKIPPED"}:
            return Outcome(ended=ended)
        said = [f"task {name}: {error}" for name, error in list(answer["errors"].items())[:3]]
        said = said or [answer["error"] or f"it is {answer['state'].lower()}"]
        reason = self.redact(f"the run {run.id} failed: {'; '.join(said)}")[:1000]
        return Outcome(ended=replace(ended, code=1), reason=" ".join(reason.split()))

    def cancel(self, run: Run) -> None:
        """Have the server terminate the run; what has ended stays as it is."""
        asked = {"id": self._ids[run.id]}
        self._ask("cancel", asked, timeout=_CANCEL_SECONDS, patience=_CANCEL_PATIENCE)

    def fetch(self, run: Run, folder: Path, transcript: Transcript) -> Fetched:
        """Read ``report.json`` beside the outputs, then fetch them and check both."""
        source = self.source(run.id)
        where = f"{REPORT} of the run {run.id}"
        found = source.read(REPORT, folder, transcript)
        wanted = self._order.commit if self._order else None
        report = read_report(found, wanted=wanted, where=where)
        return Fetched(
            lock=source.fetch(report, folder, transcript),
            facts={
                "commit": report.commit,
                "data": {self.redact(name): each for name, each in report.data.items()},
                "outputs": self.redact(source.where),
            },
        )

    def _compiled(self, scratch: Path) -> Path:
        """Return the compiled pipeline: the file itself, or what the SDK makes of its Python."""
        source = self.folder / self.rules.pipeline
        where = Location(file=self.rules.pipeline)
        if not source.is_file():
            raise InputError(
                "there is no such pipeline.",
                where=where,
                remedy="Name its Python file, or the compiled one, relative to the model's folder.",
            )
        if source.suffix in {".yaml", ".yml"}:
            return source
        package = scratch / "pipeline.yaml"
        command = ["kfp", "dsl", "compile", "--py", str(source), "--output", str(package)]
        ended = self.environment.run(
            shlex.join(command),
            cwd=self.folder,
            timeout=_COMPILE_SECONDS,
            transcript=self.transcript,
            title=f"kfp dsl compile {self.rules.pipeline}",
        )
        if not ended.succeeded:
            raise InputError(
                f"the pipeline does not compile: {ended.why('kfp', _COMPILE_SECONDS)}.",
                where=where,
                remedy="Its file needs kfp alone: import what a component needs inside it.",
            )
        return package

    def _ask(
        self,
        action: str,
        asked: Mapping[str, Any],
        *,
        timeout: float,
        title: str | None = None,
        patience: float | None = None,
        late: bool = False,
    ) -> tuple[Ended, dict[str, Any]]:
        """Run the client script; ``late`` lets it be stopped at its timeout."""
        rules = self.rules
        server = {
            "url": rules.url,
            "namespace": rules.namespace,
            "patience": rules.patience if patience is None else patience,
        }
        with tempfile.TemporaryDirectory(prefix="assay-kubeflow-") as scratch:
            request, answer = Path(scratch, "request.json"), Path(scratch, "answer.json")
            request.write_text(json.dumps({**server, **asked}), encoding="utf-8")
            ended = self.environment.run(
                shlex.join(["python", "-I", str(SCRIPT), action, str(request), str(answer)]),
                cwd=self.folder,
                timeout=timeout,
                transcript=self.transcript,
                title=title or f"Kubeflow Pipelines: {action}",
            )
            if late and ended.code is None:
                return ended, {}
            found = json.loads(answer.read_text(encoding="utf-8")) if answer.is_file() else None
        if not isinstance(found, dict):
            why = ended.why(f"`{action}`", timeout)
            raise OutsideError(f"the client of Kubeflow Pipelines failed: {self.redact(why)}.")
        self._demand_answer(found)
        return ended, found

    def _demand_answer(self, answer: Mapping[str, Any]) -> None:
        server = f"Kubeflow Pipelines at {self.rules.url}"
        if "unreachable" in answer:
            raise OutsideError(
                f"{server} cannot be reached: {answer['unreachable']}.",
                remedy="What was submitted there goes on; `assay train` again attaches to it.",
            )
        if answer.get("status") in {401, 403}:
            raise OutsideError(
                f"{server} does not let these credentials in ({answer['status']}).",
                remedy="Declare KUBEFLOW_TOKEN in the secret `training` (--training-secrets).",
            )
        if "status" in answer:
            said = " ".join(self.redact(answer["said"]).split())
            raise OutsideError(f"{server} answers {answer['status']}: {said}.")

    def _demand_taken(self, answer: Mapping[str, Any]) -> None:
        where = Location(file=self.rules.pipeline)
        if answer.get("missing"):
            raise InputError(
                f"the pipeline takes no {' and no '.join(answer['missing'])}, so it could not "
                "train what is ordered or say where it is.",
                where=where,
                remedy="Give its function the parameters `commit: str` and `outputs: str`.",
            )
        if answer.get("unknown"):
            raise InputError(
                f"the pipeline has no parameter {', '.join(answer['unknown'])}.",
                where=where,
                remedy="Take it out of train.orchestrator.arguments.",
            )
        if "other" in answer:
            raise OutsideError(
                f"the run {answer['other']} is there already, for another order.",
                remedy="Somebody made it by hand: archive it in Kubeflow Pipelines.",
            )
        if "attempts" in answer:
            raise OutsideError(f"{answer['attempts']} runs of this order have failed.")
