"""A consumer's repository, a GitHub of its own, and act, for as many runs as one wants."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from assay.act import events
from assay.act.events import Event, PullRequest
from assay.act.launch import Launch, command, conclude, find_workflow, step_environment
from assay.act.process import run_act
from assay.act.records import artifacts_of, now
from assay.act.references import References, references
from assay.act.remote import check_out
from assay.act.result import RunResult
from assay.act.site import Settings, Site

FIRST_RUN = 7001
CONCLUSIONS = {"timeout": "timed_out"}
"""What GitHub calls a result of ours, where the words differ."""


class Harness(Site):
    """A :class:`Site` that runs workflows.

    act runs the workflow file of the commit that GitHub would take it from. act knows no
    ``permissions``, ``concurrency`` and ``environment``; what those would forbid is not seen here.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._next_run = FIRST_RUN

    def pull_request_event(self, pull: PullRequest, action: str = "opened") -> Event:
        """``pull_request``, with the labels that the pull request has now."""
        current = self.github.records.pulls[pull.number]
        branch = self.settings.default_branch
        return events.pull_request_event(current, default_branch=branch, action=action)

    def push_event(self, branch: str, *, before: str = "") -> Event:
        """``push`` of what ``branch`` is at now."""
        after = self.remote.commit_of(branch)
        return events.push_event(
            slug=self.slug,
            branch=branch,
            before=before or self.remote.git("rev-parse", f"{after}^"),
            after=after,
            default_branch=self.settings.default_branch,
            actor=self.github.owner,
        )

    def merge_group_event(self, pull: PullRequest) -> Event:
        """``merge_group`` for one pull request alone in the queue."""
        current = self.github.records.pulls[pull.number]
        branch = self.settings.default_branch
        event = events.merge_group_event(
            current, head_sha=current.merge_sha, default_branch=branch, actor=self.github.owner
        )
        self.remote.set_ref(event.ref, current.merge_sha)
        return event

    def dispatch_event(
        self, branch: str, inputs: Mapping[str, str] | None = None, *, actor: str = ""
    ) -> Event:
        """``workflow_dispatch`` on ``branch`` by ``actor``: the owner where none is named."""
        return events.workflow_dispatch_event(
            slug=self.slug,
            branch=branch,
            sha=self.remote.commit_of(branch),
            default_branch=self.settings.default_branch,
            actor=actor or self.github.owner,
            inputs=inputs or {},
        )

    def schedule_event(self, cron: str) -> Event:
        """``schedule`` on the tip of the default branch."""
        branch = self.settings.default_branch
        return events.schedule_event(
            slug=self.slug,
            branch=branch,
            sha=self.remote.commit_of(branch),
            actor=self.github.owner,
            cron=cron,
        )

    def workflow_run_event(self, run: RunResult) -> Event:
        """``workflow_run`` of a run made here, on the tip of the default branch."""
        branch = self.settings.default_branch
        return events.workflow_run_event(
            self.github.records.runs[run.run_id],
            slug=self.slug,
            sha=self.remote.commit_of(branch),
            default_branch=branch,
            actor=self.github.owner,
        )

    def run(self, workflow: str, event: Event, *, rerun_of: RunResult | None = None) -> RunResult:
        """Run one workflow file for one event; ``rerun_of`` makes it that run's next attempt.

        ``workflow`` is a path in the repository, or a name under ``.github/workflows``. Raises
        InputError for a workflow that is not there or that act cannot be given whole.
        """
        if rerun_of is None:
            run_id, attempt = self._next_run, 1
            self._next_run += 1
        else:
            run_id, attempt = rerun_of.run_id, rerun_of.run_attempt + 1
        folder = self.scratch / "runs" / f"{run_id}-{attempt}"
        consumer = folder / "consumer"
        folder.mkdir(parents=True)
        check_out(self.remote, event.workflow_sha, consumer)
        file = find_workflow(consumer, workflow)
        found = references(file, consumer=consumer, toolkit=self.toolkit)
        shown = file.relative_to(consumer).as_posix()
        launch = self._launch(event, shown, found, folder, run_id, attempt)
        record = self._record(event, shown, run_id, attempt)
        log = folder / "act.jsonl"
        ended = run_act(
            command(launch),
            cwd=consumer,
            env=self.env,
            log=log,
            timeout=self.settings.timeout,
            watch=self.settings.watch,
        )
        result = conclude(ended, log)
        record.update(status="completed", conclusion=CONCLUSIONS.get(result, result))
        record["updated_at"] = now()
        return RunResult(
            workflow=shown,
            event=event.name,
            run_id=run_id,
            run_attempt=attempt,
            result=result,
            exit_code=ended.exit_code,
            seconds=ended.seconds,
            jobs=ended.stream.jobs(),
            annotations=tuple(ended.stream.annotations),
            artifacts=artifacts_of(self.store / "artifacts", run_id, attempt),
            head_sha=event.head_sha,
            log=log,
            payload=folder / "event.json",
        )

    def _record(self, event: Event, path: str, run_id: int, attempt: int) -> dict[str, Any]:
        """The run, entered into the local GitHub."""
        record = events.run_record(
            event,
            slug=self.slug,
            default_branch=self.settings.default_branch,
            path=path,
            run_id=run_id,
            attempt=attempt,
            time=now(),
        )
        record["html_url"] = f"{self.github.server_url}/{self.slug}/actions/runs/{run_id}"
        with self.github.records.lock:
            first = self.github.records.runs.get(run_id, record)
            record["created_at"] = first["created_at"]  # a re-run is the same run, begun anew
            self.github.records.runs[run_id] = record
        return record

    def _launch(
        self,
        event: Event,
        workflow: str,
        found: References,
        folder: Path,
        run_id: int,
        attempt: int,
    ) -> Launch:
        github, given = self.github, self.settings
        number = run_id - FIRST_RUN + 1
        token = github.read_only_token if event.read_only else github.job_token
        env = step_environment(
            store=self.store,
            slug=self.slug,
            event=event,
            run_id=run_id,
            attempt=attempt,
            number=number,
        )
        places = {
            "GITHUB_SERVER_URL": github.server_url,
            "GITHUB_API_URL": github.api_url,
            "GITHUB_WORKFLOW_REF": f"{self.slug}/{workflow}@{event.ref}",
        }
        secrets = {} if event.read_only else given.secrets
        return Launch(
            act=self._act,
            event=event,
            workflow=workflow,
            found=found,
            folder=folder,
            env={**given.env, **env, **places},
            secrets={**secrets, "GITHUB_TOKEN": token},
            variables=given.variables,
            default_branch=given.default_branch,
            action_cache=self.scratch / "act",
            toolkit=self.toolkit,
            offline=given.offline,
        )
