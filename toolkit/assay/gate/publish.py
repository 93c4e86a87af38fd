"""Carry a judged report to wherever this run may write: comment, job summary, check run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from assay.config import Publisher
from assay.errors import OutsideError
from assay.evidence import Plan, Verdict
from assay.github.checks import write_check
from assay.github.comment import Comments
from assay.github.outputs import write_summary
from assay.github.override import find_override
from assay.github.publish import client_of, destination_of
from assay.github.publish import publish as publish_comment
from assay.github.settings import Settings
from assay.report.bundle import Report
from assay.report.history import entry_of, older_entries
from assay.report.markdown import render
from assay.report.summary import check_summary, job_summary
from assay.verdict.decide import accept

Say = Callable[[str], object]
CHECK_NAME = "Assay"


@dataclass(frozen=True, kw_only=True)
class Published:
    """The comment's text, where it is, and why it is not where it should be."""

    markdown: str
    address: str | None = None
    error: OutsideError | None = None


@dataclass(frozen=True, kw_only=True)
class Publishing:
    """Who publishes what, for one run."""

    plan: Plan
    settings: Settings
    publisher: Publisher
    checks_token: str | None = field(default=None, repr=False)

    @classmethod
    def of(
        cls, plan: Plan, settings: Settings, *, publisher: str | None, checks_token: str | None
    ) -> Publishing:
        """Choose the publisher: what was asked for, else the plan's; outside a job none."""
        if publisher is not None:
            chosen = Publisher(publisher)
        else:
            chosen = plan.comment.publisher if settings.in_actions else Publisher.FILE
        return cls(plan=plan, settings=settings, publisher=chosen, checks_token=checks_token)

    @property
    def in_actions(self) -> bool:
        """Whether this is a job of GitHub Actions."""
        return self.settings.in_actions

    @property
    def number(self) -> int | None:
        """The pull request to comment on, where this run has one and may write to it."""
        event = self.settings.event
        if self.publisher is Publisher.FILE or not event.can_write:
            return None
        return event.number if event.name == "pull_request" else None

    def accepted(self, verdict: Verdict, *, say: Say) -> Verdict:
        """Ask whether a person accepted a failing verdict by the label that the rules name."""
        rule, event = self.plan.override, self.settings.event
        if rule is None or verdict.state.value != "fail" or not self.in_actions:
            return verdict
        if event.number is None or event.head_sha is None or self.settings.token is None:
            return verdict
        client = client_of(self.settings)
        try:
            decision = find_override(
                client,
                number=event.number,
                head_sha=event.head_sha,
                rule=rule,
                event_time=self.settings.head_moved_at,
            )
        except OutsideError as error:
            say(f"Whether the label {rule.label} accepts this could not be asked: {error}")
            return verdict
        finally:
            client.close()
        say(f"Accepting by label: {decision.reason}.")
        return accept(verdict, decision.override) if decision.override else verdict


def publish(report: Report, publishing: Publishing, *, say: Say) -> Published:
    """Write the job summary, the comment and the check run that this run may write.

    A comment that cannot be written is an error in the result, after everything else was tried.
    """
    settings = publishing.settings
    if settings.summary_file is not None:
        write_summary(settings.summary_file, job_summary(report))
    published = _comment(report, publishing, say=say)
    if report.plan.check_run and publishing.in_actions:
        _check(report, publishing, say=say)
    return published


def _comment(report: Report, publishing: Publishing, *, say: Say) -> Published:
    number, settings, plan = publishing.number, publishing.settings, publishing.plan
    if number is None:
        event = settings.event
        if publishing.in_actions and event.name == "pull_request" and not event.can_write:
            say("This run's token cannot comment: publish-report posts the report.")
        return Published(markdown=render(report))
    title = plan.comment.title
    client = client_of(settings)
    try:
        previous = Comments(client, number).previous(title)
        if previous is not None and plan.comment.history:
            current = entry_of(plan, report.verdict)
            older = older_entries(previous.body, current, most=plan.comment.history)
            report = replace(report, history=older)
        markdown = render(report)
        destination = destination_of(settings, number=number, title=title)
        done = publish_comment(markdown, destination, client=client, publisher=publishing.publisher)
    except OutsideError as error:
        return Published(markdown=render(report), error=error)
    finally:
        client.close()
    for note in done.notes:
        say(note)
    say(f"Comment by {done.by.value}: {done.url}")
    return Published(markdown=markdown, address=done.url or None)


def _check(report: Report, publishing: Publishing, *, say: Say) -> None:
    settings = publishing.settings
    sha = settings.event.head_sha or report.plan.head.commit
    if publishing.checks_token is None:
        say(
            "check_run: true needs a token with `checks: write`: hand it over as the secret "
            "checks-token. The job itself is the check all the same."
        )
        return
    client = client_of(replace(settings, token=publishing.checks_token))
    try:
        address = write_check(
            client,
            name=CHECK_NAME,
            head_sha=sha,
            outcome=report.verdict.state,
            sentence=report.verdict.sentence,
            summary=check_summary(report),
            details_url=settings.event.run_url,
        )
        say(f"Check run: {address}")
    except OutsideError as error:
        say(f"The check run could not be written: {error}")
    finally:
        client.close()
