"""CML as a publisher: the real program, used only where it would touch the right comment.

CML looks at the 30 oldest comments alone and at nobody's name. Where that would create a second
comment, or overwrite a stranger's, Assay's own publisher takes over the same comment.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from assay.errors import OutsideError
from assay.github.comment import Comment, ours
from assay.github.watermark import cml_would_find

COMMENTS_READ = 30
_TIMEOUT = 120.0
Run = Callable[[Sequence[str], Mapping[str, str], Path], "Finished"]


@dataclass(frozen=True, kw_only=True)
class Finished:
    """How a program ended."""

    code: int
    output: str
    errors: str


@dataclass(frozen=True, kw_only=True)
class Target:
    """Where CML writes: a pull request of a repository at a server."""

    server_url: str
    repository: str
    number: int
    title: str


def why_not_cml(
    comments: Sequence[Comment], *, title: str, login: str, server_url: str
) -> str | None:
    """Say why CML would go wrong on these comments (oldest first), or None where it would not."""
    if urlsplit(server_url).scheme != "https":
        return "CML speaks https alone"
    read = comments[:COMMENTS_READ]
    found = [comment for comment in read if cml_would_find(comment.body, title)]
    strangers = [comment for comment in found if comment.author != login]
    mine = ours(comments, title=title, login=login)
    if strangers:
        return f"CML would overwrite a comment of {strangers[0].author}, which bears the same mark"
    if mine and mine[0].id not in {comment.id for comment in read}:
        return f"the comment is not among the {COMMENTS_READ} oldest, which are all that CML reads"
    if not mine and len(comments) >= COMMENTS_READ:
        return f"there are {len(comments)} comments, and CML would not find its own again"
    if len(found) > 1 or (found and not mine):
        return "CML would update another comment than Assay"
    return None


def publish(
    markdown: str,
    target: Target,
    *,
    token: str,
    environ: Mapping[str, str],
    temporary: Path | None = None,
    run: Run | None = None,
) -> str:
    """Create or update the comment with ``cml comment update``; return its address.

    ``environ`` is all that it inherits. Raises OutsideError where CML is missing, fails, or
    takes too long. Nothing is uploaded
    (``--publish=false``), its telemetry is off, and its HOME is a scratch folder, because it
    appends to the user's git configuration.
    """
    with tempfile.TemporaryDirectory(prefix="assay-cml-", dir=temporary) as scratch:
        folder = Path(scratch)
        report = folder / "report.md"
        report.write_text(markdown, encoding="utf-8")
        command = [
            "cml",
            "comment",
            "update",
            "--publish=false",
            "--driver=github",
            f"--repo={target.server_url}/{target.repository}",
            f"--target=pr/{target.number}",
            f"--watermark-title={target.title}",
            str(report),
        ]
        own = {"HOME": scratch, "REPO_TOKEN": token, "ITERATIVE_DO_NOT_TRACK": "1"}
        finished = (run or run_program)(command, {**environ, **own}, folder)
    if finished.code != 0:
        said = " ".join(finished.errors.split()).replace(token, "***")[-300:]
        raise OutsideError(f"cml ended with {finished.code}: {said or 'it said nothing'}.")
    address = finished.output.strip().splitlines()[-1:] or [""]
    return address[0]


def run_program(command: Sequence[str], env: Mapping[str, str], folder: Path) -> Finished:
    """Run a program to its end; raises OutsideError where it is missing or too slow."""
    try:
        ended = subprocess.run(
            list(command),
            env=dict(env),
            cwd=folder,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=_TIMEOUT,
            check=False,
        )
    except FileNotFoundError:
        raise OutsideError(f"{command[0]} is not on PATH.") from None
    except subprocess.TimeoutExpired:
        raise OutsideError(f"{command[0]} took longer than {_TIMEOUT:.0f} s.") from None
    except OSError as error:
        raise OutsideError(f"{command[0]} could not be started: {error.strerror}.") from None
    return Finished(
        code=ended.returncode,
        output=ended.stdout.decode(errors="replace"),
        errors=ended.stderr.decode(errors="replace"),
    )
