"""A consumer's repository with a git remote and a GitHub of its own, on this machine."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from assay.act.environment import clean_environment, user_cache, user_home
from assay.act.events import PullRequest
from assay.act.export import export_tree
from assay.act.gitcli import git
from assay.act.github import LocalGitHub
from assay.act.remote import (
    Remote,
    fetch_branch,
    fetch_branches,
    make_remote,
    slug_of,
    snapshot,
    top_level,
)
from assay.act.tls import bundle
from assay.act.tools import Toolbox
from assay.errors import InputError

TOOLKIT = Path(__file__).resolve().parents[3]
"""The checkout of the toolkit that this file lies in."""


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


class Site:
    """A context manager. Inside it, ``github`` is the API and ``remote`` the git remote.

    The toolkit's working tree is exported once, at the start, to ``toolkit``.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._stack = ExitStack()

    def __enter__(self) -> Self:
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
        user_env = clean_environment(given.environ, home=user_home(given.environ))
        self.source = top_level(given.repository, user_env)
        self.slug = given.slug or slug_of(self.source, user_env)
        top_level(given.toolkit, user_env)
        if given.scratch is None:
            made = stack.enter_context(tempfile.TemporaryDirectory(prefix="assay-act-"))
            self.scratch = Path(made).resolve()
        else:
            given.scratch.mkdir(parents=True, exist_ok=True)
            self.scratch = given.scratch.resolve()
            if any(self.scratch.iterdir()):
                raise InputError(
                    f"the folder {self.scratch} is not empty.", remedy="Name a new or empty one."
                )
        self.store = self.scratch / "store"
        (self.scratch / "home").mkdir(exist_ok=True)
        self._toolbox = Toolbox.of(TOOLKIT, given.environ, given.say)
        self._act, node = self._toolbox.act(), self._toolbox.node()
        self.env = clean_environment(
            given.environ, home=self.scratch / "home", extra_path=(node.parent,)
        )
        self.remote: Remote = make_remote(
            self.source, self.store / "git" / f"{self.slug}.git", slug=self.slug, env=user_env
        )
        self.remote.commit_of(given.default_branch)
        self.remote.git("symbolic-ref", "HEAD", f"refs/heads/{given.default_branch}")
        self.toolkit = self.scratch / "toolkit"
        export_tree(given.toolkit, self.toolkit, env=user_env)
        self.github = stack.enter_context(
            LocalGitHub(
                remote=self.remote,
                default_branch=given.default_branch,
                store=self.store,
                scratch=self.scratch / "github",
                emulator=self._toolbox.emulator(),
                people=given.people,
            )
        )
        self.github.records.opener = self._opened
        self._trust()
        self._share_tool_cache()

    def _trust(self) -> None:
        """One bundle of the user's extra certificates and the local GitHub's, for Node; for git its
        own, and for that server alone."""
        own = Path(self.env.get("NODE_EXTRA_CA_CERTS", "/nonexistent"))
        target = bundle(self.scratch / "github" / "ca.pem", own, self.github.certificate.ca)
        self.env["NODE_EXTRA_CA_CERTS"] = str(target)
        named = self.env.get("GIT_SSL_CAINFO")
        if named:
            # It wins over any setting for one server.
            both = bundle(target.with_name("git-ca.pem"), Path(named), self.github.certificate.ca)
            self.env["GIT_SSL_CAINFO"] = str(both)
            return
        self.env["GIT_CONFIG_COUNT"] = "1"
        self.env["GIT_CONFIG_KEY_0"] = f"http.{self.github.server_url}/.sslCAInfo"
        self.env["GIT_CONFIG_VALUE_0"] = str(self.github.certificate.ca)

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

    def _opened(self, asked: Mapping[str, Any], author: str) -> PullRequest:
        """A job opens a pull request of a branch that it pushed."""
        head, base = str(asked["head"]), str(asked.get("base", self.settings.default_branch))
        pull = PullRequest(
            number=0,
            title=str(asked.get("title", "")),
            repository=self.slug,
            head_repository=self.slug,
            head_ref=head,
            head_sha=self.remote.commit_of(head),
            base_ref=base,
            base_sha=self.remote.commit_of(base),
            merge_sha="",
            author=author,
        )
        return self._publish(self.github.open_pull_request(self._merged(pull)))

    def update_pull_request(self, pull: PullRequest, head: str | None = None) -> PullRequest:
        """Move a pull request to where its head's branch is in the consumer's clone now.

        The base is where the remote has it: :meth:`fetch` brings it to where the clone has it.
        """
        if head is not None:
            fetch_branch(self.remote, self.source, head)
        head_ref, head_sha = self._head(head)
        current = self.github.records.pulls[pull.number]
        base_sha = self.remote.commit_of(pull.base_ref)
        moved = replace(current, head_ref=head_ref, head_sha=head_sha, base_sha=base_sha)
        return self._publish(self._merged(moved))

    def merge_pull_request(self, pull: PullRequest, *, squash: bool = False) -> str:
        """Merge on the remote as GitHub does, close the pull request; the base's new commit.

        A squash has the same tree and one parent. The consumer's clone is left alone.
        """
        current = self._merged(self.github.records.pulls[pull.number])
        commit = current.merge_sha
        if squash:
            tree = self.remote.git("rev-parse", f"{commit}^{{tree}}")
            message = f"{current.title} (#{current.number})"
            commit = self.remote.commit_tree(tree, current.base_sha, message=message)
        self.remote.set_ref(f"refs/heads/{current.base_ref}", commit)
        path = f"/repos/{self.slug}/pulls/{current.number}"
        self.github.demand("PATCH", path, {"state": "closed"})
        with self.github.records.lock:
            self.github.records.merged[commit] = current.number
        return commit

    def fetch(self) -> None:
        """Bring the remote's branches to where the consumer's clone has them."""
        fetch_branches(self.remote, self.source)

    def _head(self, head: str | None) -> tuple[str, str]:
        if head is not None:
            return head, self.remote.commit_of(head)
        branch = (
            git(self.source, "branch", "--show-current", env=self.remote.source_env)
            or "working-tree"
        )
        if branch == self.settings.default_branch:
            branch = "working-tree"
        return branch, snapshot(self.remote, self.source)

    def _merged(self, pull: PullRequest) -> PullRequest:
        if self.remote.contains(pull.base_sha, pull.head_sha):
            raise InputError(
                f"there are no commits between {pull.base_ref} and {pull.head_ref},"
                " so there is nothing to open a pull request for.",
                remedy="Change something first, or name another head or base.",
            )
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
