"""``assay test`` and ``assay train`` inside containers of a real Docker Engine."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from assay.evidence import BaseSource, StageState, TestRun, Training
from support.docker_engine import docker, engine, import_python_image
from support.repositories import Sandbox, git_variables

pytestmark = [pytest.mark.heavy, pytest.mark.xdist_group("docker")]
TestRun.__test__ = False  # type: ignore[attr-defined]

TOOLKIT = Path(__file__).resolve().parents[2] / "toolkit"
IMAGE = "assay-tests/python:1"
ANOTHER = 12345
"""A user that is not root: what a container writes must not end up as root's."""
SECRET = "hunter22-and-more"
CONFIG = """\
version: 1
models:
  churn:
    environment: {environment}
    predictions: p.csv
    tracking: {{enabled: false}}
    tests: {{command: {tests}, timeout: {timeout}}}
    train: {{command: {train}}}
    gates: {{accuracy: {{margin: 0.01}}}}
"""
FILES = {
    "test_model.py": "def test_it():\n    assert open('rows.csv').read()\n",
    "rows.csv": "id,y\n1,0\n",
    "train.py": "open('p.csv', 'w').write(open('rows.csv').read())\n",
}


@pytest.fixture(scope="module")
def host() -> Iterator[str]:
    with engine(_user()) as found:
        import_python_image(found, IMAGE)
        yield found
        docker(found, "image", "rm", "--force", IMAGE)


def _user() -> int:
    return os.getuid() or ANOTHER


