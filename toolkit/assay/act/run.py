"""One workflow, one event, one call: what ``assay act`` does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from assay.act.environment import clean_environment, user_home
from assay.act.events import Event, PullRequest
from assay.act.github import Comment
from assay.act.harness import Harness
from assay.act.launch import find_workflow
from assay.act.remote import top_level
from assay.act.result import RunResult
from assay.act.site import Settings
from assay.errors import InputError

EVENTS = ("pull_request", "push", "merge_group", "workflow_dispatch")


@dataclass(frozen=True, kw_only=True)
class Trigger:
    """What starts the run.

    ``event`` is one of :data:`EVENTS`; ``head`` a branch, or None for the working tree as it is;
    ``base`` the branch that a pull request goes onto (the default branch if None); ``fork`` the
    slug of a stranger's repository that the head comes from; ``inputs`` those of
    ``workflow_dispatch``. ``times`` runs a pull request's workflow again as ``synchronize``, so
    that a comment is posted and then updated.
    """

    event: str = "pull_request"
    head: str | None = None
    base: str | None = None
    fork: str | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)
    times: int = 1


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The runs, last one last, the pull request if there was one, and its comments."""

    runs: tuple[RunResult, ...]
    pull_request: PullRequest | None
    comments: tuple[Comment, ...]

    @property
    def last(self) -> RunResult:
        return self.runs[-1]


def run_workflow(workflow: str, settings: Settings, trigger: Trigger) -> Outcome:
    """Run ``workflow`` as GitHub would for ``trigger``, and collect what it left.

    Raises InputError (workflow, branch or repository not there, unknown event, a conflict with
    the base, no stand-in) or OutsideError (no act and no Go, git fails, act runs no job). A
    failed workflow raises nothing: ``Outcome.last.result`` says so.
    """
    if trigger.event not in EVENTS:
        raise InputError(
            f"'{trigger.event}' is no event that can be run here.",
            remedy=f"Use one of {', '.join(EVENTS)}.",
        )
    if trigger.head is None and trigger.event in ("pull_request", "merge_group"):
        # The first run installs act, which takes minutes: a wrong name need not wait for that.
        environ = clean_environment(settings.environ, home=user_home(settings.environ))
        find_workflow(top_level(settings.repository, environ), workflow)
    with Harness(settings) as harness:
        pull: PullRequest | None = None
        runs: list[RunResult] = []
        if trigger.event in ("pull_request", "merge_group"):
            pull = harness.open_pull_request(trigger.head, base=trigger.base, fork=trigger.fork)
        for number in range(trigger.times):
            event = _event(harness, trigger, pull, first=number == 0)
            runs.append(harness.run(workflow, event))
        comments = harness.github.comments(pull.number) if pull else ()
    return Outcome(runs=tuple(runs), pull_request=pull, comments=comments)


def _event(harness: Harness, trigger: Trigger, pull: PullRequest | None, *, first: bool) -> Event:
    if pull is not None:
        if trigger.event == "merge_group":
            return harness.merge_group_event(pull)
        return harness.pull_request_event(pull, "opened" if first else "synchronize")
    branch = trigger.head or harness.settings.default_branch
    if trigger.event == "push":
        return harness.push_event(branch)
    return harness.dispatch_event(branch, trigger.inputs)
