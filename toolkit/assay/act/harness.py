"""A consumer's repository, a GitHub of its own, and act, for as many runs as one wants."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any

from assay.act import events
from assay.act.environment import clean_environment, user_cache
from assay.act.events import Event, PullRequest
from assay.act.export import export_tree
from assay.act.github import LocalGitHub
from assay.act.process import Ended, run_act
from assay.act.records import artifacts_of, now
from assay.act.references import OWN_SLUG, References, references
from assay.act.remote import Remote, check_out, fetch_branches, make_remote, snapshot, top_level
from assay.act.result import RunResult
from assay.act.stand_in import stand_ins_for
from assay.act.tls import bundle
from assay.act.tools import Toolbox
from assay.errors import InputError, OutsideError

TOOLKIT = Path(__file__).resolve().parents[3]
"""The checkout of the toolkit that this file lies in."""
FIRST_RUN = 7001


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a harness is made from.

    ``repository`` is any folder in the consumer's clone; ``toolkit`` the checkout whose workflows
    and actions run; ``scratch`` an empty or new folder that keeps everything, or None for one
    that is deleted at the end. ``environ`` is the user's environment. ``secrets`` and
    ``variables`` are what the repository would have; ``env`` is added to every step's
    environment. ``offline`` puts stand-ins in place of third parties' actions. ``people`` get
    accounts on the local GitHub. ``say`` is told of long steps, ``watch`` of each of act's lines.
    """

    repository: Path
    environ: Mapping[str, str]
    toolkit: Path = TOOLKIT
    scratch: Path | None = None
    slug: str = ""
    default_branch: str = "main"
    offline: bool = True
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    variables: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    people: tuple[str, ...] = ()
    timeout: float = 3600.0
    tool_cache: Path | None = None
    say: Callable[[str], None] = print
    watch: Callable[[Mapping[str, Any]], None] | None = None


