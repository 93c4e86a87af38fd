"""A release is two commits, and the second changes nothing but the pins."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from contract.files import ROOT

SCRIPT = ROOT / ".github/release.py"


def git(root: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", *arguments], cwd=root, check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a committed copy of what a release touches."""
    root = tmp_path / "project"
    names = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--",
         ".github", "template-repo", "README.md", "pyproject.toml", "toolkit/assay/__init__.py"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout.split("\n")  # fmt: skip
    for name in filter(None, names):
        if (ROOT / name).is_file():
            target = root / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((ROOT / name).read_bytes())
    (root / "CHANGELOG.md").write_text("# Changes\n\n## 9.8.7\n")
    git(root, "init", "--quiet", "--initial-branch", "main")
    git(root, "config", "user.name", "Release Test")
    git(root, "config", "user.email", "release@example.invalid")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "start")
    return root


def run(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, SCRIPT, *arguments, "--root", str(root)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_tagged_commit_pins_the_one_before_and_differs_in_nothing_else(project: Path) -> None:
    done = run(project, "9.8.7")
    assert done.returncode == 0, done.stderr
    first, second = git(project, "rev-parse", "HEAD^"), git(project, "rev-parse", "HEAD")
    assert git(project, "rev-parse", "v9.8.7") == second
    assert git(project, "show", f"{first}:pyproject.toml").count('version = "9.8.7"') == 1
    pins = set(re.findall(r"assay-ml/assay[\w./-]*@([0-9a-f]{40}) # v([\d.]+)", _texts(project)))
    assert pins == {(first, "9.8.7")}
    diff = git(project, "diff", "--unified=0", first, second)
    lines = [line[1:] for line in diff.splitlines() if re.match(r"[+-](?![+-])", line)]
    neutral = [re.sub(r"@[0-9a-f]{40} ", "@SHA ", line) for line in lines]
    assert len(lines) > 0
    assert len(set(neutral)) <= len(neutral) // 2
    assert all("@SHA # v9.8.7" in line for line in neutral)


def _texts(root: Path) -> str:
    return "\n".join(
        (root / name).read_text(errors="ignore") for name in git(root, "ls-files").splitlines()
    )


def test_a_dry_run_writes_nothing(project: Path) -> None:
    before = git(project, "rev-parse", "HEAD")
    done = run(project, "9.8.7", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "pull-request.yml" in done.stdout
    assert git(project, "rev-parse", "HEAD") == before
    assert git(project, "status", "--porcelain") == ""


@pytest.mark.parametrize(
    ("version", "message"), [("1.2", "is not a version"), ("9.9.9", "CHANGELOG.md has no section")]
)
def test_a_release_that_cannot_be_made_says_why(project: Path, version: str, message: str) -> None:
    done = run(project, version)
    assert done.returncode == 2
    assert message in done.stderr


def test_a_dirty_tree_is_refused(project: Path) -> None:
    (project / "README.md").write_text("changed")
    done = run(project, "9.8.7")
    assert done.returncode == 2
    assert "the working tree has changes" in done.stderr
