"""What to do first about each kind of problem: a step for all, and commands that there are."""

from __future__ import annotations

import inspect
import re
import shlex
from collections.abc import Sequence
from typing import Any

import click
import pytest

from assay.alerting.news import issues_of, messages
from assay.cli import assay
from assay.config import Monitoring
from assay.evidence import Effect, Problem, ProblemKind
from assay.evidence.monitoring import Drift
from assay.monitoring import label_problems, problems
from assay.monitoring.steps import About, with_step
from assay.report.look_page import look_markdown
from support.watching import config, look, problem, told

PSI = Effect(name="psi", value=0.3, threshold=0.2)
APART = Effect(name="wasserstein_sd", value=0.1, threshold=0.25)
SUBJECTS = {
    ProblemKind.QUALITY: ["f1"],
    ProblemKind.SCHEMA: [
        "logs files", "labels files", "logs rows", "labels rows", "logs scores", "logs predictions",
        "positive class",
    ],
    ProblemKind.VOLUME: ["predictions"],
    ProblemKind.LABELS: ["contradictory", "orphans", "coverage"],
    ProblemKind.HEARTBEAT: [
        "log", "labels", "monitor", "controller production", "journal production",
    ],
    ProblemKind.CLOCK: ["logs", "labels"],
    ProblemKind.VERSION: ["unknown"],
}  # fmt: skip


def watched() -> Monitoring:
    found = config().models["churn"].monitoring
    assert found is not None
    return found


def stepped(kind: ProblemKind, subject: str, **about: Any) -> Problem:
    made = About(model="churn", monitoring=watched(), **about)
    return with_step(problem(kind, subject), made)


def moved(column: str, *effects: Effect, role: str = "feature") -> Drift:
    return Drift(column=column, role=role, effects=effects, moved=True)


def parsed(command: str) -> None:
    """Raise where the command line has no such command or option."""
    name, *arguments = shlex.split(command)[1:]
    found = assay.get_command(click.Context(assay), name)
    assert found is not None
    found.make_context(name, arguments)


def test_each_problem_that_there_is_stands_here() -> None:
    """A problem without a step of its own would have another's."""
    found = []
    for module in (problems, label_problems):
        text = inspect.getsource(module)
        found += re.findall(r'ProblemKind\.(\w+),\s+f?"([^"]+)",', text)
    assert len(found) >= 9
    for kind, subject in found:
        subjects = {subject.replace("{subject}", feed) for feed in ("logs", "labels")}
        assert subjects <= set(SUBJECTS[ProblemKind[kind]])


@pytest.mark.parametrize("target", [None, "production"])
@pytest.mark.parametrize("retrains", [True, False])
def test_each_kind_has_a_step(target: str | None, *, retrains: bool) -> None:
    assert {*SUBJECTS, ProblemKind.DRIFT} == set(ProblemKind)
    for kind, subjects in SUBJECTS.items():
        for subject in subjects:
            found = stepped(kind, subject, target=target, retrains=retrains)
            assert found.step.endswith(":" if found.command else ".")
            if found.command:
                parsed(found.command)


@pytest.mark.parametrize(
    ("role", "effects", "words"),
    [
        ("feature", [Effect(name="unseen", value=0.2, threshold=0.01)], "new values are meant"),
        ("feature", [APART, Effect(name="unseen", value=0.2, threshold=0.01)], "another unit"),
        ("feature", [PSI, Effect(name="missing", value=0.5, threshold=0.05)], "filled from"),
        ("feature", [PSI, APART], "'a {b}' in its histogram in monitor.json"),
        ("prediction", [PSI], "which features moved"),
        ("score", [PSI, APART], "which features moved"),
        ("label", [PSI], "how it is labelled"),
        ("features", [Effect(name="classifier_auc", value=0.7, threshold=0.6)], "each other"),
    ],
)
def test_drift_is_looked_into_by_what_moved_most(
    role: str, effects: Sequence[Effect], words: str
) -> None:
    drift = (moved("other", PSI), moved("a {b}", *effects, role=role))
    found = stepped(ProblemKind.DRIFT, "a {b}", drift=drift, target="production")
    assert words in found.step
    if found.command:
        parsed(found.command)


def test_a_step_is_told_wherever_its_problem_is() -> None:
    found = look(stepped(ProblemKind.QUALITY, "f1", target="production"))
    back = "assay rollback --model churn --target production"
    (issue,), _ = issues_of(told(found))
    ((_, message), *_) = messages(told(found), None)
    for text in (look_markdown(found), issue.body, message["text"]):
        assert "If this version brought it, take the traffic back" in text
        assert text.count(back) == 1


def test_a_look_of_before_there_were_steps_is_read() -> None:
    facts = problem().model_dump(exclude={"step", "command"})
    assert Problem.model_validate(facts) == problem()
    (issue,), _ = issues_of(told(look(problem())))
    assert "What to do first" not in issue.body
