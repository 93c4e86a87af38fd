"""The launcher, started in a folder that somebody else filled."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from assay.cli import COMMANDS
from assay.cli.telemetry import ENDPOINTS

UV = Path(__file__).resolve().parents[3] / "toolkit" / "bin" / "uv"


def test_no_module_of_the_working_directory_runs(tmp_path: Path) -> None:
    programs, checkout = tmp_path / "programs", tmp_path / "checkout"
    programs.mkdir()
    # A Python without pip: the launcher ends before it would ask an index.
    python = programs / "python3"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')
    python.chmod(0o755)
    for tool in ("bash", "cut", "dirname", "mkdir", "mktemp", "rm"):
        found = shutil.which(tool)
        assert found
        (programs / tool).symlink_to(found)
    marker = tmp_path / "ran"
    for module in ("pip", "sys", "site", "sitecustomize", "encodings"):
        folder = checkout / module
        folder.mkdir(parents=True)
        for name in ("__init__.py", "__main__.py"):
            (folder / name).write_text(f"open({str(marker)!r}, 'w').write({module!r})\n")
    done = subprocess.run(
        [UV, "--version"],
        cwd=checkout,
        env={
            "PATH": str(programs),
            "HOME": str(tmp_path),
            "ASSAY_FRESH": "true",
            "RUNNER_TEMP": str(tmp_path / "temp"),
            "PYTHONPATH": str(checkout),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    assert "has no pip" in done.stderr
    assert not marker.exists()


def test_uv_is_installed_with_a_python_that_has_pip(tmp_path: Path) -> None:
    programs, ran = tmp_path / "programs", tmp_path / "ran"
    for name, code in (
        ("first", "case $* in *pip*) exit 1;; esac"),
        ("second", f"echo $* >> {ran}"),
    ):
        folder = programs / name
        folder.mkdir(parents=True)
        python = folder / "python3"
        python.write_text(f"#!/bin/sh\n{code}\nexit 0\n")
        python.chmod(0o755)
    path = [str(programs / "first"), str(programs / "second"), "/usr/bin", "/bin"]
    subprocess.run(
        [UV, "--version"],
        env={"PATH": os.pathsep.join(path), "ASSAY_CACHE": str(tmp_path / "cache")},
        capture_output=True,
        check=False,
    )
    assert "pip --disable-pip-version-check install" in ran.read_text()


def test_the_commands_that_need_delivery_packages_get_them() -> None:
    launcher = (UV.parent / "assay").read_text()
    found = re.search(r"^  ([a-z| -]+)\) wanted=delivery ;;$", launcher, re.MULTILINE)
    assert found
    named = {name.strip() for name in found[1].split("|")}
    assert {"package", "register"} <= named <= set(COMMANDS)
    assert set(re.findall(r"OTEL_\w+", launcher)) == set(ENDPOINTS)