class Harness:
    """A context manager. Inside it, ``github`` is the API and ``remote`` the git remote.

    act runs the workflow file of the commit that GitHub would take it from, with the toolkit's
    working tree exported once at the start. act knows no ``permissions``, ``concurrency`` and
    ``environment``; what those would forbid is not seen here.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._stack = ExitStack()
        self._next_run = FIRST_RUN

    def __enter__(self) -> Harness:
        with ExitStack() as stack:
            self._set_up(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def _set_up(self, stack: ExitStack) -> None:
        given = self.settings
        base_env = clean_environment(given.environ, home=Path("/nonexistent"))
        self.source = top_level(given.repository, base_env)
        self.slug = given.slug or f"octo/{self.source.name}"
        if given.scratch is None:
            made = stack.enter_context(tempfile.TemporaryDirectory(prefix="assay-act-"))
            self.scratch = Path(made).resolve()
        else:
            given.scratch.mkdir(parents=True, exist_ok=True)
            self.scratch = given.scratch.resolve()
        self.store = self.scratch / "store"
        (self.scratch / "home").mkdir(exist_ok=True)
        self._toolbox = Toolbox.of(TOOLKIT, given.environ, given.say)
        self._act, node = self._toolbox.act(), self._toolbox.node()
        self.env = clean_environment(
            given.environ, home=self.scratch / "home", extra_path=(node.parent,)
        )
        self.remote: Remote = make_remote(
            self.source, self.store / "git" / f"{self.slug}.git", slug=self.slug, env=self.env
        )
        self.remote.commit_of(given.default_branch)
        self.remote.git("symbolic-ref", "HEAD", f"refs/heads/{given.default_branch}")
        self.toolkit = self.scratch / "toolkit"
        export_tree(given.toolkit, self.toolkit, env=self.env)
        self.github = stack.enter_context(
            LocalGitHub(
                remote=self.remote,
                default_branch=given.default_branch,
                store=self.store,
                scratch=self.scratch / "github",
                node=node,
                emulator=self._toolbox.emulator(),
                env=self.env,
                people=given.people,
            )
        )
        self._trust()
        self._share_tool_cache()

    def _trust(self) -> None:
        """One bundle of the user's extra certificates and the local GitHub's, for Node."""
        certificate = self.github.certificate
        assert certificate is not None
        own = Path(self.env.get("NODE_EXTRA_CA_CERTS", "/nonexistent"))
        target = bundle(self.scratch / "github" / "ca.pem", own, certificate.ca)
        self.env["NODE_EXTRA_CA_CERTS"] = str(target)

    def _share_tool_cache(self) -> None:
        """Keep ``RUNNER_TOOL_CACHE`` between harnesses: act's own would die with the scratch."""
        given = self.settings
        shared = given.tool_cache or user_cache(given.environ) / "assay" / "act-tool-cache"
        shared.mkdir(parents=True, exist_ok=True)
        actions = self.scratch / "act"
        actions.mkdir(exist_ok=True)
        link = actions / "tool_cache"
        if not link.is_symlink():
            link.symlink_to(shared, target_is_directory=True)

    def open_pull_request(
        self,
        head: str | None = None,
        *,
        base: str | None = None,
        title: str = "",
        author: str | None = None,
        fork: str | None = None,
    ) -> PullRequest:
        """Open a pull request of branch ``head``, or of the working tree as it is, onto ``base``.

        ``fork`` is the slug of the repository that the head lies in, if not this one. Raises
        InputError if head and base conflict.
        """
        base_ref = base or self.settings.default_branch
        head_ref, head_sha = self._head(head)
        pull = PullRequest(
            number=0,
            title=title or f"Merge {head_ref}",
            repository=self.slug,
            head_repository=fork or self.slug,
            head_ref=head_ref,
            head_sha=head_sha,
            base_ref=base_ref,
            base_sha=self.remote.commit_of(base_ref),
            merge_sha="",
            author=author or (fork or self.slug).split("/")[0],
        )
        return self._publish(self.github.open_pull_request(self._merged(pull)))

    def update_pull_request(self, pull: PullRequest, head: str | None = None) -> PullRequest:
        """Move a pull request's head and base to where their branches are now."""
        self.fetch()
        head_ref, head_sha = self._head(head)
        current = self.github.records.pulls[pull.number]
        base_sha = self.remote.commit_of(pull.base_ref)
        moved = replace(current, head_ref=head_ref, head_sha=head_sha, base_sha=base_sha)
        return self._publish(self._merged(moved))

    def fetch(self) -> None:
        """Bring the remote's branches to where the consumer's clone has them."""
        fetch_branches(self.remote, self.source)

    def _head(self, head: str | None) -> tuple[str, str]:
        if head is not None:
            return head, self.remote.commit_of(head)
        named = self.remote.env
        branch = _current_branch(self.source, named) or "working-tree"
        if branch == self.settings.default_branch:
            branch = "working-tree"
        return branch, snapshot(self.remote, self.source)

    def _merged(self, pull: PullRequest) -> PullRequest:
        message = f"Merge {pull.head_sha} into {pull.base_sha}"
        merge_sha = self.remote.merge(pull.base_sha, pull.head_sha, message=message)
        return replace(pull, merge_sha=merge_sha)

    def _publish(self, pull: PullRequest) -> PullRequest:
        self.remote.set_ref(f"refs/pull/{pull.number}/head", pull.head_sha)
        self.remote.set_ref(f"refs/pull/{pull.number}/merge", pull.merge_sha)
        if pull.head_repository == pull.repository:
            self.remote.set_ref(f"refs/heads/{pull.head_ref}", pull.head_sha)
        self.github.update_pull_request(pull)
        return pull

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

    def dispatch_event(self, branch: str, inputs: Mapping[str, str] | None = None) -> Event:
        """``workflow_dispatch`` on ``branch``."""
        return events.workflow_dispatch_event(
            slug=self.slug,
            branch=branch,
            sha=self.remote.commit_of(branch),
            default_branch=self.settings.default_branch,
            actor=self.github.owner,
            inputs=inputs or {},
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
        record = self._record(event, run_id, attempt, shown)
        command = self._command(found, event, folder, shown, run_id, attempt)
        ended = run_act(
            command,
            cwd=consumer,
            env=self.env,
            log=folder / "act.jsonl",
            timeout=self.settings.timeout,
            watch=self.settings.watch,
        )
        result = _conclude(ended, folder / "act.jsonl")
        record.update(status="completed", conclusion=result, updated_at=now())
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
            log=folder / "act.jsonl",
            payload=folder / "event.json",
        )

    def _record(self, event: Event, run_id: int, attempt: int, path: str) -> dict[str, Any]:
        """Enter the run into the local GitHub, as ``actions/runs/<id>`` shows it."""
        pull = event.payload.get("pull_request")
        same = event.head_repository == self.slug
        shown = [{"number": pull["number"]}] if pull and same else []
        record: dict[str, Any] = {
            "id": run_id,
            "name": Path(path).stem,
            "path": path,
            "event": event.name,
            "status": "in_progress",
            "conclusion": None,
            "run_attempt": attempt,
            "run_number": run_id - FIRST_RUN + 1,
            "head_sha": event.head_sha,
            "head_branch": event.head_branch,
            "head_repository": {"full_name": event.head_repository, "fork": not same},
            "repository": events.repository_facts(self.slug, self.settings.default_branch),
            "pull_requests": shown,
            "actor": {"login": event.actor},
            "triggering_actor": {"login": event.actor},
            "created_at": now(),
            "updated_at": now(),
            "html_url": f"{self.github.server_url}/{self.slug}/actions/runs/{run_id}",
        }
        with self.github.records.lock:
            self.github.records.runs[run_id] = record
        return record

    def _command(
        self,
        found: References,
        event: Event,
        folder: Path,
        workflow: str,
        run_id: int,
        attempt: int,
    ) -> list[str]:
        """act's command line, with its files written into ``folder``."""
        github = self.github
        token = github.read_only_token if event.read_only else github.job_token
        secrets = {} if event.read_only else dict(self.settings.secrets)
        run_env = {
            **self.settings.env,
            "ASSAY_ACT_STORE": str(self.store),
            "GITHUB_REPOSITORY": self.slug,
            "GITHUB_REF": event.ref,
            "SHA_REF": event.sha,
            "GITHUB_RUN_ID": str(run_id),
            "GITHUB_RUN_ATTEMPT": str(attempt),
            "GITHUB_RUN_NUMBER": str(run_id - FIRST_RUN + 1),
            "GITHUB_SERVER_URL": github.server_url,
            "GITHUB_API_URL": github.api_url,
            "GITHUB_WORKFLOW_REF": f"{self.slug}/{workflow}@{event.ref}",
        }
        files = {
            "--eventpath": ("event.json", event.payload),
            "--secret-file": ("secrets.yml", {**secrets, "GITHUB_TOKEN": token}),
            "--env-file": ("env.yml", run_env),
            "--var-file": ("vars.yml", self.settings.variables),
            "--input-file": ("inputs.yml", {}),
        }
        command = [str(self._act), event.name, "--json", "--workflows", workflow]
        for flag, (name, content) in files.items():
            place = folder / name
            place.touch(mode=0o600)
            place.write_text(json.dumps(content), encoding="utf-8")
            command += [flag, str(place)]
        command += ["--actor", event.actor, "--action-cache-path", str(self.scratch / "act")]
        command += ["--concurrent-jobs", "1", "--defaultbranch", self.settings.default_branch]
        for label in found.labels:
            command += ["--platform", f"{label}=-self-hosted"]
        for ref in found.own_refs:
            command += ["--local-repository", f"{OWN_SLUG}@{ref}={self.toolkit}"]
        return command + self._third_party(found, folder)

    def _third_party(self, found: References, folder: Path) -> list[str]:
        """Stand-ins if offline; else act's servers and the real actions from github.com."""
        if self.settings.offline:
            options = ["--no-skip-checkout", "--no-cache-server"]
            for name, place in stand_ins_for(found.third_party).items():
                options += ["--local-repository", f"{name}={place}"]
            return options
        options = ["--artifact-server-addr", "127.0.0.1", "--artifact-server-port", "0"]
        options += ["--artifact-server-path", str(folder / "artifacts")]
        options += ["--cache-server-addr", "127.0.0.1"]
        for repository in sorted({use.repository for use in found.third_party}):
            options += ["--replace-ghe-action-with-github-com", repository]
        return options


