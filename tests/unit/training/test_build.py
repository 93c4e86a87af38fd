from __future__ import annotations

import hashlib
import os
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from assay.config import Environment, Model
from assay.errors import InputError, OutsideError
from assay.training.build import Builder, lock_digest
from assay.training.environment import ConsumerEnvironment, Container
from support.consumers import Recorder, builder


def model(environment: object = "auto") -> Model:
    return Model.model_validate(
        {
            "predictions": "p.csv",
            "gates": {"accuracy": {"margin": 0.01}},
            "environment": environment,
        }
    )


@pytest.fixture
def made(tmp_path: Path) -> Builder:
    root = tmp_path / "repository"
    root.mkdir()
    home = tmp_path / "home"
    home.mkdir()
    return builder(root, home)


def run(environment: ConsumerEnvironment, command: str, cwd: Path) -> list[str]:
    transcript = Recorder()
    ended = environment.run(command, cwd=cwd, timeout=60, transcript=transcript)
    assert ended.succeeded, transcript.lines
    return transcript.lines


def test_none_uses_the_python_on_path(made: Builder) -> None:
    found = made.build(model("none"), made.root, Recorder())
    assert found.kind == "none"
    assert found.python == ".".join(map(str, sys.version_info[:3]))
    assert run(found, "command -v python", made.root) == [
        str(Path(sys.executable).parent / "python")
    ]


def test_a_failing_command_of_a_pipe_fails(made: Builder) -> None:
    found = made.build(model("none"), made.root, Recorder())
    for command in ("false | cat", "false; echo on", "echo $NOT_SET"):
        ended = found.run(command, cwd=made.root, timeout=9, transcript=Recorder())
        assert not ended.succeeded


def test_requirements_become_an_environment_that_is_kept(made: Builder) -> None:
    (made.root / "requirements.txt").write_text("# nothing\n")
    first = Recorder()
    found = made.build(model(), made.root, first)
    assert found.kind == "requirements"
    assert found.digest == hashlib.sha256(b"# nothing\n").hexdigest()
    assert run(found, "command -v python", made.root) == [str(found.path[0] / "python")]
    assert len(first.titles) == 2
    second = Recorder()
    assert made.build(model(), made.root, second) == found
    assert second.titles == []


def test_an_interrupted_build_starts_again(made: Builder) -> None:
    (made.root / "requirements.txt").write_text("")
    found = made.build(model(), made.root, Recorder())
    (found.path[0].parent / ".assay-complete").unlink()
    again = Recorder()
    made.build(model(), made.root, again)
    assert len(again.titles) == 2


def test_another_lock_is_another_environment(made: Builder) -> None:
    (made.root / "requirements.txt").write_text("")
    first = made.build(model(), made.root, Recorder())
    (made.root / "requirements.txt").write_text("# changed\n")
    assert made.build(model(), made.root, Recorder()).path != first.path


def test_the_models_folder_comes_before_the_root(made: Builder) -> None:
    folder = made.root / "models" / "churn"
    folder.mkdir(parents=True)
    (made.root / "requirements.txt").write_text("# root\n")
    root = made.build(model(), folder, Recorder())
    (folder / "requirements.txt").write_text("# own\n")
    own = made.build(model(), folder, Recorder())
    assert root.digest == hashlib.sha256(b"# root\n").hexdigest()
    assert own.digest == hashlib.sha256(b"# own\n").hexdigest()


def test_a_project_is_installed_so_that_its_code_is_the_checkouts(made: Builder) -> None:
    (made.root / "pyproject.toml").write_text(
        '[project]\nname = "churn"\nversion = "1"\n'
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    )
    # A build backend of five lines: nothing is fetched.
    (made.root / "backend.py").write_text(BACKEND)
    (made.root / "churn.py").write_text("print('here')")
    found = made.build(model({"pyproject": True}), made.root, Recorder())
    assert run(found, "cd / && python -m churn", made.root) == ["here"]


BACKEND = """\
import os, zipfile
def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    name = "churn-1-py3-none-any.whl"
    info = "churn-1.dist-info/"
    with zipfile.ZipFile(os.path.join(wheel_directory, name), "w") as wheel:
        wheel.writestr("churn.pth", os.getcwd() + "\\n")
        wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\\nName: churn\\nVersion: 1\\n")
        wheel.writestr(info + "WHEEL",
                       "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(info + "RECORD", "")
    return name
"""


