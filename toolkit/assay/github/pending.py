"""Records that an earlier run of this workflow could not write, kept as its artifact."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from assay.errors import AssayError
from assay.github.archive import Limits, read_archive
from assay.github.client import Client

_MOST = 20
_LIMITS = Limits(packed=1024 * 1024, unpacked=1024 * 1024, files=5)


def pending_files(
    client: Client, artifact: str, file: str, *, run_id: int, branch: str
) -> Iterator[bytes]:
    """Yield the file ``file`` of each artifact called ``artifact``, the newest twenty.

    Any run can upload under any name, so only those count whose run is one of the workflow that
    ``run_id`` is a run of, started by ``workflow_run`` on the default branch ``branch``: its file
    is the default branch's. An artifact that cannot be read is left out.
    """
    own = client.get(f"actions/runs/{run_id}")
    path = own.get("path") if isinstance(own, dict) else None
    listed = client.get("actions/artifacts", name=artifact, per_page=_MOST)
    artifacts = listed.get("artifacts") if isinstance(listed, dict) else None
    for facts in artifacts if isinstance(artifacts, list) else []:
        if facts.get("expired") or facts.get("name") != artifact:
            continue
        try:
            if _is_ours(client, facts, path, branch):
                data = client.download(f"actions/artifacts/{facts['id']}/zip", most=_LIMITS.packed)
                wanted = read_archive(
                    data, name=artifact, limits=_LIMITS, wanted=lambda name: name == file
                )
                yield from (content for _, content in wanted)
        except AssayError:
            continue


def _is_ours(client: Client, facts: dict[str, Any], path: str | None, branch: str) -> bool:
    number = (facts.get("workflow_run") or {}).get("id")
    if not isinstance(number, int) or not path:
        return False
    run = client.get(f"actions/runs/{number}")
    head = run.get("head_repository") or {}
    return (
        run.get("event") == "workflow_run"
        and str(run.get("path")).partition("@")[0] == path.partition("@")[0]
        and run.get("head_branch") == branch
        and head.get("full_name") == client.repository
    )
