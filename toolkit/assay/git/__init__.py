"""Git: revisions, merge base, changed paths, worktrees. Nothing else shells out to git."""

from assay.git.command import Finished, Runner, run_process
from assay.git.repository import Repository, Revision

__all__ = ["Finished", "Repository", "Revision", "Runner", "run_process"]
