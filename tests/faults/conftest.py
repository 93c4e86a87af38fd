"""A folder to make mistakes in, and what must hold after every one of them."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from assay.cli.edge import run
from support.consumers import variables
from support.repositories import put_files

Files = Mapping[str, str | bytes]
ERROR = "assay: error: "


@dataclass(frozen=True, kw_only=True)
class Case:
    """One mistake: the files, the command line, and what the one message must name."""

    argv: tuple[str, ...]
    files: Files = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=dict)
    code: int = 2
    says: tuple[str, ...]


@dataclass(frozen=True)
class Place:
    """A folder, the process that runs in it, and what it prints."""

    root: Path
    captured: pytest.CaptureFixture[str]
    patch: pytest.MonkeyPatch

    def write(self, files: Files) -> None:
        """Write files below the folder."""
        put_files(self.root, files)

    def contents(self) -> dict[str, bytes]:
        """Return every file by its name, but git's own."""
        return {
            path.relative_to(self.root).as_posix(): path.read_bytes()
            for path in self.root.rglob("*")
            if path.is_file() and ".git" not in path.relative_to(self.root).parts
        }

    def run(self, *argv: str, environ: Mapping[str, str] | None = None) -> tuple[int, str, str]:
        """Run ``assay`` here; return its code and what it printed."""
        for name, value in (environ or {}).items():
            self.patch.setenv(name, value)
        self.captured.readouterr()
        code = run(list(argv))
        out, err = self.captured.readouterr()
        return code, out, err

    def demand(self, case: Case) -> None:
        """Run the case: its code, exactly one message, and nothing half-written."""
        self.write(case.files)
        before = self.contents()
        code, out, err = self.run(*case.argv, environ=case.environ)
        in_job = case.environ.get("GITHUB_ACTIONS") == "true"
        errors = [line for line in out.splitlines() if line.startswith("::error")]
        messages = errors if in_job else [line for line in err.splitlines() if ERROR in line]
        assert len(messages) == 1, (code, out, err)
        assert code == case.code, messages
        for text in case.says:
            assert text in messages[0]
        assert "Traceback" not in out + err
        self._nothing_is_half_written(before)

    def _nothing_is_half_written(self, before: Mapping[str, bytes]) -> None:
        after = self.contents()
        assert {name: after.get(name) for name in before} == before
        for name in after.keys() - before.keys():
            assert name.startswith(".assay/"), name
            if name != ".assay/.gitignore":
                assert name.endswith(".json"), name
                json.loads(after[name])


@pytest.fixture
def place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Place:
    """Return an empty folder, entered, with nobody's variables."""
    root, home = tmp_path / "work", tmp_path / "home"
    root.mkdir()
    home.mkdir()
    kept = variables(home)
    for name in list(os.environ):
        monkeypatch.delenv(name)
    for name, value in {**kept, "TMPDIR": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(root)
    return Place(root, capsys, monkeypatch)
