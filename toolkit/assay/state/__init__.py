"""Small durable records on branches of a git remote: appended by compare-and-swap, replayable."""

from assay.state.branch import Appended, Snapshot, StateBranch
from assay.state.desired import DESIRED, Remote, known_here, open_desired

__all__ = [
    "DESIRED",
    "Appended",
    "Remote",
    "Snapshot",
    "StateBranch",
    "known_here",
    "open_desired",
]
