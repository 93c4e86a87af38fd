"""A local target's files, read beside its controller."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from assay.errors import OutsideError
from assay.rollout.targets.local.looking import look
from assay.rollout.targets.local.processes import Launch, Program
from support.waiting import until


def put(folder: Path, content: object) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    text = content if isinstance(content, str) else json.dumps(content)
    (folder / "state.json").write_text(text)
    return folder


def version(**changes: object) -> dict[str, object]:
    return {"folder": "/releases/x", "ports": [4001, 4002], "stopping": None, **changes}


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "null", {}, {"port": 1}, {"port": 1, "versions": {"a": {}}},
     {"port": 1, "versions": {"a": version(ports=[])}}, {"port": "x", "versions": {}}],
)  # fmt: skip
def test_files_that_say_nothing_are_outside(tmp_path: Path, content: object) -> None:
    with pytest.raises(OutsideError, match="does not say what is served"):
        look(put(tmp_path / "target", content))
    with pytest.raises(OutsideError):
        look(tmp_path / "nowhere")


def test_versions_that_serve_are_seen_and_those_that_ever_did(tmp_path: Path) -> None:
    folder = put(
        tmp_path,
        {"port": 8081, "versions": {"a": version(), "b": version(stopping=3.0)}},
    )
    for name in ("a", "b", "c"):
        (folder / "versions" / name).mkdir(parents=True)
    seen = look(folder)
    assert (seen.port, set(seen.versions), seen.ever) == (8081, {"a"}, {"a", "b", "c"})
    assert seen.versions["a"].address == "http://127.0.0.1:4001"
    assert seen.versions["a"].memory() is None


def test_memory_is_the_resident_set_of_all_processes_while_they_run(tmp_path: Path) -> None:
    folder = put(tmp_path, {"port": 1, "versions": {"a": version(ports=[1])}})
    own = folder / "versions" / "a"
    own.mkdir(parents=True)
    program = Program(own / "0.pid")
    program.start(
        Launch(command=["sleep", "30"], cwd=own, log=own / "log", variables=dict(os.environ))
    )
    memory = look(folder).versions["a"].memory
    until(lambda: (memory() or 0) > 2**16, "the program's memory", seconds=20)
    found = memory()
    assert found is not None
    assert 2**16 < found < 2**28
    pid = program.pid
    assert pid is not None
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    assert memory() is None
