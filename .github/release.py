"""Makes the two commits of a release.

The first holds the toolkit and the actions under the new version. The second, which is tagged,
changes nothing but the self references: they get the first one's SHA. Organisations that demand
pins by SHA at every depth can then use the workflows, and what the tag names is what it runs.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SELF = re.compile(
    r"(?P<name>assay-ml/assay(?:/[\w./-]+)?)@(?P<sha>[0-9a-f]{40}) # v(?P<version>\d+\.\d+\.\d+)"
)
VERSION = re.compile(r"(?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*)){2}")


class Refused(Exception):
    """The release cannot be made; the message says why."""


def git(*arguments: str, root: Path = ROOT) -> str:
    """Run git and return what it printed; raises Refused with git's own message."""
    done = subprocess.run(
        ["git", *arguments], cwd=root, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Refused(f"git {arguments[0]}: {done.stderr.strip()}")
    return done.stdout.strip()


def referring_files(root: Path) -> list[Path]:
    """Return the tracked files that hold a self reference."""
    found = git("grep", "-lE", "assay-ml/assay(/[A-Za-z0-9./_-]+)?@[0-9a-f]{40} # v", root=root)
    return [root / name for name in found.splitlines()]


def rewrite_versions(root: Path, version: str) -> None:
    """Write the new version into the package, the project and beside every self reference."""
    for name, pattern, text in (
        ("toolkit/assay/__init__.py", r'^__version__ = ".*"$', f'__version__ = "{version}"'),
        ("pyproject.toml", r'^version = ".*"$', f'version = "{version}"'),
    ):
        path = root / name
        changed, count = re.subn(pattern, text, path.read_text(), count=1, flags=re.MULTILINE)
        if count != 1:
            raise Refused(f"{name} names no version.")
        path.write_text(changed)
    for path in referring_files(root):
        path.write_text(SELF.sub(rf"\g<name>@\g<sha> # v{version}", path.read_text()))


def rewrite_pins(root: Path, sha: str) -> None:
    """Write ``sha`` into every self reference."""
    for path in referring_files(root):
        path.write_text(SELF.sub(rf"\g<name>@{sha} # v\g<version>", path.read_text()))


def check(root: Path, version: str) -> None:
    """Refuse a release from a dirty tree, of a malformed or used version, or unannounced."""
    if not VERSION.fullmatch(version):
        raise Refused(f"{version!r} is not a version: write VERSION=1.2.3.")
    if git("status", "--porcelain", root=root):
        raise Refused("the working tree has changes: commit them first.")
    if git("tag", "--list", f"v{version}", root=root):
        raise Refused(f"the tag v{version} exists.")
    if f"## {version}" not in (root / "CHANGELOG.md").read_text():
        raise Refused(f"CHANGELOG.md has no section '## {version}'.")


def release(root: Path, version: str) -> tuple[str, str]:
    """Make the two commits and the tag; return the commits' SHAs."""
    rewrite_versions(root, version)
    git("commit", "--quiet", "--allow-empty", "--all", "-m", f"Release {version}", root=root)
    first = git("rev-parse", "HEAD", root=root)
    rewrite_pins(root, first)
    message = f"Pin the self references of {version}\n\nNothing but the pins differs from {first}."
    git("commit", "--quiet", "--all", "-m", message, root=root)
    second = git("rev-parse", "HEAD", root=root)
    git("tag", f"v{version}", second, root=root)
    return first, second


def dry_run(root: Path, version: str) -> None:
    """Say what a release would do, and write nothing."""
    print(f"would set the version {version} in toolkit/assay/__init__.py and pyproject.toml,")
    print("would commit, and would then pin to that commit, in a second, tagged commit:")
    for path in referring_files(root):
        count = len(SELF.findall(path.read_text()))
        print(f"  {path.relative_to(root)}: {count} references")
    print(f"would tag the second commit v{version}; nothing would be pushed")


def main() -> int:
    """Run from the command line; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("version", help="such as 1.2.3")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done")
    parser.add_argument("--root", type=Path, default=ROOT, help=argparse.SUPPRESS)
    options = parser.parse_args()
    try:
        check(options.root, options.version)
        if options.dry_run:
            dry_run(options.root, options.version)
            return 0
        first, second = release(options.root, options.version)
    except Refused as refused:
        print(f"release: {refused}", file=sys.stderr)
        return 2
    print(f"release {options.version}: {first[:12]}, pinned and tagged in {second[:12]}")
    print(f"push both with: git push origin main v{options.version}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
