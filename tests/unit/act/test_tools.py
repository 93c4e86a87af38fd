"""Tools are found where they are and otherwise made once, by whoever comes first."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from assay.act.site import TOOLKIT
from assay.act.tools import ACT_VERSION, Toolbox
from assay.errors import OutsideError


def program(folder: Path, name: str, prints: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    place = folder / name
    place.write_text(f"#!/bin/sh\necho '{prints}'\n")
    place.chmod(0o755)
    return place


def toolbox(tmp_path: Path, path: str, said: list[str]) -> Toolbox:
    environ = {"PATH": path, "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    return Toolbox.of(tmp_path / "toolkit", environ, said.append)


def test_programs_on_path_are_taken_if_they_are_new_enough(tmp_path: Path) -> None:
    folder = tmp_path / "bin"
    act = program(folder, "act", f"act version {ACT_VERSION}")
    node = program(folder, "node", "v24.1.0")
    go = program(folder, "go", "go version go1.26.8 linux/amd64")
    tools = toolbox(tmp_path, str(folder), [])
    assert (tools.act(), tools.node(), tools.go()) == (act, node, go)


def test_another_version_is_not_taken_and_missing_pins_are_named(tmp_path: Path) -> None:
    folder = tmp_path / "bin"
    program(folder, "act", "act version 0.2.80")
    program(folder, "node", "v20.19.0")
    tools = toolbox(tmp_path, str(folder), [])
    with pytest.raises(OutsideError, match=r"pins of act-.*go\.mod"):
        tools.act()
    with pytest.raises(OutsideError, match=r"pins of node are missing.*node\.txt"):
        tools.node()


def test_building_says_so_and_shows_the_builders_words_if_it_fails(tmp_path: Path) -> None:
    folder = tmp_path / "bin"
    go = program(folder, "go", "go version go1.26.8 linux/amd64")
    go.write_text(go.read_text() + '[ "$1" = version ] || { echo no network >&2; exit 1; }\n')
    pins = tmp_path / "toolkit" / "requirements" / "act"
    pins.mkdir(parents=True)
    (pins / "go.mod").touch()
    (pins / "go.sum").touch()
    said: list[str] = []
    tools = toolbox(tmp_path, f"{folder}:{os.environ['PATH']}", said)
    program(folder, "act", "act version 0.0.1")
    with pytest.raises(OutsideError, match=r"go build .* failed in .*no network"):
        tools.act()
    assert said == [f"building act {ACT_VERSION} with Go (once, about a minute)"]
    assert [p.name for p in tools.cache.iterdir()] == [f"act-{ACT_VERSION}.lock"]


def test_two_that_start_at_once_make_one(tmp_path: Path) -> None:
    folder = tmp_path / "bin"
    go = program(folder, "go", "go version go1.26.8 linux/amd64")
    go.write_text(
        "#!/bin/sh\n"
        f"[ $1 = version ] && echo go version go1.26.8 && exit\n"
        f"echo built >> {tmp_path}/builds\nsleep 0.2\necho act > $4\n"
    )
    pins = tmp_path / "toolkit" / "requirements" / "act"
    pins.mkdir(parents=True)
    (pins / "go.mod").touch()
    (pins / "go.sum").touch()
    program(folder, "act", "act version 0.0.1")
    found: list[Path] = []
    tools = toolbox(tmp_path, f"{folder}:{os.environ['PATH']}", [])
    threads = [threading.Thread(target=lambda: found.append(tools.act())) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert found[0].is_file()
    assert (tmp_path / "builds").read_text() == "built\n"


def test_the_pins_name_the_versions_that_the_code_does() -> None:
    module = (TOOLKIT / "requirements" / "act" / "go.mod").read_text()
    assert f"github.com/nektos/act v{ACT_VERSION}" in module
    lock = (TOOLKIT / "requirements" / "emulate" / "package-lock.json").read_text()
    assert '"emulate": "0.12.2"' in lock
    assert "resolved" not in lock
