"""A real PostgreSQL server on a free port, in a folder of its own, that asks for a password."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from assay.act.ports import free_port

PASSWORD = "of the tests"


def programs() -> Path | None:
    """The newest server's programs; None where there is none."""
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    known = shutil.which("initdb")
    places += [Path(known).parent] if known else []
    wanted = ("initdb", "pg_ctl", "psql")
    return next((each for each in places if all((each / one).is_file() for one in wanted)), None)


@dataclass(kw_only=True)
class Postgres:
    """A server; ``stop`` and ``start`` end and start it. It refuses to be root's."""

    folder: Path
    port: int

    @property
    def address(self) -> str:
        """As assay.yaml names it."""
        return f"postgresql://owner@127.0.0.1:{self.port}/postgres"

    def run(self, *command: str, text: str | None = None) -> None:
        """Run one of PostgreSQL's programs."""
        place = programs()
        assert place is not None
        done = subprocess.run(
            [str(place / command[0]), *command[1:]],
            input=text, capture_output=True, text=True, timeout=120, check=False,
            env={"PATH": os.environ["PATH"], "PGPASSWORD": PASSWORD}, cwd=self.folder, **_as_whom(),
        )  # fmt: skip
        assert done.returncode == 0, done.stderr

    def sql(self, text: str) -> None:
        """Run statements."""
        self.run(
            "psql", "--quiet", "--set=ON_ERROR_STOP=1", "--no-psqlrc", "--host=127.0.0.1",
            f"--port={self.port}", "--username=owner", "--dbname=postgres", text=text,
        )  # fmt: skip

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -k {self.folder} -c fsync=off"
        self.run("pg_ctl", "-D", "data", "-w", "-l", "server.log", "-o", options, "start")

    def stop(self) -> None:
        """End it, and wait until it has ended."""
        self.run("pg_ctl", "-D", "data", "-w", "-m", "immediate", "stop")


@contextmanager
def postgres() -> Iterator[Postgres]:
    """Give a server that runs; it ends with the block."""
    # Not below pytest's folder, which no other user may enter.
    folder = Path(tempfile.mkdtemp(prefix="assay-postgres-"))
    if os.geteuid() == 0:
        shutil.chown(folder, "nobody")
    made = Postgres(folder=folder, port=free_port())
    running = False
    try:
        (folder / "password").write_text(PASSWORD)
        (folder / "password").chmod(0o644)
        made.run(
            "initdb", "-D", "data", "--username=owner", "--pwfile=password",
            "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync",
        )  # fmt: skip
        made.start()
        running = True
        yield made
    finally:
        if running and (folder / "data/postmaster.pid").exists():
            made.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _as_whom() -> dict[str, str]:
    return {"user": "nobody"} if os.geteuid() == 0 else {}
