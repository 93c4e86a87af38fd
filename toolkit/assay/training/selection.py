"""Model selection: DVC's experiments, and the best of them by a number on validation data."""

from __future__ import annotations

import hashlib
import json
import math
import secrets
import shlex
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assay.config import Parameters, Selection
from assay.errors import InputError, Location, OutsideError
from assay.evidence import Experiment, ModelSelection
from assay.training import dvc
from assay.training.apart import demand_apart
from assay.training.environment import ConsumerEnvironment
from assay.training.experiment_queue import end_groups, running_groups, was_used
from assay.training.lineage import Checkout
from assay.training.orchestrators.interface import heeding_signals
from assay.training.outputs import value_at
from assay.training.process import Ended, Transcript

_SHOW_SECONDS = 600.0
_SHOWN = ".dvc-experiments.json"
_STOP_SECONDS = 60.0
_SIGNED = {
    "GIT_AUTHOR_NAME": "Assay",
    "GIT_AUTHOR_EMAIL": "assay@localhost",
    "GIT_COMMITTER_NAME": "Assay",
    "GIT_COMMITTER_EMAIL": "assay@localhost",
}
"""Experiments are commits; a runner's git has no name of its own to give them."""


class NotChosenError(Exception):
    """No experiment could be chosen; the text says why."""


@dataclass(frozen=True, kw_only=True)
class Search:
    """A selection, and where its experiments run; ``judged`` are the gate's own files.

    ``committed`` says that the work tree is the checkout's commit and nothing else.
    """

    rules: Selection
    judged: frozenset[str]
    environment: ConsumerEnvironment
    checkout: Checkout
    transcript: Transcript
    timeout: float
    committed: bool
    variables: Mapping[str, str] = field(default_factory=dict)

    def run(self, command: str, *, timeout: float, title: str | None = None) -> Ended:
        """Run a command of DVC in the model's folder."""
        known = self.environment.variables
        signed = {name: known.get(name, value) for name, value in _SIGNED.items()}
        return self.environment.run(
            command,
            cwd=self.checkout.folder,
            timeout=timeout,
            transcript=self.transcript,
            extra={**signed, **self.variables},
            title=title,
        )


def choose(search: Search) -> ModelSelection:
    """Run every experiment, and put the best one's files into the work tree.

    Experiments of the same commit and parameters that are there already are not run again. Of
    equal values the first in the configuration is taken. Raises InputError where the metric comes
    from a stage that sees the gate's test set, and NotChosenError where none has a number.
    """
    demand_apart(search.rules.metric.file, search.judged, search.checkout)
    named = {_name(each, search): each for each in search.rules.candidates}
    before = _shown(search) if search.committed else {}
    there = {name for name in named if _value(before.get(name), search)[0] is not None}
    missing = {name: each for name, each in named.items() if name not in there}
    if missing:
        _run_all(search, missing)
    shown = _shown(search)
    made = tuple(_experiment(search, name, each, shown, there) for name, each in named.items())
    best = _best(made, search.rules)
    _apply(search, best.name)
    demand_apart(search.rules.metric.file, search.judged, search.checkout)
    return ModelSelection(
        metric=f"{search.rules.metric.file}:{search.rules.metric.key}",
        direction=search.rules.direction,
        chosen=best.name,
        experiments=made,
    )


def _name(parameters: Parameters, search: Search) -> str:
    # What is not committed has no name: its experiments are never taken for another's.
    once = "" if search.committed else secrets.token_hex(8)
    facts = [search.checkout.revision.commit, once, parameters, dict(search.variables)]
    text = json.dumps(facts, sort_keys=True)
    return f"assay-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def _run_all(search: Search, experiments: Mapping[str, Parameters]) -> None:
    """Queue them, run the queue, and leave no worker behind."""
    ends = time.monotonic() + search.timeout
    _end_earlier(search)
    for name, parameters in experiments.items():
        given = " ".join(f"-S {shlex.quote(_override(*each))}" for each in parameters.items())
        queued = f"dvc exp run --queue --force --name {name} {given}"
        _demand(search.run(queued, timeout=_left(ends)), f"`{queued}`", search.timeout)
    command = f"dvc exp run --run-all --jobs {search.rules.jobs}"
    ended: Ended | None = None
    try:
        with heeding_signals():
            ended = search.run(command, timeout=_left(ends))
    finally:
        if ended is None or not ended.succeeded:
            _stop(search)
    _demand(ended, f"`{command}`", search.timeout)


