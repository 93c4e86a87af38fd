"""Git: revisions, merge base, worktrees, branches of remotes. Nothing else shells out to git."""

from assay.git.branches import (
    Push,
    Refused,
    RemoteBranch,
    authorised,
    open_branch,
    without_password,
)
from assay.git.command import Finished, Runner, run_process
from assay.git.history import leads_to, newest_tag
from assay.git.repository import Repository, Revision

__all__ = [
    "Finished",
    "Push",
    "Refused",
    "RemoteBranch",
    "Repository",
    "Revision",
    "Runner",
    "authorised",
    "leads_to",
    "newest_tag",
    "open_branch",
    "run_process",
    "without_password",
]
