"""What a head brings along does not steer how its base is resolved."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest

from assay.errors import InputError
from assay.evidence import BaseSource, Event, StageState, Training
from assay.training.base import BaseRequest, resolve_base
from assay.training.earlier import refuse_committed
from assay.training.pipeline import Tools
from assay.training.revisions import local_ends, read_plan
from support.consumers import Recorder, builder, variables
from support.repositories import Sandbox

CONFIG = """\
version: 1
models:
  churn:
    path: churn
    paths: ["**"]
    predictions: p.csv
    train: {command: "python -c 'import sys' && cp rows.txt p.csv"}
    gates: {accuracy: {margin: 0.01}}
"""
ROWS = "id,y\n1,0\n"


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    """A model in a folder of its own; the requirements lie in the repository's root."""
    made = Sandbox.make(tmp_path / "repository")
    made.commit(
        {
            "assay.yaml": CONFIG,
            "churn/rows.txt": ROWS,
            "churn/.gitignore": "p.csv\n",
            "requirements.txt": "# nothing\n",
        }
    )
    made.git("checkout", "--quiet", "-b", "topic")
    return made


def resolve(sandbox: Sandbox, folder: Path) -> tuple[Training, Recorder]:
    repository = sandbox.repository
    plan = read_plan(
        repository,
        Event(),
        local_ends(repository, base=None, dirty=False),
        config=sandbox.root / "assay.yaml",
        from_work_tree=True,
    )
    transcript = Recorder()
    request = BaseRequest(
        planned=plan.models[0],
        plan=plan,
        target=folder / "evidence",
        scratch=folder / "work-trees",
    )
    tools = Tools(builder=builder(sandbox.root, sandbox.home), transcript=transcript)
    return resolve_base(request, repository, tools, lambda _tree, _model: None), transcript


@pytest.mark.parametrize(
    "brought",
    [
        {"uv.toml": "no-such-setting = 1\n"},
        {
            "pyproject.toml": "[tool.uv]\nno-such-setting = 1\n",
            "uv.toml": "index-url = 'file:///x'",
        },
        {"requirements.txt": "./brought-along\n"},
        {"uv.lock": "version = 99\n", "pyproject.toml": "[project]\nname = 'x'\n"},
    ],
    ids="+".join,
)
def test_the_bases_environment_is_built_from_the_bases_files(
    sandbox: Sandbox, tmp_path: Path, brought: dict[str, str | bytes]
) -> None:
    sandbox.commit({**brought, "churn/rows.txt": "id,y\n1,1\n"})
    made, transcript = resolve(sandbox, tmp_path)
    assert made.source is BaseSource.RERUN, (made.reason, transcript.lines)
    assert made.lineage.environment_digest == hashlib.sha256(b"# nothing\n").hexdigest()
    assert (tmp_path / "evidence" / "predictions.csv").read_text() == ROWS


def dvc(sandbox: Sandbox, *arguments: str) -> None:
    subprocess.run(
        ["dvc", *arguments],
        cwd=sandbox.root,
        env=variables(sandbox.home),
        check=True,
        capture_output=True,
    )


PIPELINE = "stages: {train: {cmd: cp rows.txt p.csv, deps: [rows.txt], outs: [p.csv]}}\n"
DVC_CONFIG = """\
version: 1
models:
  churn:
    environment: none
    predictions: p.csv
    gates: {accuracy: {margin: 0.01}}
"""


@pytest.mark.parametrize("named", [True, False], ids=["another-folder", "the-usual-folder"])
def test_a_run_cache_that_the_head_commits_does_not_answer_for_the_base(
    tmp_path: Path, named: bool
) -> None:
    sandbox = Sandbox.make(tmp_path / "repository")
    sandbox.git("config", "user.name", "Octo")
    dvc(sandbox, "init", "--quiet")
    sandbox.commit({"assay.yaml": DVC_CONFIG, "dvc.yaml": PIPELINE, "rows.txt": ROWS})
    dvc(sandbox, "repro", "--quiet")
    cache, forged = sandbox.root / ".dvc/cache", "id,y\n1,1\n"
    right, wrong = (
        hashlib.md5(text.encode(), usedforsecurity=False).hexdigest() for text in (ROWS, forged)
    )
    (entry,) = (path for path in (cache / "runs").rglob("*") if path.is_file())
    # The stage's input keeps its digest, its output gets another one.
    head, _, tail = entry.read_text().rpartition(right)
    entry.write_text(head + wrong + tail)
    assert head.count(right) == 1
    stored = cache / "files/md5" / wrong[:2] / wrong[2:]
    stored.parent.mkdir(parents=True, exist_ok=True)
    stored.write_text(forged)
    for made in ("dvc.lock", "p.csv"):
        (sandbox.root / made).unlink()
    sandbox.git("checkout", "--quiet", "-b", "topic")
    if named:
        cache.rename(sandbox.root / "brought")
        (sandbox.root / ".dvc/config").write_text("[cache]\n    dir = ../brought\n")
    sandbox.git("add", "--all", "--force", ".")
    sandbox.commit({"README.md": "topic"})
    made, transcript = resolve(sandbox, tmp_path)
    assert made.state is StageState.PASSED, (made.reason, transcript.lines)
    assert (tmp_path / "evidence" / "predictions.csv").read_text() == ROWS


def test_local_settings_of_dvc_that_the_head_commits_are_not_used(tmp_path: Path) -> None:
    sandbox = Sandbox.make(tmp_path / "repository")
    dvc(sandbox, "init", "--quiet")
    sandbox.commit({"assay.yaml": DVC_CONFIG, "dvc.yaml": PIPELINE, "rows.txt": ROWS})
    sandbox.git("checkout", "--quiet", "-b", "topic")
    (sandbox.root / ".dvc/config.local").write_text("[core]\n    remote = theirs\n")
    sandbox.git("add", "--force", ".dvc/config.local")
    sandbox.commit({"README.md": "topic"})
    made, transcript = resolve(sandbox, tmp_path)
    assert made.state is StageState.PASSED, (made.reason, transcript.lines)
    assert not any("dvc pull" in title for title in transcript.titles)


@pytest.mark.parametrize("place", [".assay", "model/.assay"])
def test_evidence_that_a_commit_brings_along_is_refused(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    name = f"{place}/evidence/earlier/{'a' * 40}/churn/training.json"
    sandbox.commit({name: "{}"})
    monkeypatch.chdir(sandbox.root / Path(place).parent)
    with pytest.raises(InputError, match="brings it along"):
        refuse_committed(sandbox.repository, Path(".assay/evidence"))


@pytest.mark.parametrize(("link", "target"), [(".assay", "model"), ("model/evidence", "..")])
def test_a_link_in_the_evidences_path_is_refused(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, link: str, target: str
) -> None:
    place = sandbox.root / link
    place.parent.mkdir(exist_ok=True)
    place.symlink_to(target)
    sandbox.commit({"model/x": ""})
    monkeypatch.chdir(sandbox.root)
    with pytest.raises(InputError, match="brings it along"):
        refuse_committed(sandbox.repository, Path(link) / "evidence")


def test_evidence_beside_the_commit_is_not_refused(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (sandbox.root / ".assay/evidence/churn").mkdir(parents=True)
    (sandbox.root / ".assay/evidence/churn/tests.json").write_text("{}")
    monkeypatch.chdir(sandbox.root / "churn")
    for evidence in (Path("../.assay/evidence"), Path(".assay/evidence"), tmp_path):
        refuse_committed(sandbox.repository, evidence)
