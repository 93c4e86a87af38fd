"""Real repositories in a scratch folder, made with real git and nobody's configuration."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from assay.git import Repository


def git_variables(home: Path) -> dict[str, str]:
    """An environment in which git sees no configuration of the machine or its user."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_AUTHOR_NAME": "Octo",
        "GIT_AUTHOR_EMAIL": "octo@example.org",
        "GIT_COMMITTER_NAME": "Octo",
        "GIT_COMMITTER_EMAIL": "octo@example.org",
        "GIT_AUTHOR_DATE": "2026-01-02T03:04:05Z",
        "GIT_COMMITTER_DATE": "2026-01-02T03:04:05Z",
    }


def put_files(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write files by their paths within a folder; returns the folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


@dataclass(frozen=True)
class Sandbox:
    """A work tree and the commands a person would type in it."""

    root: Path
    home: Path

    @classmethod
    def make(cls, root: Path) -> Sandbox:
        home = root.parent / f"{root.name}.home"
        home.mkdir(exist_ok=True)
        root.mkdir(exist_ok=True)
        sandbox = cls(root, home)
        sandbox.git("init", "--quiet", "--initial-branch=main")
        return sandbox

    def git(self, *arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.root,
            env=git_variables(self.home),
            check=True,
            capture_output=True,
        )
        return done.stdout.decode(errors="replace").strip()

    def commit(
        self, files: Mapping[str, str | bytes] | None = None, message: str = "change"
    ) -> str:
        put_files(self.root, files or {})
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD")

    def clone_bare(self, path: Path) -> Path:
        """Clone into a bare repository, and return its place."""
        self.git("clone", "--quiet", "--bare", str(self.root), str(path))
        return path

    @property
    def repository(self) -> Repository:
        return Repository(self.root, git_variables(self.home))


def put_hook(bare: Path, name: str, script: str) -> Callable[[], object]:
    """Put a hook into a bare repository; call what is returned to take it away."""
    path = bare / "hooks" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path.unlink


class Origin:
    """A bare repository that writers push to, and a work tree in which others work."""

    def __init__(self, folder: Path, files: Mapping[str, str | bytes] | None = None) -> None:
        self.source = Sandbox.make(folder / "source")
        self.source.commit(files or {"a.txt": "a"})
        self.bare = self.source.clone_bare(folder / "origin.git")
        self.environment = git_variables(folder)

    def git(self, *arguments: str) -> str:
        """Run git in the bare repository."""
        return self.source.git("-C", str(self.bare), *arguments)
