"""`make demo`: three pull requests to a real model, through the real workflow, under real act.

Makes a consumer out of template-repo, with a git remote and a DVC remote of its own, opens three
pull requests against its main on a GitHub API on this machine, runs each, and says where the
rendered comments are. Everything is kept in one new folder below demo/.
"""

from __future__ import annotations

import json
import os
import sys
import time
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "toolkit")]

from assay.act.harness import Harness  # noqa: E402 -- the paths above come first
from assay.act.result import RunResult  # noqa: E402
from assay.act.site import Settings  # noqa: E402
from assay.report.page import comment_page  # noqa: E402
from demo.consumer import build  # noqa: E402
from demo.scenarios import DEMO, SCENARIOS, Scenario  # noqa: E402

WORKFLOW = "pull-request.yml"


def main() -> int:
    """Run the demonstration; return 1 where a verdict is not the one that was expected."""
    folder = ROOT / "demo" / time.strftime("%Y%m%d-%H%M%S")
    scenarios = [scenario for scenario in SCENARIOS if scenario.name in DEMO]
    started = time.monotonic()
    say(f"Making a consumer repository in {folder} and training its first model ...")
    uv = str(ROOT / "toolkit/bin/uv")
    consumer = build(folder / "consumer", ROOT / "template-repo", scenarios=scenarios, uv=uv)
    settings = Settings(
        repository=consumer.main,
        environ=os.environ,
        scratch=folder / "act",
        slug="octo/doctor-visit",
        say=say,
    )
    verdicts = {}
    with Harness(settings) as harness:
        for scenario in scenarios:
            say(f"\nPull request '{scenario.title}' ...")
            pull = harness.open_pull_request(scenario.branch, title=scenario.title)
            run = harness.run(WORKFLOW, harness.pull_request_event(pull))
            comments = harness.github.comments(pull.number)
            body = comments[-1].body if comments else ""
            verdicts[scenario.name] = show(scenario, run, body, folder)
    say(f"\nEverything is kept in {folder} ({time.monotonic() - started:.0f} s).\n")
    for name in DEMO:
        print(f"{name}: {verdicts[name]}")
    return 0 if all(verdicts[item.name] == item.expected for item in scenarios) else 1


def show(scenario: Scenario, run: RunResult, comment: str, folder: Path) -> str:
    """Print one run's verdict and where its comment is; return the verdict."""
    for job in run.jobs:
        say(f"  {job.name}: {job.result} ({job.seconds:.0f} s)")
    verdict = verdict_of(run)
    say(f"  {verdict.get('sentence', 'There is no verdict: see ' + str(run.log))}")
    for stage in verdict.get("stages", ()):
        say(f"  {stage['severity']}: {stage['message']}")
    page = folder / f"{scenario.name}.html"
    (folder / f"{scenario.name}.md").write_text(comment, encoding="utf-8")
    page.write_text(comment_page(comment, title=scenario.title), encoding="utf-8")
    say(f"  The comment, rendered: {page}")
    return str(verdict.get("state", "none"))


def verdict_of(run: RunResult) -> dict[str, object]:
    """Return verdict.json of the run's whole evidence, or nothing."""
    for artifact in run.artifacts:
        if artifact.name.startswith("assay-gate-"):
            with zipfile.ZipFile(artifact.archive) as archive:
                if "verdict.json" in archive.namelist():
                    found: dict[str, object] = json.loads(archive.read("verdict.json"))
                    return found
    return {}


def say(text: str) -> None:
    """Print at once, so that whoever watches sees where it is."""
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
