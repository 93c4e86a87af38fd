"""Read pytest's JUnit XML: counts, and each failure with its file and line."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from defusedxml.ElementTree import ParseError, parse

from assay.errors import InputError, Location
from assay.evidence import TestFailure

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_MOST_FAILURES = 500
_MOST_MESSAGE = 2000
_TRACE = re.compile(r"^(?P<file>[^\s:][^:\n]*\.py):(?P<line>\d+): ", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Results:
    """What a test suite's JUnit XML says."""

    passed: int = 0
    failed: int = 0
    errors: int = 0
    skipped: int = 0
    failures: tuple[TestFailure, ...] = ()

    @property
    def total(self) -> int:
        """How many tests there were."""
        return self.passed + self.failed + self.errors + self.skipped


def read_junit(
    file: Path, *, folder: Path, root: Path, redact: Callable[[str], str] = str
) -> Results:
    """Read the JUnit XML in ``file`` of a run in ``folder``; paths come back from ``root``.

    Raises InputError where it is no such file.
    """
    try:
        tree = parse(file)
    except (ParseError, ValueError, OSError) as error:
        raise InputError(
            f"the JUnit XML cannot be read ({str(error)[:200]}).", where=Location(file=file.name)
        ) from None
    counts = {"passed": 0, "failed": 0, "errors": 0, "skipped": 0}
    failures = []
    for case in tree.iter("testcase"):
        outcome, found = _outcome(case)
        counts[outcome] += 1
        if found is not None:
            failures.append(_failure(case, found, folder, root, redact))
    return Results(**counts, failures=tuple(failures[:_MOST_FAILURES]))


def _outcome(case: Element) -> tuple[str, Element | None]:
    for tag, outcome in (("error", "errors"), ("failure", "failed")):
        found = case.find(tag)
        if found is not None:
            return outcome, found
    return ("skipped" if case.find("skipped") is not None else "passed"), None


def _failure(
    case: Element, found: Element, folder: Path, root: Path, redact: Callable[[str], str]
) -> TestFailure:
    trace = found.text or ""
    message = found.get("message") or trace.strip()
    file, line = _place(case, trace, folder, root)
    name = "::".join(part for part in (case.get("classname"), case.get("name")) if part)
    return TestFailure(
        name=redact(name)[:500] or "a test without a name",
        file=file,
        line=line,
        message=redact(message)[:_MOST_MESSAGE],
    )


def _place(case: Element, trace: str, folder: Path, root: Path) -> tuple[str | None, int | None]:
    """The last line of the traceback that lies in the consumer's files, else the test's own."""
    for match in reversed(list(_TRACE.finditer(trace))):
        inside = _from_root(match["file"], folder, root)
        if inside is not None:
            return inside, int(match["line"])
    file, line = case.get("file"), case.get("line")
    inside = _from_root(file, folder, root) if file else None
    if inside is None:
        return None, None
    # pytest counts a test's own line from 0.
    return inside, int(line) + 1 if line and line.isascii() and line.isdigit() else None


def _from_root(name: str, folder: Path, root: Path) -> str | None:
    """The path from ``root`` of a file that exists there and is no installed package's."""
    try:
        path = (folder / name).resolve()
        inside = PurePosixPath(path.relative_to(root.resolve()).as_posix())
    except (ValueError, OSError):
        return None
    hidden = any(part.startswith(".") or part == "site-packages" for part in inside.parts)
    return None if hidden or not path.is_file() else str(inside)
