"""Deployments that wait for a person's word, on the branch ``assay/desired``.

``requests/<target>/<model>.json`` is what was asked for last, signed by ``.sig`` beside it. No
controller reads it: it becomes an intent when somebody approves.
"""

from __future__ import annotations

from assay.state.branch import Files, StateBranch

FOLDER = "requests/"


def write_request(
    branch: StateBranch, target: str, model: str, content: bytes, signature: bytes
) -> None:
    """Write what waits for approval now, in place of what waited before."""
    path = f"{FOLDER}{target}/{model}"

    def change(files: Files) -> Files:  # noqa: ARG001 -- StateBranch's signature
        return {f"{path}.json": content, f"{path}.sig": signature}

    branch.append(f"{FOLDER}{target}/", change, message=f"{target}/{model}: asked for")


def read_request(branch: StateBranch, target: str, model: str) -> tuple[bytes, bytes] | None:
    """Return what waits and its signature, unread; None where nothing was asked for."""
    path = f"{FOLDER}{target}/{model}"
    files = branch.read(f"{FOLDER}{target}/").files
    content = files.get(f"{path}.json")
    return None if content is None else (content, files.get(f"{path}.sig", b""))
