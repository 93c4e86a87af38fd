"""What a container may serve: the bundle that was asked for, with every model file whole."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from assay.rollout.serving.container import RefusedError, check, settings


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    model = tmp_path / "model"
    model.mkdir()
    (model / "MLmodel").write_text("flavors: {}")
    (model / "weights").write_bytes(b"\0" * 3_000_000)
    files = [
        {"file": f"model/{file.name}", "sha256": hashlib.sha256(file.read_bytes()).hexdigest()}
        for file in model.iterdir()
    ]
    files.append({"file": "README.md", "sha256": "0" * 64})
    (tmp_path / "bundle.json").write_text(json.dumps({"files": files}))
    return tmp_path


def digest(bundle: Path) -> str:
    return hashlib.sha256((bundle / "bundle.json").read_bytes()).hexdigest()


def test_the_right_bundle_is_served_as_the_variables_say(bundle: Path, tmp_path: Path) -> None:
    found = settings(
        {
            "ASSAY_BUNDLE": str(bundle),
            "ASSAY_ARTIFACT_DIGEST": digest(bundle),
            "ASSAY_PORT": "9000",
            "ASSAY_WORKERS": "3",
            "ASSAY_SERVING": json.dumps({"server": "mlserver", "log": {"share": 0.5}}),
            "ASSAY_SCRATCH": str(tmp_path / "scratch"),
        }
    )
    assert (found["port"], found["workers"], found["server"]) == (9000, 3, "mlserver")
    assert (found["share"], found["inputs"]) == (0.5, True)
    assert Path(found["predictions"]).is_dir()


def test_another_bundle_is_refused(bundle: Path) -> None:
    with pytest.raises(RefusedError, match="this bundle is another one"):
        check(bundle, "f" * 64)
    with pytest.raises(RefusedError, match=r"bundle\.json is not there"):
        check(bundle / "nowhere", digest(bundle))


@pytest.mark.parametrize("change", ["altered", "missing", "added", "link"])
def test_a_model_file_that_is_not_the_listed_one_is_refused(bundle: Path, change: str) -> None:
    weights = bundle / "model" / "weights"
    if change == "altered":
        weights.write_bytes(b"\0" * 2_999_999 + b"\1")
    elif change == "missing":
        weights.unlink()
    elif change == "link":
        weights.unlink()
        weights.symlink_to("/etc/hostname")
    else:
        (bundle / "model" / "extra.py").write_text("import os")
    with pytest.raises(RefusedError, match=r"is not the file that bundle\.json lists"):
        check(bundle, digest(bundle))
