"""The packages of a model's environment, read from requirement files and ``conda.yaml``.

A lock for several platforms names one package several times, each with a marker; the markers are
judged for the Python that the model was made with, on Linux, whatever machine packages it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import yaml
from packaging.markers import Marker
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from assay.errors import InputError, Location

_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_OPTION = re.compile(r"\s--[a-z-]+(?:[= ]\S+)?")
_COMMENT = re.compile(r"(^|\s)#.*$")
_CONDA = re.compile(r"^(?P<name>[A-Za-z0-9_.-]+)\s*(?:=+\s*(?P<version>[^=\s]+))?")
DEFAULT_PYTHON = "3.11"


@dataclass(frozen=True, kw_only=True)
class Package:
    """One package; ``version`` is None where the file does not pin one."""

    name: str
    version: str | None = None
    sha256: tuple[str, ...] = ()
    """Of the files that a lock accepts for it."""
    kind: str = "pypi"


def packages_of(requirements: str, *, file: str, python: str | None) -> tuple[Package, ...]:
    """Return the packages that a requirements file or a hashed lock names, by name.

    Raises InputError, with the line, for what is no requirement. Options of pip (an index, an
    included file) name no package and are passed over.
    """
    found: dict[str, Package] = {}
    for line, text in _logical_lines(requirements):
        hashes = tuple(sorted(_HASH.findall(text)))
        bare = _OPTION.sub("", f" {text}").strip()
        if not bare or bare.startswith("-"):
            continue
        try:
            wanted = Requirement(bare)
        except InvalidRequirement:
            raise InputError(
                f"{bare[:80]!r} is no requirement.",
                where=Location(file=file, line=line),
                remedy="Write name==version, as `pip freeze` or `uv pip compile` do.",
            ) from None
        if wanted.marker is None or _holds(wanted.marker, python or DEFAULT_PYTHON):
            name = canonicalize_name(wanted.name)
            found[name] = Package(name=name, version=_pinned(wanted), sha256=hashes)
    return tuple(found[name] for name in sorted(found))


def conda_packages_of(text: str, *, file: str, python: str | None) -> tuple[Package, ...]:
    """Return the packages of a ``conda.yaml``: conda's own, and those in its pip section."""
    where = Location(file=file)
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError:
        raise InputError("the file is not YAML.", where=where) from None
    wanted = document.get("dependencies") if isinstance(document, dict) else None
    found: list[Package] = []
    for entry in wanted if isinstance(wanted, list) else []:
        if isinstance(entry, dict):
            lines = [str(line) for line in entry.get("pip") or []]
            found += packages_of("\n".join(lines), file=file, python=python)
        elif match := _CONDA.match(str(entry)):
            name = match["name"].lower()
            found.append(Package(name=name, version=match["version"], kind="conda"))
    return tuple(sorted(found, key=lambda one: (one.kind, one.name)))


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield each requirement, its continued lines joined, with the line it begins on."""
    begun, parts = 0, []
    for number, raw in enumerate(text.splitlines(), 1):
        line = _COMMENT.sub("", raw).rstrip()
        begun = begun or number
        parts.append(line.removesuffix("\\").strip())
        if not line.endswith("\\"):
            yield begun, " ".join(parts).strip()
            begun, parts = 0, []
    if parts:
        yield begun, " ".join(parts).strip()


def _pinned(wanted: Requirement) -> str | None:
    exact = [one for one in wanted.specifier if one.operator in {"==", "==="}]
    if len(exact) == 1 and not exact[0].version.endswith(".*"):
        return exact[0].version
    return None


def _holds(marker: Marker, python: str) -> bool:
    minor = ".".join(python.split(".")[:2])
    full = python if python.count(".") >= 2 else f"{minor}.0"
    return marker.evaluate(
        {
            "implementation_name": "cpython",
            "implementation_version": full,
            "os_name": "posix",
            "platform_machine": "x86_64",
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": "Linux",
            "platform_version": "",
            "python_full_version": full,
            "python_version": minor,
            "sys_platform": "linux",
            "extra": "",
        }
    )