def _current_branch(source: Path, env: Mapping[str, str]) -> str:
    from assay.act.gitcli import git

    return git(source, "branch", "--show-current", env=env)


def find_workflow(consumer: Path, workflow: str) -> Path:
    """The workflow file that ``workflow`` names; InputError with the nearest name if none."""
    import difflib

    folder = consumer / ".github" / "workflows"
    names = [workflow, f".github/workflows/{workflow}"]
    names += [f".github/workflows/{workflow}{suffix}" for suffix in (".yml", ".yaml")]
    for name in names:
        place = (consumer / name).resolve()
        if place.is_file() and consumer.resolve() in place.parents:
            return consumer / name
    present = sorted(p.name for p in folder.glob("*.y*ml")) if folder.is_dir() else []
    near = difflib.get_close_matches(Path(workflow).name, present, n=1, cutoff=0.5)
    hint = f"Did you mean '{near[0]}'?" if near else f"There are: {', '.join(present) or 'none'}."
    raise InputError(
        f"there is no workflow '{workflow}' in the commit that the run would take it from.",
        remedy=hint,
    )


def _conclude(ended: Ended, log: Path) -> str:
    """success, failure or timeout; raises OutsideError if act ran no job at all."""
    if ended.exit_code is None:
        return "timeout"
    if ended.stream.unsupported:
        raise InputError(
            f"act skipped a job because of its label: {ended.stream.unsupported[0]}",
            remedy="Write the label under runs-on, or as the default of an input named runs-on….",
        )
    if not ended.stream.jobs():
        words = "\n".join(ended.stream.loose[-5:]) or "it said nothing"
        raise OutsideError(
            f"act ran no job (exit code {ended.exit_code}): {words}", remedy=f"Its log is {log}."
        )
    return "success" if ended.exit_code == 0 else "failure"