def _end_earlier(search: Search) -> None:
    """Stop what a killed try left running, and empty its queue: nothing is to run twice at once."""
    repo = dvc.find_repo(search.checkout.folder, search.checkout.root)
    if repo is not None and was_used(repo.folder):
        _stop(search)
        search.run("dvc queue remove --all", timeout=_SHOW_SECONDS)


def _stop(search: Search) -> None:
    """Stop the queue's workers, which go on without whoever started them, and what they run."""
    repo = dvc.find_repo(search.checkout.folder, search.checkout.root)
    groups: tuple[int, ...] = ()
    if repo is not None and search.environment.container is None:
        groups = running_groups(repo.folder, search.environment.variables)
    search.run("dvc queue stop --kill", timeout=_STOP_SECONDS)
    end_groups(groups)


def _left(ends: float) -> float:
    return max(1.0, ends - time.monotonic())


def _demand(ended: Ended, what: str, timeout: float) -> None:
    if not ended.succeeded:
        raise NotChosenError(dvc.failure(ended, what, timeout))


def _override(name: str, value: object) -> str:
    """Write ``name=value`` in Hydra's grammar, in which a comma would make several values."""
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace("'", "\\'")
        return f"{name}='{escaped}'"
    return f"{name}={json.dumps(value)}"


def _shown(search: Search) -> dict[str, dict[str, Any]]:
    """Return what ``dvc exp show`` says of the experiments upon this commit, by name."""
    file = search.checkout.folder / _SHOWN
    try:
        ended = search.run(
            f"dvc exp show --json --force > {_SHOWN}", timeout=_SHOW_SECONDS, title="dvc exp show"
        )
        _demand(ended, "`dvc exp show`", _SHOW_SECONDS)
        data = json.loads(file.read_text(encoding="utf-8"))
        commits = [each for each in data if each["rev"] == search.checkout.revision.commit]
        found = [each for commit in commits for each in commit["experiments"] or ()]
        return {str(each["name"]): each["revs"][0] for each in found if each.get("revs")}
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        raise OutsideError("`dvc exp show` gave no JSON that could be read.") from None
    finally:
        file.unlink(missing_ok=True)


def _value(revision: Mapping[str, Any] | None, search: Search) -> tuple[float | None, str | None]:
    """Return an experiment's number, or why it has none."""
    metric = search.rules.metric
    if revision is None:
        return None, "DVC does not list it"
    error = revision.get("error")
    if error:
        return None, str(error.get("msg", error))[:300]
    files = (revision.get("data") or {}).get("metrics") or {}
    inside = search.checkout.folder.relative_to(search.checkout.root) / metric.file
    entry = files.get(metric.file) or files.get(inside.as_posix())
    if entry is None:
        return None, f"{metric.file} is no metrics file of dvc.yaml"
    if "data" not in entry:
        return None, f"it left no {metric.file}"
    found = value_at(entry["data"], metric.key)
    if isinstance(found, bool) or not isinstance(found, int | float) or not math.isfinite(found):
        return None, f"{metric.key} in {metric.file} is no finite number"
    return float(found), None


def _experiment(
    search: Search,
    name: str,
    parameters: Parameters,
    shown: Mapping[str, Mapping[str, Any]],
    there: set[str],
) -> Experiment:
    value, reason = _value(shown.get(name), search)
    return Experiment(
        name=name,
        params={
            search.environment.redact(key): search.environment.redact(str(each))
            for key, each in parameters.items()
        },
        commit=str(shown[name]["rev"]) if name in shown else None,
        value=value,
        reason=reason and search.environment.redact(reason),
        reused=name in there,
    )


def _best(made: tuple[Experiment, ...], rules: Selection) -> Experiment:
    measured = [(each.value, each) for each in made if each.value is not None]
    if not measured:
        raise NotChosenError(
            f"none of {len(made)} experiments has a number in {rules.metric.file}: {made[0].reason}"
        )
    pick = max if rules.direction == "maximize" else min
    return pick(measured, key=lambda pair: pair[0])[1]


def _apply(search: Search, name: str) -> None:
    command = f"dvc exp apply {name}"
    _demand(search.run(command, timeout=_SHOW_SECONDS), f"`{command}`", _SHOW_SECONDS)


def demand_pipeline(folder: Path) -> None:
    """Raise InputError where there is no dvc.yaml to run experiments of."""
    if not (folder / "dvc.yaml").is_file():
        raise InputError(
            "train.selection runs experiments of DVC, and the model's folder has no dvc.yaml.",
            where=Location(file="assay.yaml"),
            remedy="Write the pipeline's stages into a dvc.yaml, or leave selection out.",
        )
