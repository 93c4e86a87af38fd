"""The launcher: one environment for each lock, whoever starts it, wherever, however it ends.

The environment is made by a stand-in for uv; test_launcher_for_real.py makes a real one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import click
import pytest

ROOT = Path(__file__).resolve().parents[3]
PACKAGES = Path(click.__file__).parents[1]
UV = """#!/usr/bin/env bash
echo "$*" >> "$UV_LOG"
case $1 in
  venv) exec "$UV_PYTHON" -m venv --without-pip --symlinks "${@: -1}" ;;
  pip)
    [ -z "${UV_FAILS:-}" ] || { echo "no such package" >&2; exit 2; }
    while [ "$1" != --python ]; do shift; done
    for folder in "${2%/bin/python}"/lib/python*/site-packages; do
      echo "$UV_PACKAGES" > "$folder/packages.pth"
    done ;;
esac
"""


@dataclass(frozen=True)
class Checkout:
    """A copy of the toolkit in a folder with a space, and a home of its own."""

    root: Path

    @property
    def launcher(self) -> Path:
        return self.root / "a b" / "toolkit" / "bin" / "assay"

    @property
    def lock(self) -> Path:
        return self.root / "a b" / "requirements" / "toolkit.txt"

    @property
    def cache(self) -> Path:
        return self.root / "home" / ".cache" / "assay"

    @property
    def work(self) -> Path:
        return self.root / "work"

    def start(
        self, *arguments: str, launcher: Path | None = None, **more: str
    ) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(launcher or self.launcher), *arguments],
            cwd=self.work,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self.root / "home"),
                "UV_LOG": str(self.root / "uv.log"),
                "UV_PYTHON": sys.executable,
                "UV_PACKAGES": str(PACKAGES),
                **more,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(
        self, *arguments: str, launcher: Path | None = None, **more: str
    ) -> tuple[int, str, str]:
        with self.start(*arguments, launcher=launcher, **more) as process:
            out, err = process.communicate(timeout=60)
        return process.returncode, out, err

    def environments(self) -> list[str]:
        return sorted(path.name for path in self.cache.iterdir())


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    place = tmp_path / "a b"
    made = Checkout(tmp_path)
    made.lock.parent.mkdir(parents=True)
    made.lock.write_text("click\n")
    shutil.copytree(
        ROOT / "toolkit" / "assay",
        place / "toolkit" / "assay",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    made.launcher.parent.mkdir()
    shutil.copy(ROOT / "toolkit" / "bin" / "assay", made.launcher)
    uv = made.launcher.parent / "uv"
    uv.write_text(UV)
    uv.chmod(0o755)
    (tmp_path / "home").mkdir()
    made.work.mkdir()
    return made


def test_the_first_start_makes_the_environment_and_the_second_finds_it(checkout: Checkout) -> None:
    code, out, err = checkout.run("--version")
    assert (code, out.split()[0]) == (0, "assay")
    assert "preparing its environment" in err
    assert checkout.run("--version") == (0, out, "")
    assert len(checkout.environments()) == 1
    log = (checkout.root / "uv.log").read_text()
    assert "--require-hashes" in log
    assert "--no-cache" not in log


def test_two_first_starts_at_once_make_one_environment(checkout: Checkout) -> None:
    with checkout.start("--version") as one, checkout.start("--version") as two:
        ends = [process.communicate(timeout=60) for process in (one, two)]
    assert [one.returncode, two.returncode] == [0, 0], ends
    assert len(checkout.environments()) == 1


def test_another_lock_makes_another_environment(checkout: Checkout) -> None:
    checkout.run("--version")
    checkout.lock.write_text("click\nrich\n")
    checkout.run("--version")
    assert len(checkout.environments()) == 2


def test_arguments_and_exit_codes_pass_through(checkout: Checkout) -> None:
    code, out, err = checkout.run("no such\ncommand", "$(touch pwned)")
    assert (code, out) == (2, "")
    assert "There is no command 'no such\\ncommand'" in err
    assert list(checkout.work.iterdir()) == []


def test_a_lock_that_cannot_be_installed_leaves_nothing(checkout: Checkout) -> None:
    code, out, err = checkout.run("--version", UV_FAILS="1")
    assert (code, out) == (3, "")
    assert "no such package" in err
    assert "could not be installed from" in err
    assert checkout.environments() == []
    assert checkout.run("--version")[0] == 0


def test_no_lock_is_named(checkout: Checkout) -> None:
    checkout.lock.unlink()
    code, _, err = checkout.run("--version")
    assert code == 3
    assert "toolkit.txt cannot be read. Check out the whole repository." in err


def test_links_to_the_launcher_are_followed(checkout: Checkout) -> None:
    folder = checkout.root / "links"
    folder.mkdir()
    (folder / "one").symlink_to(checkout.launcher)
    (folder / "two").symlink_to("one")
    assert checkout.run("--version", launcher=folder / "two")[0] == 0
    assert checkout.run("--version", launcher=Path("../links/two"), CDPATH="/")[0] == 0


def test_nothing_in_the_working_directory_or_pythonpath_is_imported(checkout: Checkout) -> None:
    checkout.run("--version")
    for name in ("assay", "click", "yaml", "typing", "sitecustomize", "usercustomize", "re"):
        (checkout.work / f"{name}.py").write_text("open('pwned', 'w')\n")
    code, out, err = checkout.run(
        "--help", PYTHONPATH=str(checkout.work), PYTHONSTARTUP="re.py", PYTHONHOME="/none"
    )
    assert code == 0, err
    assert "Usage: assay" in out
    assert not (checkout.work / "pwned").exists()


def test_a_fresh_environment_reads_no_cache(checkout: Checkout) -> None:
    temporary = checkout.root / "temp"
    code, _, err = checkout.run("--version", ASSAY_FRESH="true", RUNNER_TEMP=str(temporary))
    assert code == 0, err
    assert not checkout.cache.exists()
    assert [path.name[:11] for path in (temporary / "assay").iterdir()] == ["environment"]
    calls = (checkout.root / "uv.log").read_text().splitlines()
    assert ["--no-cache" in call for call in calls] == [True, True]


def test_under_act_the_cache_is_read_where_a_fresh_environment_is_asked_for(
    checkout: Checkout,
) -> None:
    assert checkout.run("--version")[0] == 0
    temporary = checkout.root / "temp"
    asked = {"ASSAY_FRESH": "true", "ACT": "true", "RUNNER_TEMP": str(temporary)}
    code, _, err = checkout.run("--version", **asked)
    assert code == 0, err
    assert not temporary.exists()
    assert len((checkout.root / "uv.log").read_text().splitlines()) == 2


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"ASSAY_FRESH": "true"}, "ASSAY_FRESH=true needs RUNNER_TEMP"),
        ({"ASSAY_FRESH": "yes"}, "ASSAY_FRESH is 'yes'. Write true or false."),
        ({"HOME": ""}, "there is no HOME to keep a cache in. Name a folder with ASSAY_CACHE."),
        ({"HOME": "/dev/null"}, "cannot be made. Name another with ASSAY_CACHE."),
    ],
)
def test_what_is_missing_is_said(
    variables: dict[str, str], message: str, checkout: Checkout
) -> None:
    code, out, err = checkout.run("--version", **variables)
    assert (code, out) == (3, "")
    assert message in err


@pytest.mark.parametrize("name", ["ASSAY_CACHE", "RUNNER_TOOL_CACHE", "XDG_CACHE_HOME"])
def test_the_cache_can_be_elsewhere(name: str, checkout: Checkout) -> None:
    folder = checkout.root / "else where"
    assert checkout.run("--version", ASSAY_FRESH="false", **{name: str(folder)})[0] == 0
    assert len(list((folder / "assay").iterdir())) == 1


def test_what_a_kill_left_aside_is_removed_after_an_hour(checkout: Checkout) -> None:
    old, young = checkout.cache / "environment.old", checkout.cache / "uv.young"
    for folder in (old, young):
        (folder / "bin").mkdir(parents=True)
    then = time.time() - 7200
    os.utime(old, (then, then))
    assert checkout.run("--version")[0] == 0
    assert not old.exists()
    assert young.exists()


def test_an_environment_whose_python_is_gone_is_made_again(checkout: Checkout) -> None:
    checkout.run("--version")
    python = checkout.cache / checkout.environments()[0] / "bin" / "python"
    python.unlink()
    python.symlink_to("/none/python3")
    code, _, err = checkout.run("--version")
    assert code == 0, err
    assert len(checkout.environments()) == 1


def tools(folder: Path, *names: str) -> str:
    """A PATH on which only these programs are."""
    folder.mkdir()
    for name in names:
        found = shutil.which(name)
        assert found, name
        (folder / name).symlink_to(found)
    return str(folder)


def run_uv(path: str, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(ROOT / "toolkit" / "bin" / "uv"), *arguments],
        env={"PATH": path, "HOME": str(home)},
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


def test_the_uv_on_path_is_taken_if_it_is_the_pinned_one(tmp_path: Path) -> None:
    path = tools(tmp_path / "bin", "bash", "dirname", "cut", "env")
    pinned = next(
        line.partition("=")[2]
        for line in (ROOT / "toolkit" / "bin" / "uv").read_text().splitlines()
        if line.startswith("VERSION=")
    )
    own = tmp_path / "bin" / "uv"
    own.write_text(
        f'#!/bin/bash\n[ "$1" = --version ] && echo "uv {pinned} (x)" || echo "ran $*"\n'
    )
    own.chmod(0o755)
    assert run_uv(path, tmp_path, "pip", "list").stdout == "ran pip list\n"


def test_without_any_python_it_says_so(tmp_path: Path) -> None:
    path = tools(tmp_path / "bin", "bash", "dirname", "cut", "env", "mkdir", "mktemp", "rm")
    done = run_uv(path, tmp_path, "--version")
    assert done.returncode == 3
    assert "Python 3.11 or later was not found on PATH. Install it" in done.stderr


def test_a_uv_that_is_this_very_file_is_passed_over(tmp_path: Path) -> None:
    path = tools(tmp_path / "bin", "bash", "dirname", "cut", "env", "mkdir", "mktemp", "rm")
    (tmp_path / "bin" / "uv").symlink_to(ROOT / "toolkit" / "bin" / "uv")
    done = run_uv(path, tmp_path, "--version")
    assert done.returncode == 3
    assert "Python 3.11 or later was not found" in done.stderr
