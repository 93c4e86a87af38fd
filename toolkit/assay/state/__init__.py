"""Small durable records: on branches of a git remote, and on a controller's own disk."""

from assay.state.branch import Appended, Files, Snapshot, StateBranch
from assay.state.desired import DESIRED, Remote, known_here, open_desired, open_records
from assay.state.folder import Folder, Proposal, Written, open_folder
from assay.state.intents import Signed, append_intent, intents_in, read_intents
from assay.state.journal import Journal, Link, canonical_line, chain_in, link_of
from assay.state.journal_branch import (
    JOURNAL,
    Diverged,
    chain_of,
    observed_path,
    push_chain,
    read_chain,
)
from assay.state.lock import Held, Holder, Lock, holder_in, is_held, take
from assay.state.requests import read_request, write_request
from assay.state.silences import Entry, append_silence, in_force, read_silences
from assay.state.wal import Full, Wal

__all__ = [
    "DESIRED",
    "JOURNAL",
    "Appended",
    "Diverged",
    "Entry",
    "Files",
    "Folder",
    "Full",
    "Held",
    "Holder",
    "Journal",
    "Link",
    "Lock",
    "Proposal",
    "Remote",
    "Signed",
    "Snapshot",
    "StateBranch",
    "Wal",
    "Written",
    "append_intent",
    "append_silence",
    "canonical_line",
    "chain_in",
    "chain_of",
    "holder_in",
    "in_force",
    "intents_in",
    "is_held",
    "known_here",
    "link_of",
    "observed_path",
    "open_desired",
    "open_folder",
    "open_records",
    "push_chain",
    "read_chain",
    "read_intents",
    "read_request",
    "read_silences",
    "take",
    "write_request",
]
