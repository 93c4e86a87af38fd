"""A hostile repository: names of its files, branches and what its own programs print."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from faults.conftest import Place
from faults.test_events import EVENT, RUNNER, event
from faults.test_hostile import demand_outputs, demand_quiet
from support.hostile import HOSTILE
from support.repositories import Sandbox

CONFIG = """version: 1
models:
  m:
    predictions: p.csv
    gates: {accuracy: {margin: 0.01}}
    environment: none
    tracking: {enabled: false}
    train: {command: python3 shout.py}
    tests: {command: python3 shout.py}
"""


@pytest.fixture
def repository(place: Place) -> Sandbox:
    """Two commits; the second adds files whose names are the strings."""
    sandbox = Sandbox.make(place.root)
    shout = f"import sys\nsys.stdout.write({chr(10).join(HOSTILE[:-1])!r} + chr(10))\n"
    sandbox.commit(
        {"assay.yaml": CONFIG, "shout.py": shout, ".gitignore": "/event.json\n/outputs\n/summary\n"}
    )
    names = [word[:80].replace("/", "_").replace("\0", "") for word in HOSTILE]
    sandbox.commit(dict.fromkeys(names, "x") | {"data/a.csv": "x"})
    return sandbox


def job(place: Place, repository: Sandbox) -> dict[str, str]:
    made = event({"pull_request.title": HOSTILE[1], "pull_request.head.ref": HOSTILE[6]})
    place.write(made.files)
    place.write({"outputs": "", "summary": ""})
    return {
        **RUNNER,
        "GITHUB_EVENT_PATH": EVENT,
        "GITHUB_SHA": repository.git("rev-parse", "HEAD"),
        "GITHUB_OUTPUT": str(place.root / "outputs"),
        "GITHUB_STEP_SUMMARY": str(place.root / "summary"),
    }


def test_plan_shows_names_as_names(place: Place, repository: Sandbox) -> None:
    code, out, err = place.run("plan", environ=job(place, repository))
    assert code == 0, (out, err)
    demand_quiet(out + err)
    text = (place.root / "outputs").read_text()
    demand_outputs(text, "plan")
    plan = json.loads((place.root / ".assay" / "evidence" / "plan.json").read_text())
    assert plan["event"]["title"] == HOSTILE[1]
    assert plan["change"]["files"] == len(HOSTILE) + 1


@pytest.mark.parametrize("command", ["train", "test"])
def test_what_foreign_programs_print_is_never_a_command(
    command: str, place: Place, repository: Sandbox
) -> None:
    code, out, err = place.run(command, environ=job(place, repository))
    assert code == {"train": 1, "test": 0}[command], (out, err)
    inside, token = False, ""
    for line in (out + err).split("\n"):
        if not inside and (found := re.fullmatch(r"::stop-commands::([0-9a-f]{32})", line)):
            inside, token = True, found.group(1)
        elif inside and line == f"::{token}::":
            inside = False
        elif not inside:
            assert "##[" not in line
            if line.strip().startswith("::"):
                assert re.match(r"::(group::|endgroup::|(error|warning|notice) )", line), line
                assert not re.match(r"::(error|warning|notice)::", line), line
    assert token, "the program's output was shown"
    assert not inside
    demand_outputs((place.root / "outputs").read_text(), command)


def test_a_ref_that_is_an_option_or_a_command_is_only_a_ref(
    place: Place, repository: Sandbox
) -> None:
    for ref in ("--output=pwned", "$(touch pwned)", "`touch pwned`", "a;touch pwned", "-h"):
        code, out, err = place.run("plan", f"--base={ref}")
        assert code in (2, 3), (ref, out, err)
        assert len([line for line in err.splitlines() if "assay: error: " in line]) == 1
        demand_quiet(out + err)
    assert not Path("pwned").exists()
