"""An image with what a scoring server needs, from this machine's own packages."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from support.docker_engine import docker

NEEDED = ("mlflow-skinny", "pandas", "pyarrow", "uvicorn")
_LEFT_OUT = ("__pycache__", "/tests/", "/test/", "/include/", "ensurepip", "idlelib", "tkinter")


def import_serving_image(host: str, tag: str) -> None:
    """Make ``tag``: Python, the standard library, and the closure of NEEDED. Nothing is fetched."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        folder = tarfile.TarInfo("tmp")
        folder.type, folder.mode = tarfile.DIRTYPE, 0o1777
        tar.addfile(folder)
        for source, name in _files():
            tar.add(source.resolve(), name, filter=_plain)
    change = "ENV PATH=/usr/local/bin LD_LIBRARY_PATH=/usr/local/lib PYTHONHOME=/usr/local"
    docker(host, "import", "--change", change, "-", tag, stdin=packed.getvalue())


def _files() -> Iterator[tuple[Path, str]]:
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packages = f"usr/local/lib/{version}/site-packages"
    python = Path(sys.executable).resolve()
    stdlib = Path(sysconfig.get_path("stdlib"))
    yield python, "usr/local/bin/python3"
    yield from (
        (file, f"usr/local/lib/{version}/{file.relative_to(stdlib)}")
        for file in stdlib.rglob("*")
        if file.is_file() and "site-packages" not in file.parts
    )
    binaries = [python, *(stdlib / "lib-dynload").glob("*.so")]
    for found in _closure(NEEDED):
        for entry in found.files or ():
            file = Path(str(entry.locate()))
            if ".." in entry.parts or not file.is_file():
                continue
            yield file, f"{packages}/{entry}"
            if ".so" in file.suffixes:
                binaries.append(file)
    for library in _libraries(binaries):
        loader = library.name.startswith("ld-")
        yield library, str(library).lstrip("/") if loader else f"usr/local/lib/{library.name}"


def _closure(names: tuple[str, ...]) -> list[Distribution]:
    found: dict[str, Distribution] = {}
    waiting = list(names)
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if name in found:
            continue
        try:
            found[name] = distribution(name)
        except PackageNotFoundError:
            continue
        for needed in found[name].requires or ():
            if "extra ==" not in needed:
                waiting.append(re.split(r"[^A-Za-z0-9._-]", needed, maxsplit=1)[0])
    return list(found.values())


def _libraries(binaries: list[Path]) -> set[Path]:
    """What the loader would take from the system; wheels bring their own beside them."""
    listed = subprocess.run(
        ["ldd", *map(str, binaries)], capture_output=True, text=True, check=False
    ).stdout
    found = re.findall(r"(?:=> |^\s+)(/\S+) \(", listed, re.MULTILINE)
    return {Path(name) for name in found if "site-packages" not in name}


def _plain(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    if any(part in f"/{entry.name}" for part in _LEFT_OUT) or entry.name.endswith((".a", ".pyc")):
        return None
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    entry.mode |= 0o555 if entry.isdir() else 0o444
    return entry
