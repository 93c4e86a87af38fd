"""The launcher with real uv and the real lock, from nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
NETWORK = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "UV_DEFAULT_INDEX", "UV_INDEX_URL")
MORE = ("PIP_INDEX_URL", "PIP_CONFIG_FILE", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY")


@pytest.mark.heavy
@pytest.mark.timeout(600)
def test_two_cold_starts_at_once_and_a_warm_one(tmp_path: Path) -> None:
    place = tmp_path / "a b"
    ignored = shutil.ignore_patterns("__pycache__")
    for name in ("toolkit", "requirements"):
        shutil.copytree(ROOT / name, place / name, ignore=ignored)
    kept = {name: os.environ[name] for name in (*NETWORK, *MORE, "PATH") if name in os.environ}
    variables = {**kept, "HOME": str(tmp_path), "ASSAY_CACHE": str(tmp_path / "cache")}
    command = [str(place / "toolkit" / "bin" / "assay"), "schema", "verdict"]
    starts = [
        subprocess.Popen(
            command, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path
        )
        for _ in range(2)
    ]
    ends = [start.communicate(timeout=500) for start in starts]
    assert [start.returncode for start in starts] == [0, 0], ends
    made = [path.name for path in (tmp_path / "cache" / "assay").iterdir()]
    assert len([name for name in made if name.startswith("environment-")]) == 1
    assert not [name for name in made if name.startswith(("environment.", "uv."))]
    before = time.monotonic()
    subprocess.run([command[0], "--version"], env=variables, check=True, capture_output=True)
    assert time.monotonic() - before < 1.5


@pytest.mark.heavy
@pytest.mark.timeout(300)
def test_a_wrong_hash_is_refused(tmp_path: Path) -> None:
    place = tmp_path / "checkout"
    shutil.copytree(ROOT / "toolkit" / "bin", place / "toolkit" / "bin")
    (place / "requirements").mkdir()
    shutil.copy(ROOT / "requirements" / "uv.txt", place / "requirements" / "uv.txt")
    lock = place / "requirements" / "toolkit.txt"
    lock.write_text(f"mdurl==0.1.2 --hash=sha256:{'0' * 64}\n")
    kept = {name: os.environ[name] for name in (*NETWORK, *MORE, "PATH") if name in os.environ}
    done = subprocess.run(
        [str(place / "toolkit" / "bin" / "assay"), "--version"],
        env={**kept, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    assert "could not be installed from" in done.stderr
    assert not [p for p in (tmp_path / ".cache" / "assay").iterdir() if "environment" in p.name]
