"""The stand-in actions do with files what the real actions do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml

from assay.act.stand_in import STAND_INS
from assay.act.stand_ins import cache, checkout, download_artifact, setup_python, upload_artifact
from assay.act.stand_ins.kit import Failed, Step, step_from
from support.repositories import Sandbox


class Job:
    """A workspace and a store; ``step`` makes steps of one run and attempt."""

    def __init__(self, root: Path) -> None:
        self.workspace, self.store = root / "workspace", root / "store"
        self.workspace.mkdir()
        self.store.mkdir()

    def write(self, *names: str) -> None:
        for name in names:
            place = self.workspace / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(name)

    def files(self, folder: str = "") -> list[str]:
        root = self.workspace / folder
        return sorted(p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file())

    def step(self, *, run: str = "7", attempt: str = "1", **inputs: str) -> Step:
        github = {
            "GITHUB_RUN_ID": run,
            "GITHUB_RUN_ATTEMPT": attempt,
            "GITHUB_REPOSITORY": "octo/churn",
            "GITHUB_PATH": str(self.store / "path"),
        }
        named = {name.replace("_", "-"): value for name, value in inputs.items()}
        return Step(inputs=named, store=self.store, workspace=self.workspace, github=github)


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job(tmp_path)


def names_in(job: Job, number: str) -> list[str]:
    (archive,) = (job.store / "artifacts").glob(f"*/*/{number}.zip")
    return sorted(zipfile.ZipFile(archive).namelist())


def test_upload_keeps_paths_from_the_folder_given(job: Job) -> None:
    job.write("out/a.txt", "out/deep/b.txt", "other.txt")
    outputs = upload_artifact.upload(job.step(name="x", path="out"))
    assert outputs["artifact-id"] == "1"
    assert outputs["artifact-url"].endswith("/octo/churn/actions/runs/7/artifacts/1")
    assert len(outputs["artifact-digest"]) == 64
    assert names_in(job, "1") == ["a.txt", "deep/b.txt"]
    record = json.loads((job.store / "artifacts/7/1/1.json").read_text())
    assert record["digest"] == "sha256:" + outputs["artifact-digest"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("out/a.txt", ["a.txt"]),
        ("out/a.txt\nmore", ["more/c.txt", "out/a.txt"]),
        ("out/**/*.txt", ["a.txt", "deep/b.txt"]),
        ("out\n!out/deep", ["a.txt"]),
        ("o*t/deep", ["out/deep/b.txt"]),
    ],
)
def test_upload_understands_patterns(job: Job, path: str, expected: list[str]) -> None:
    job.write("out/a.txt", "out/deep/b.txt", "more/c.txt")
    upload_artifact.upload(job.step(name="x", path=path))
    assert names_in(job, "1") == expected


def test_upload_drops_hidden_files_unless_told(
    job: Job, capsys: pytest.CaptureFixture[str]
) -> None:
    job.write(".assay/evidence/a.json", "out/.hidden", "out/b")
    assert upload_artifact.upload(job.step(name="x", path=".assay/evidence")) == {}
    assert "::warning" in capsys.readouterr().out
    upload_artifact.upload(job.step(name="y", path="out"))
    assert names_in(job, "1") == ["b"]
    shown = job.step(name="z", path=".assay/evidence", include_hidden_files="true")
    upload_artifact.upload(shown)
    assert names_in(job, "2") == ["a.json"]


def test_upload_heeds_missing_files_clashes_and_bad_names(job: Job) -> None:
    job.write("a")
    none = {"name": "x", "path": "none"}
    assert upload_artifact.upload(job.step(**none, if_no_files_found="ignore")) == {}
    with pytest.raises(Failed, match="No files were found"):
        upload_artifact.upload(job.step(**none, if_no_files_found="error"))
    upload_artifact.upload(job.step(name="x", path="a"))
    with pytest.raises(Failed, match="already exists"):
        upload_artifact.upload(job.step(name="x", path="a"))
    upload_artifact.upload(job.step(name="x", path="a", overwrite="true"))
    upload_artifact.upload(job.step(name="x", path="a", attempt="2"))
    with pytest.raises(Failed, match="artifact name"):
        upload_artifact.upload(job.step(name="a/b", path="a"))


def test_download_by_name_pattern_and_all(job: Job) -> None:
    job.write("one.json", "two.json")
    upload_artifact.upload(job.step(name="m-one", path="one.json"))
    upload_artifact.upload(job.step(name="m-two", path="two.json"))
    outputs = download_artifact.download(job.step(name="m-one", path="d1"))
    assert outputs == {"download-path": str(job.workspace / "d1")}
    assert job.files("d1") == ["one.json"]
    download_artifact.download(job.step(path="d2"))
    assert job.files("d2") == ["m-one/one.json", "m-two/two.json"]
    download_artifact.download(job.step(path="d3", pattern="m-*", merge_multiple="true"))
    assert job.files("d3") == ["one.json", "two.json"]
    download_artifact.download(job.step(path="d4", artifact_ids="2"))
    assert job.files("d4") == ["two.json"]
    download_artifact.download(job.step(path="d5", pattern="none-*"))
    assert job.files("d5") == []
    download_artifact.download(job.step(path="d6", pattern="m-on[ex]*"))
    assert job.files("d6") == ["one.json"]
    with pytest.raises(Failed, match=r"not found for name: m-three .*m-one, m-two"):
        download_artifact.download(job.step(name="m-three"))


def test_download_takes_another_run_only_with_a_token_and_the_latest_attempt(job: Job) -> None:
    job.write("a")
    upload_artifact.upload(job.step(name="x", path="a"))
    (job.workspace / "a").write_text("newer")
    upload_artifact.upload(job.step(name="x", path="a", attempt="2"))
    download_artifact.download(job.step(run="8", run_id="7", github_token="t", path="d"))
    assert (job.workspace / "d/a").read_text() == "newer"
    download_artifact.download(job.step(run="8", run_id="7", path="e"))
    assert job.files("e") == []


def test_cache_is_saved_once_and_restored_by_key_or_prefix(job: Job) -> None:
    job.write("kept/a", "single")
    paths = "kept\nsingle"
    cache.save(job.step(path=paths, key="k-1"))
    job.write("kept/later")
    cache.save(job.step(path=paths, key="k-1"))
    for name in ("kept/a", "kept/later", "single"):
        (job.workspace / name).unlink()
    (job.workspace / "kept").rmdir()

    hit = cache.restore(job.step(path=paths, key="k-1"))
    assert hit == {"cache-hit": "true", "cache-primary-key": "k-1", "cache-matched-key": "k-1"}
    assert job.files() == ["kept/a", "single"]
    near = cache.restore(job.step(path=paths, key="k-2", restore_keys="z-\nk-"))
    assert (near["cache-hit"], near["cache-matched-key"]) == ("false", "k-1")
    miss = cache.restore(job.step(path="kept", key="k-1"))
    assert (miss["cache-hit"], miss["cache-matched-key"]) == ("", "")
    with pytest.raises(Failed, match="Failed to restore"):
        cache.restore(job.step(path="kept", key="k-1", fail_on_cache_miss="true"))
    with pytest.raises(Failed, match="not the pattern"):
        cache.save(job.step(path="a/*", key="k"))


@pytest.fixture
def remote(job: Job, tmp_path: Path) -> Sandbox:
    """A history of three commits on main, one on ``side``, and a tag, served as octo/churn."""
    sandbox = Sandbox.make(tmp_path / "origin")
    for number in range(3):
        sandbox.commit({"file": str(number)}, message=str(number))
    sandbox.git("tag", "v1")
    sandbox.git("branch", "side")
    bare = job.store / "git" / "octo" / "churn.git"
    bare.parent.mkdir(parents=True)
    sandbox.clone_bare(bare)
    sandbox.git("--git-dir", str(bare), "config", "uploadpack.allowAnySHA1InWant", "true")
    return sandbox


def history(folder: Path) -> int:
    command = ["git", "-C", str(folder), "rev-list", "--count", "HEAD"]
    return int(subprocess.run(command, capture_output=True, check=True).stdout)


@pytest.mark.parametrize(
    ("inputs", "commits", "ref"),
    [
        ({"ref": "main"}, 1, "main"),
        ({"ref": "main", "fetch_depth": "2", "path": "deep/er"}, 2, "main"),
        ({"ref": "v1", "fetch_depth": "0"}, 3, "v1"),
        ({"ref": "refs/heads/side"}, 1, "refs/heads/side"),
    ],
)
def test_checkout_fetches_what_was_asked_for(
    job: Job, remote: Sandbox, inputs: dict[str, str], commits: int, ref: str
) -> None:
    outputs = checkout.checkout(job.step(repository="octo/churn", token="t0ken", **inputs))
    assert outputs == {"ref": ref, "commit": remote.git("rev-parse", "HEAD")}
    folder = job.workspace / inputs.get("path", "")
    assert history(folder) == commits
    assert "extraheader" in (folder / ".git/config").read_text()


def test_checkout_keeps_no_token_and_leaves_no_folder(job: Job, remote: Sandbox) -> None:
    safe = {"repository": "octo/churn", "token": "t", "persist_credentials": "false"}
    commit = remote.git("rev-parse", "HEAD")
    assert checkout.checkout(job.step(**safe, ref=commit))["commit"] == commit
    assert "extraheader" not in (job.workspace / ".git/config").read_text()
    with pytest.raises(Failed, match="leaves the workspace"):
        checkout.checkout(job.step(**safe, path="../.."))
    with pytest.raises(Failed, match="no branch, tag or ref named 'gone'"):
        checkout.checkout(job.step(**safe, ref="gone"))
    with pytest.raises(Failed, match="no local git remote for 'other/one'"):
        checkout.checkout(job.step(repository="other/one"))


def test_setup_python_finds_this_one_and_refuses_what_is_not_there(job: Job) -> None:
    asked = f"{sys.version_info.major}.{sys.version_info.minor}"
    job.write("version")
    (job.workspace / "version").write_text(asked + "\n")
    outputs = setup_python.set_up(job.step(python_version_file="version"))
    assert outputs["python-version"].startswith(asked + ".")
    assert (job.store / "path").read_text().strip() == str(Path(outputs["python-path"]).parent)
    with pytest.raises(Failed, match=r"no Python 2\.1"):
        setup_python.set_up(job.step(python_version="2.1"))


@pytest.mark.parametrize("action", sorted(STAND_INS.glob("**/action.yml")), ids=str)
def test_an_action_passes_its_inputs_under_the_names_that_its_module_reads(action: Path) -> None:
    document = yaml.safe_load(action.read_text(encoding="utf-8"))
    (step,) = document["runs"]["steps"]
    assert "${{" not in step["run"]
    for variable, value in step["env"].items():
        name = variable.removeprefix("STAND_IN_").lower().replace("_", "-")
        assert name in document["inputs"]
        assert value == f"${{{{ inputs.{name} }}}}"


def test_a_step_is_read_from_the_environment_and_outputs_are_written(tmp_path: Path) -> None:
    with pytest.raises(Failed, match="under assay act only"):
        step_from({"GITHUB_WORKSPACE": str(tmp_path)})
    env = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(STAND_INS.parents[2]),
        "ASSAY_ACT_STORE": str(tmp_path),
        "GITHUB_WORKSPACE": str(tmp_path),
        "GITHUB_OUTPUT": str(tmp_path / "out"),
        "STAND_IN_PATH": "x",
        "STAND_IN_KEY": "k",
    }
    command = [sys.executable, "-P", "-m", "assay.act.stand_ins.cache", "restore"]
    subprocess.run(command, env=env, check=True, capture_output=True)
    assert "cache-primary-key=k\n" in (tmp_path / "out").read_text()
    env["STAND_IN_PATH"] = "*"
    (tmp_path / "cache").mkdir()
    command[-1] = "save"
    done = subprocess.run(command, env=env, check=False, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stdout.startswith("::error title=cache (stand-in)::the stand-in takes plain")
