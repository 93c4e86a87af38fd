"""Push a new dvc.lock to the model's branch, and say in one pull request why it is there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from assay.errors import InputError, OutsideError
from assay.evidence import Retraining
from assay.git import Push, RemoteBranch
from assay.github.proposals import Proposal
from assay.report.escape import block, clean, code, text

_LOCK_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Told:
    """What the pull request says beside its reasons: the run, and whether the gate starts."""

    run_url: str | None
    waits: bool


WAITS = (
    "It was opened with GITHUB_TOKEN, whose pushes start no workflow: it waits for a person. "
    "Close and reopen it, and the gate runs. With a GitHub App's credentials it starts by itself."
)


def push(branch: RemoteBranch, decision: Retraining, files: Mapping[str, bytes]) -> str | None:
    """Put ``files`` upon the commit that was trained, as the branch's only commit.

    Returns the branch's commit, or None where the files are what they were. The same files again
    push nothing. Raises OutsideError where somebody else's commit is on the branch.
    """
    if decision.base is None:
        raise InputError("the decision names no commit to propose upon.")
    branch.bring(decision.base)
    known = {
        path: branch.files(decision.base, path, most=_LOCK_BYTES).get(path)
        for path in decision.paths
    }
    if all(known[path] == content for path, content in files.items()):
        return None
    message = f"Retrain {decision.model}\n\n" + "\n".join(
        clean(one.sentence) for one in decision.triggers
    )
    made = branch.commit(decision.base, files, message=message)
    tip = branch.tip()
    if tip is not None:
        branch.bring(tip)
        own, there = branch.facts(made), branch.facts(tip)
        if there[2] != own[2]:
            raise OutsideError(
                f"the branch {branch.name} ends in somebody else's commit {tip[:12]}.",
                remedy="Merge or close its pull request and delete the branch; it is not "
                "overwritten.",
            )
        if there == own:
            return tip
    if branch.push(made, expected=tip) is Push.LOST:
        raise OutsideError(
            f"the branch {branch.name} was moved meanwhile.", remedy="Run the job again."
        )
    return made


def proposal_of(decision: Retraining, told: Told) -> Proposal:
    """Return the pull request's words: what asked for it, what was trained, what happens next."""
    if decision.base is None or decision.base_branch is None:
        raise InputError("the decision names no branch to propose upon.")
    lines = [f"{code(decision.model)} was trained anew, because:", ""]
    lines += [f"- **{one.kind}**: {text(one.sentence)}" for one in decision.triggers]
    lines += ["", f"It was trained on {code(decision.base[:12])}, and only the new dvc.lock"]
    lines[-1] += " is proposed; what it names is in the DVC remote."
    if told.run_url:
        lines[-1] += f" [The run]({told.run_url})."
    lines += [
        "",
        WAITS if told.waits else "The gate judges it like any other change.",
        "If the retrained model is not shown to be better, this closes itself.",
    ]
    if decision.not_measured:
        lines += ["", "Not looked at:", ""]
        lines += [f"- {text(one)}" for one in decision.not_measured]
    lines += ["", "<details><summary>The decision</summary>", ""]
    lines += [block(decision.to_json(), language="json", most_lines=80), "", "</details>"]
    return Proposal(
        branch=decision.branch,
        base=decision.base_branch,
        title=f"Retrain {decision.model}: {', '.join(one.kind for one in decision.triggers)}",
        body="\n".join(lines) + "\n",
    )
