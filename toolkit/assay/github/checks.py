"""The check run, for those who ask for one beside the job's own."""

from __future__ import annotations

from assay.errors import OutsideError
from assay.evidence import Outcome
from assay.github.client import Client
from assay.github.outputs import cut_bytes

MAX_SUMMARY_BYTES = 65_535
_CONCLUSIONS = {
    Outcome.PASS: "success",
    Outcome.WARN: "neutral",
    Outcome.FAIL: "failure",
}


def write_check(
    client: Client,
    *,
    name: str,
    head_sha: str,
    outcome: Outcome,
    sentence: str,
    summary: str,
    details_url: str | None = None,
) -> str:
    """Create a completed check run on ``head_sha``; return its address.

    ``warn`` concludes ``neutral``, which lets a required check pass. Needs ``checks: write``.
    """
    body = {
        "name": name,
        "head_sha": head_sha,
        "status": "completed",
        "conclusion": _CONCLUSIONS[outcome],
        "external_id": f"assay:{name}",
        "output": {
            "title": sentence[:250],
            "summary": cut_bytes(
                summary, MAX_SUMMARY_BYTES, note="\n\n(Cut here: a check run takes no more.)\n"
            ),
        },
    }
    if details_url:
        body["details_url"] = details_url
    created = client.post("check-runs", body)
    address = created.get("html_url") if isinstance(created, dict) else None
    if not isinstance(created, dict) or not created.get("id"):
        raise OutsideError("GitHub did not create the check run, and did not say why.")
    return address if isinstance(address, str) else ""
