"""A Docker Engine of the tests' own, and an image made from this machine's Python."""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

PROGRAMS = ("bash", "sleep")
PACKAGES = ("pytest", "_pytest", "py", "pluggy", "iniconfig", "packaging", "pygments")
_LEFT_OUT = {
    *("site-packages", "dist-packages", "test", "tests", "__pycache__", "idlelib", "tkinter"),
    *("ensurepip", "lib2to3", "turtledemo"),
}
_START_SECONDS = 60
_ADVICE = (
    "These tests need a Docker Engine. As root, install one that they start and stop themselves: "
    "`apt-get install docker.io`. As another user, start one that this user may use."
)


@contextmanager
def engine(group: int) -> Iterator[str]:
    """Yield the DOCKER_HOST of an engine that ``group`` may use; it ends with the block.

    Only root can start one; anybody else gets the machine's own. Raises AssertionError, with what
    to install, where there is none.
    """
    docker, dockerd = shutil.which("docker"), shutil.which("dockerd", path=_system_path())
    assert docker, f"There is no docker program. {_ADVICE}"
    if os.getuid():
        host = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
        assert _answers(host), f"No Docker Engine answers at {host}. {_ADVICE}"
        yield host
        return
    assert dockerd, f"There is no dockerd program. {_ADVICE}"
    # Not pytest's folder: the name of a Unix socket has room for 107 bytes.
    with tempfile.TemporaryDirectory(prefix="dockerd-") as temporary:
        place = Path(temporary)
        place.chmod(0o711)
        (place / "settings.json").write_text("{}")
        with (place / "log").open("w") as log:
            daemon = subprocess.Popen(
                _daemon(dockerd, place, group), stdout=log, stderr=log, start_new_session=True,
                env={**os.environ, "PATH": _system_path()},
            )  # fmt: skip
        try:
            yield _started(daemon, place)
        finally:
            daemon.terminate()
            try:
                daemon.wait(timeout=30)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
            _unmount(place)


def _unmount(place: Path) -> None:
    """A container on the host's network leaves its namespace mounted there."""
    mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for mount in mounts:
        if mount.startswith(f"{place}/"):
            subprocess.run(["umount", mount], check=False)


def _system_path() -> str:
    return os.pathsep.join([os.environ["PATH"], "/usr/local/sbin", "/usr/sbin", "/sbin"])


def _daemon(dockerd: str, place: Path, group: int) -> list[str]:
    """No bridge and no firewall rules: containers here talk to nobody, and need no right to."""
    return [
        dockerd, "--data-root", str(place / "data"), "--exec-root", str(place / "run"),
        "--pidfile", str(place / "pid"), "--host", f"unix://{place}/socket",
        "--group", str(group), "--bridge", "none", "--iptables=false", "--ip6tables=false",
        "--config-file", str(place / "settings.json"),
    ]  # fmt: skip


def _started(daemon: subprocess.Popen[bytes], place: Path) -> str:
    host = f"unix://{place}/socket"
    deadline = time.monotonic() + _START_SECONDS
    while not _answers(host):
        log = (place / "log").read_text()[-2000:]
        assert daemon.poll() is None, f"dockerd ended:\n{log}"
        assert time.monotonic() < deadline, f"dockerd does not answer:\n{log}"
        time.sleep(0.1)
    return host


def _answers(host: str) -> bool:
    asked = ["docker", "--host", host, "version", "--format", "{{.Server.Version}}"]
    return subprocess.run(asked, capture_output=True, check=False).returncode == 0


def docker(host: str, *arguments: str, stdin: bytes | None = None) -> str:
    """Run one docker command that must succeed; return what it prints."""
    done = subprocess.run(
        ["docker", "--host", host, *arguments], input=stdin, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().strip()


def import_python_image(host: str, tag: str) -> None:
    """Make ``tag`` from this machine: bash, sleep, this Python and pytest, with their libraries.

    There is nothing to fetch, so it works where no image registry can be reached.
    """
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name in ("tmp", "usr/local/bin"):
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, 0o1777 if name == "tmp" else 0o755
            tar.addfile(folder)
        for source, name in _files():
            tar.add(source.resolve(), name, filter=_plain)
    change = "ENV PATH=/usr/local/bin:/usr/bin:/bin LD_LIBRARY_PATH=/usr/local/lib"
    docker(host, "import", "--change", change, "-", tag, stdin=packed.getvalue())


def _files() -> Iterator[tuple[Path, str]]:
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    stdlib = Path(sysconfig.get_path("stdlib"))
    python = Path(sys.executable).resolve()
    programs = [Path(shutil.which(name) or name) for name in PROGRAMS]
    yield from ((program, f"bin/{program.name}") for program in programs)
    yield python, "usr/local/bin/python"
    yield stdlib, f"usr/local/lib/{version}"
    for package in PACKAGES:
        spec = find_spec(package)
        assert spec is not None, package
        assert spec.origin is not None, package
        origin = Path(spec.origin)
        place = origin.parent if origin.name == "__init__.py" else origin
        yield place, f"usr/local/lib/{version}/site-packages/{place.name}"
    for library in _libraries([*programs, python, *(stdlib / "lib-dynload").glob("*.so")]):
        # The loader is started by its own path, and finds the rest in one folder.
        loader = library.name.startswith("ld-")
        yield library, str(library).lstrip("/") if loader else f"usr/local/lib/{library.name}"


def _libraries(programs: list[Path]) -> set[Path]:
    listed = subprocess.run(
        ["ldd", *map(str, programs)], capture_output=True, text=True, check=False
    )
    return {
        Path(name) for name in re.findall(r"(?:=> |^\s+)(/\S+) \(", listed.stdout, re.MULTILINE)
    }


def _plain(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """Root's, readable by anybody, without what no consumer needs."""
    if set(Path(entry.name).parts[4:]) & _LEFT_OUT and "site-packages/" not in entry.name:
        return None
    if entry.name.endswith((".a", ".pyc")):
        return None
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    entry.mode |= 0o555 if entry.isdir() else 0o444
    return entry
