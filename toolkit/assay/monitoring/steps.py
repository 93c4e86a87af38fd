"""What to do first about a problem: one step, a place to look or a command. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from assay.config import Monitoring
from assay.evidence import Drift, Problem, ProblemKind
from assay.monitoring.drift import worst_effect

_LONGEST = 40
_Step = tuple[str, str]
"""Words, and the command that they lead to or nothing."""


@dataclass(frozen=True, kw_only=True)
class About:
    """The model that a look is of, as far as a step names it."""

    model: str
    monitoring: Monitoring
    drift: Sequence[Drift] = ()
    target: str | None = None
    """Where the model is delivered to."""
    retrains: bool = False
    """Whether something starts a training."""


def with_step(problem: Problem, about: About) -> Problem:
    """The problem with its step: no setting's value and no row stands in it, columns' names do."""
    words, command = _STEPS[problem.kind](problem.subject, about)
    return problem.model_copy(update={"step": words, "command": command})


def _quality(_: str, about: About) -> _Step:
    look = "See by window and slice whether all fell or one did"
    if about.target is not None:
        back = f"assay rollback --model {about.model} --target {about.target}"
        return _leading(f"{look}. If this version brought it, take the traffic back", back)
    if about.retrains:
        decide = f"assay retrain decide --model {about.model} --look monitor.json"
        return _leading(f"{look}, and what a training would be started by", decide)
    return _leading(f"{look}, and which release it began with")


def _drift(subject: str, about: About) -> _Step:
    # The first is the one that the problem speaks of.
    moved = next(one for one in about.drift if one.moved and one.column == subject)
    name = repr(subject[:_LONGEST])
    if moved.role == "features":
        return _leading(
            "Plot the named features against each other, now and in an earlier week: what no "
            "longer goes together shows where to look"
        )
    if moved.role in {"prediction", "score"}:
        words = "See first which features moved. If none did, see which version began to answer"
        return _leading(words, _history(about))
    if moved.role == "label":
        return _leading(
            "Ask whether the truth moved, or only how it is labelled. If it did, train with the "
            "new labels"
        )
    effect = worst_effect(moved).name
    if effect == "unseen" and any(one.name == "wasserstein_sd" for one in moved.effects):
        effect = "outside"
    return _leading(_OF_FEATURES.get(effect, _OF_SHAPE).format(name=name))


_OF_FEATURES = {
    "unseen": "Ask who writes {name} whether the new values are meant. If they are, train with "
    "them; if not, mend what writes them",
    "outside": "Look where {name} is written for another unit, or for a number that stands for "
    "none: it lies outside what the version was made on",
    "missing": "Look at what {name} is filled from: a join, a call or a renamed field that now "
    "gives nothing, or gives it where it gave nothing",
}
_OF_SHAPE = (
    "Compare the two sides of {name} in its histogram in monitor.json. To see quality by it, name "
    "it under monitoring.slices"
)


def _schema(subject: str, about: About) -> _Step:
    feed, _, what = subject.partition(" ")
    if what == "files":
        return _leading(
            "Write what is named under “Not read” again, whole and with its columns: the next look "
            "reads it"
        )
    if what == "rows":
        columns = ", ".join(repr(name[:_LONGEST]) for name in _needed(feed, about.monitoring))
        return _leading(
            f"Look for what writes rows without {columns} to where {feed}.source points"
        )
    if what == "scores":
        score = repr((about.monitoring.logs.score or "score")[:_LONGEST])
        return _leading(f"Mend what writes {score}: a probability is 0.83, not 83")
    if what == "predictions":
        answer = repr(about.monitoring.logs.prediction[:_LONGEST])
        return _leading(f"Look for what the requests without {answer} have in common")
    return _leading("Set columns.positive of the model in assay.yaml to the class that is meant")


def _needed(feed: str, monitoring: Monitoring) -> tuple[str, ...]:
    if feed == "labels" and monitoring.labels is not None:
        labels = monitoring.labels
        return tuple(name for name in (labels.id, labels.label, labels.time) if name)
    return monitoring.logs.id, monitoring.logs.time, monitoring.logs.prediction


def _labels(subject: str, _: About) -> _Step:
    if subject == "contradictory":
        return _leading(
            "Find the rows of one id and time in what labels.source names, and write the right one "
            "again with a later time"
        )
    words = "Compare an id of the labels with one of the log: labels.id and logs.id name them"
    if subject == "coverage":
        words += ". Where they match, labels.delay is too short"
    return _leading(words)


def _heartbeat(subject: str, about: About) -> _Step:
    kind, _, target = subject.partition(" ")
    if target:
        what = "ask it" if kind == "controller" else "see what its pushes are answered with"
        asked = f"assay status --model {about.model} --target {target}"
        return _leading(f"On the controller's host, {what}", asked)
    return _leading(_SILENT[kind])


_SILENT = {
    "log": "Send the service a request, and look for it where logs.source points: either nobody "
    "asks, or what it answers is not written",
    "labels": "Look when the job that writes to labels.source ran last, and what it said",
    "monitor": "Look at the last runs of what starts a look: monitor.yml, a schedule or the "
    "controller",
}


def _version(_: str, about: About) -> _Step:
    words = "See which versions were let in, and take what answers beside them off the route"
    return _leading(words, _history(about))


def _volume(*_: object) -> _Step:
    return _leading(
        "Count the requests by caller: one that is gone, one that repeats itself, or a log that is "
        "written in part"
    )


def _clock(subject: str, _: About) -> _Step:
    return _leading(
        f"Compare the clock of what writes the {subject} with UTC, and write times with their "
        "offset"
    )


def _history(about: About) -> str:
    """What served when; nothing where the model is delivered to no target."""
    return f"assay history {about.model} --target {about.target}" if about.target else ""


def _leading(words: str, command: str = "") -> _Step:
    return f"{words}{':' if command else '.'}", command


_STEPS: Mapping[ProblemKind, Callable[[str, About], _Step]] = {
    ProblemKind.QUALITY: _quality,
    ProblemKind.DRIFT: _drift,
    ProblemKind.SCHEMA: _schema,
    ProblemKind.VOLUME: _volume,
    ProblemKind.LABELS: _labels,
    ProblemKind.HEARTBEAT: _heartbeat,
    ProblemKind.CLOCK: _clock,
    ProblemKind.VERSION: _version,
}