def test_what_cannot_be_installed_is_an_outside_error(made: Builder) -> None:
    (made.root / "requirements.txt").write_text("./nowhere\n")
    transcript = Recorder()
    with pytest.raises(OutsideError, match="exit code"):
        made.build(model(), made.root, transcript)
    assert any("nowhere" in line for line in transcript.lines)


@pytest.mark.parametrize(
    "environment",
    [
        {"requirements": "absent.txt"},
        {"uv": True},
        {"pyproject": True},
        {"conda": "environment.yml"},
        {"dockerfile": "Dockerfile"},
    ],
)
def test_a_named_file_that_is_not_there_is_an_input_error(
    made: Builder, environment: dict[str, object]
) -> None:
    with pytest.raises(InputError, match="needs this file"):
        made.build(model(environment), made.root, Recorder())


def test_conda_without_its_program_says_which_one_it_needs(made: Builder) -> None:
    (made.root / "environment.yml").write_text("name: churn\n")
    with pytest.raises(OutsideError, match="micromamba, mamba or conda"):
        made.build(model(), made.root, Recorder())


def test_conda_is_made_once_and_commands_run_through_it(made: Builder, tmp_path: Path) -> None:
    (made.root / "environment.yml").write_text("name: churn\n")
    programs = tmp_path / "programs"
    programs.mkdir()
    log = tmp_path / "log"
    program = programs / "micromamba"
    # The program itself comes from no package registry; this one keeps its command line.
    program.write_text(
        f'#!/bin/bash\necho "$@" >> "{log}"\n'
        'if [ "$1" = create ]; then mkdir -p "$4/bin"; else shift 3; exec "$@"; fi\n'
    )
    program.chmod(0o755)
    path = f"{programs}{os.pathsep}{made.variables['PATH']}"
    with_conda = replace(made, variables={**made.variables, "PATH": path})
    for _ in range(2):
        found = with_conda.build(model(), made.root, Recorder())
    assert run(found, "echo inside", made.root) == ["inside"]
    commands = log.read_text().splitlines()
    assert [line.split()[0] for line in commands] == ["create", "run"]
    assert "--file" in commands[0]


def test_an_image_without_docker_is_an_outside_error(made: Builder, tmp_path: Path) -> None:
    nothing = replace(made, variables={"PATH": str(tmp_path)})
    with pytest.raises(OutsideError, match="docker program"):
        nothing.build(model({"image": "python:3.12"}), made.root, Recorder())


def test_an_image_without_an_engine_is_an_outside_error(made: Builder, tmp_path: Path) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    program = programs / "docker"
    program.write_text("#!/bin/bash\necho 'Cannot connect to the Docker daemon' >&2\nexit 1\n")
    program.chmod(0o755)
    path = f"{programs}{os.pathsep}{made.variables['PATH']}"
    dead = replace(made, variables={**made.variables, "PATH": path})
    with pytest.raises(OutsideError, match=r"running Docker Engine.*Cannot connect"):
        dead.build(model({"image": "python:3.12"}), made.root, Recorder())


def test_a_container_gets_names_and_no_values(tmp_path: Path) -> None:
    container = Container(image="python:3.12", mounts=(tmp_path,))
    arguments = container.arguments("assay-1", tmp_path, ["AWS_SECRET", "HOME"])
    assert f"{tmp_path}:{tmp_path}" in arguments
    assert arguments[arguments.index("--user") + 1] == f"{os.getuid()}:{os.getgid()}"
    named = [after for one, after in pairwise(arguments) if one == "--env"]
    assert named == ["AWS_SECRET", "HOME"]
    assert arguments[-5:] == ["bash", "python:3.12", "-euo", "pipefail", "-c"]


def test_the_digest_of_a_lock_covers_what_it_includes(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.txt"
    lock.write_text("-r base.txt\n")
    (tmp_path / "base.txt").write_text("a==1\n-c requirements.txt\n")
    before = lock_digest(lock)
    (tmp_path / "base.txt").write_text("a==2\n-c requirements.txt\n")
    assert lock_digest(lock) != before
    (tmp_path / "base.txt").unlink()
    with pytest.raises(InputError, match="cannot be read"):
        lock_digest(lock)


def test_secrets_leave_the_tail(tmp_path: Path) -> None:
    made = builder(tmp_path, tmp_path, {"PASSWORD": "hunter22"})
    found = made.build(model("none"), tmp_path, Recorder())
    ended = found.run('echo "$PASSWORD"', cwd=tmp_path, timeout=9, transcript=Recorder())
    assert ended.tail == ("***",)


def test_environment_kinds_are_exclusive() -> None:
    with pytest.raises(ValueError, match="exactly one"):
        Environment(uv=True, image="x")