@dataclass(frozen=True)
class Project:
    """A consumer's repository, its owner, and the engine that the owner may use."""

    sandbox: Sandbox
    host: str
    environment: str = f"{{image: {IMAGE!r}}}"

    @property
    def evidence(self) -> Path:
        return self.sandbox.root / ".assay" / "evidence" / "churn"

    def commit(
        self,
        *,
        tests: str = "python -m pytest -q",
        train: str = "python train.py",
        timeout: int = 60,
        environment: str | None = None,
        **files: str,
    ) -> None:
        config = CONFIG.format(
            environment=environment or self.environment,
            tests=json.dumps(tests),
            train=json.dumps(train),
            timeout=timeout,
        )
        self.give(os.getuid())
        self.sandbox.commit({**FILES, "assay.yaml": config, **files})
        self.give(_user())

    def give(self, user: int) -> None:
        """Make ``user`` the owner: git works for nobody else."""
        for place in (self.sandbox.root, self.sandbox.home):
            for path in (place, *place.rglob("*")):
                os.chown(path, user, user, follow_symlinks=False)

    def start(self, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        """Start ``assay`` as the owner, who reads this interpreter wherever it is installed."""
        return subprocess.Popen(
            [*_as_owner(), sys.executable, "-m", "assay", *arguments],
            cwd=self.sandbox.root,
            env={
                **git_variables(self.sandbox.home),
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(TOOLKIT),
                "PYTHONDONTWRITEBYTECODE": "1",
                "DOCKER_HOST": self.host,
                **variables,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def assay(self, *arguments: str, **variables: str) -> tuple[int, str]:
        """Return the exit code of a command and all it printed."""
        process = self.start(*arguments, **variables)
        printed, _ = process.communicate(timeout=120)
        return process.returncode, printed


def _as_owner() -> Sequence[str]:
    if os.getuid():
        return ()
    reads = ("--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search")
    user = ("--reuid", str(ANOTHER), "--regid", str(ANOTHER), "--clear-groups")
    return ("setpriv", *user, *reads)


@pytest.fixture
def project(host: str) -> Iterator[Project]:
    """Not in pytest's own folder, which is closed to the owner."""
    with tempfile.TemporaryDirectory(prefix="assay-") as place:
        Path(place).chmod(0o711)
        yield Project(Sandbox.make(Path(place) / "repository"), host)


def test_tests_and_training_run_in_the_image_as_the_user(project: Project) -> None:
    project.commit()
    code, printed = project.assay("test")
    assert code == 0, printed
    assert "1 passed" in printed
    code, printed = project.assay("train")
    assert code == 0, printed
    made = Training.read(project.evidence)
    digest = docker(project.host, "image", "inspect", "--format", "{{.Id}}", IMAGE)
    assert made.lineage.environment_kind == "image"
    assert made.lineage.environment_digest == digest.removeprefix("sha256:")
    assert (project.evidence / "predictions.csv").read_text() == FILES["rows.csv"]
    for path in project.sandbox.root.rglob("*"):
        assert path.lstat().st_uid == _user(), path
    assert _left_behind(project.host) == ""


def _left_behind(host: str) -> str:
    """Containers that are still listed: the engine takes a moment to forget one that ended."""
    for _ in range(50):
        if not (listed := docker(host, "ps", "--all", "--format", "{{.Names}} {{.Image}}")):
            break
        time.sleep(0.1)
    return listed


def test_what_fails_inside_is_told_apart_outside(project: Project) -> None:
    project.commit(
        train="python -c 'raise SystemExit(3)'",
        **{"test_model.py": "def test_it():\n    assert 1 == 2\n"},
    )
    code, printed = project.assay("test")
    assert code == 1, printed
    run = TestRun.read(project.evidence)
    assert run.state is StageState.FAILED
    assert [(found.file, found.line) for found in run.failures] == [("test_model.py", 2)]
    code, printed = project.assay("train")
    assert code == 1, printed
    made = Training.read(project.evidence)
    assert made.state is StageState.FAILED
    assert made.reason == "the training command ended with exit code 3"


def test_a_dockerfile_is_built_and_its_base_is_run_again_in_its_own(project: Project) -> None:
    recipe = f"FROM {IMAGE}\nENV FLAVOUR={{}}\nCOPY rows.csv /rows.csv\n"
    train = "echo $FLAVOUR > p.csv; python -c \"print(open('/rows.csv').read())\" >> p.csv"
    named = {"environment": "{dockerfile: Dockerfile}", "train": train}
    project.commit(Dockerfile=recipe.format("vanilla"), **named)
    project.give(os.getuid())
    project.sandbox.git("checkout", "--quiet", "-b", "topic")
    project.commit(Dockerfile=recipe.format("lemon"), **named)
    for side, folder, flavour in (
        ("base", project.evidence / "base", "vanilla"),
        ("head", project.evidence, "lemon"),
    ):
        code, printed = project.assay("train", "--side", side)
        assert code == 0, printed
        assert Training.read(folder).lineage.environment_kind == "dockerfile"
        kept = (folder / "predictions.csv").read_text()
        assert kept.split() == [flavour, "id,y", "1,0"]
    assert Training.read(project.evidence / "base").source is BaseSource.RERUN
    project.give(os.getuid())
    assert project.sandbox.git("status", "--porcelain") == "?? p.csv"


def test_an_image_that_cannot_be_had_is_named(project: Project) -> None:
    project.commit(environment="{image: '127.0.0.1:9/nobody/nothing:1'}")
    code, printed = project.assay("test")
    assert code == 3, printed
    assert "fetching 127.0.0.1:9/nobody/nothing:1" in printed
    project.commit(environment="{dockerfile: Dockerfile}", Dockerfile=f"FROM {IMAGE}\nRUN false\n")
    code, printed = project.assay("train")
    assert code == 3, printed
    assert "building Dockerfile" in printed
    assert Training.read(project.evidence).state is StageState.NOT_MEASURED
    assert "Traceback" not in printed
    assert _left_behind(project.host) == ""


def test_a_command_that_ends_too_late_is_gone_with_its_container(project: Project) -> None:
    """It ignores the polite signal: only the engine can end it."""
    project.commit(tests="trap '' TERM; echo begun; while :; do sleep 1; done", timeout=2)
    code, printed = project.assay("test")
    assert code == 1, printed
    assert "begun" in printed
    run = TestRun.read(project.evidence)
    assert run.state is StageState.NOT_MEASURED
    assert "was stopped after 2 seconds" in (run.reason or "")
    assert docker(project.host, "ps", "--quiet") == ""
    assert _left_behind(project.host) == ""


def test_an_interrupted_run_takes_its_container_along(project: Project) -> None:
    project.commit(tests="echo > begun; sleep 600")
    process = project.start("test")
    try:
        while not (project.sandbox.root / "begun").exists():
            assert process.poll() is None
            time.sleep(0.1)
        assert docker(project.host, "ps", "--quiet")
        process.send_signal(signal.SIGINT)
        printed, _ = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130, printed
    assert docker(project.host, "ps", "--quiet") == ""


def test_secrets_get_in_by_name_and_nothing_of_the_job_does(project: Project) -> None:
    project.commit(
        tests='echo "$PASSWORD"; python -c "import os; print(*os.environ, file=open(\'names\', '
        '\'w\'))"; until test -e seen; do sleep 0.1; done; test "$PASSWORD" = ' + SECRET[::-1],
    )
    process = project.start(
        "test",
        ASSAY_TRAINING_SECRETS=f"PASSWORD={SECRET}",
        GITHUB_TOKEN="ghs_of_the_job",
        GITHUB_ACTIONS="true",
        GITHUB_OUTPUT=str(project.sandbox.home / "output"),
    )
    names = project.sandbox.root / "names"
    try:
        while not names.exists() or not names.read_text().endswith("\n"):
            assert process.poll() is None
            time.sleep(0.1)
        running = docker(project.host, "ps", "--quiet")
        (container,) = json.loads(docker(project.host, "inspect", running))
        lines = _command_lines()
    finally:
        (project.sandbox.root / "seen").touch()
        printed, _ = process.communicate(timeout=60)
    assert any(b"docker\0run\0" in line for line in lines)
    assert not any(SECRET.encode() in line for line in lines)
    assert SECRET not in json.dumps([container["Path"], container["Args"]])
    assert f"PASSWORD={SECRET}" in container["Config"]["Env"]
    inside = set(names.read_text().split())
    assert "PASSWORD" in inside
    assert not [name for name in inside if name.startswith(("GITHUB_", "ASSAY_"))]
    assert f"::add-mask::{SECRET}" in printed
    assert process.returncode == 1
    kept = [path.read_text() for path in project.evidence.parent.rglob("*.json")]
    assert kept
    assert not any(SECRET in text for text in kept)


def _command_lines() -> list[bytes]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found.append(path.read_bytes())
    return found


def test_without_an_engine_the_error_says_so(project: Project, tmp_path: Path) -> None:
    project.commit()
    for command in ("test", "train"):
        code, printed = project.assay(command, DOCKER_HOST=f"unix://{tmp_path}/nothing")
        assert code == 3, printed
        assert "environment.image needs a running Docker Engine" in printed
        assert "Start it" in printed
        assert "Traceback" not in printed
    assert Training.read(project.evidence).state is StageState.NOT_MEASURED
