"""What a look is held against, found on GitHub by the version that answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from assay.cli.edge import run
from assay.cli.monitor_reference import Wanted, found_reference
from assay.evidence import Event, Plan, Reference, tree_digest
from assay.gate.judge import judge, write
from assay.github.settings import Settings
from assay.packaging import build
from assay.packaging.bundle import Bundle
from support.archives import packed
from support.bundles import put_model
from support.evidence_folders import plan, put_evidence, put_training, rows, rules
from support.github_stand_in import Answer, Asked, StandIn, stand_in
from support.production import START, VERSION, Production

MODEL = "churn"
HEAD, PARENT = "c" * 40, "d" * 40
TREES = {HEAD: "3" * 40, PARENT: "1" * 40}
CONFIG = """\
version: 1
models:
  churn:
    predictions: p.csv
    columns: {label: y_true, prediction: y_pred}
    gates: {accuracy: {margin: 0.05}}
    monitoring: {logs: {source: logs}}
"""


@dataclass
class GitHub:
    """Artifacts by name, each of a run of a commit on main; the branch has two commits."""

    artifacts: list[dict[str, Any]] = field(default_factory=list)
    archives: list[bytes] = field(default_factory=list)
    down: bool = False

    def keep(self, name: str, commit: str, *, fork: bool = False, **files: bytes) -> None:
        number = len(self.archives)
        self.archives.append(packed(*((path, content) for path, content in files.items())))
        facts = {
            "id": number,
            "name": name,
            "expired": False,
            "created_at": f"2026-11-20T09:00:{number:02}Z",
            "workflow_run": {
                "id": int(commit == HEAD),
                "repository_id": 1,
                "head_repository_id": 2 if fork else 1,
            },
        }
        self.artifacts.append(facts)

    def keep_folder(self, name: str, commit: str, folder: Path) -> None:
        files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
        self.keep(
            name,
            commit,
            **{path.relative_to(folder).as_posix(): path.read_bytes() for path in files},
        )

    def __call__(self, asked: Asked) -> Answer:
        path = asked.path.removeprefix("/repos/octo/churn/")
        if self.down:
            return Answer(status=404, document={})
        if path == "actions/artifacts":
            found = [one for one in self.artifacts if one["name"] == asked.query["name"]]
            return Answer(document={"artifacts": found})
        if path == "commits/main":
            return Answer(document={"sha": HEAD})
        for commit, tree in TREES.items():
            if path == f"git/commits/{commit}":
                parents = [{"sha": PARENT}] if commit == HEAD else []
                return Answer(document={"tree": {"sha": tree}, "parents": parents})
        if path.startswith("actions/runs/"):
            run = {"id": 0, "event": "push", "head_branch": "main", "html_url": "run"}
            run |= {"head_sha": HEAD if path.endswith("1") else PARENT}
            return Answer(document={**run, "head_repository": {"full_name": "octo/churn"}})
        if path.endswith("/zip"):
            content = self.archives[int(path.split("/")[2])]
            return Answer(raw=content, headers={"Content-Type": "application/zip"})
        return Answer(status=404, document={})


@pytest.fixture
def github() -> Iterator[tuple[GitHub, StandIn]]:
    made = GitHub()
    with stand_in(made) as server:
        yield made, server


def judged(folder: Path, *, wrong: int = 20) -> Path:
    """A gate's evidence of a watched model, with its profile."""
    made = plan(judged_by=rules(monitoring={"logs": {"source": "logs"}}))
    put_evidence(folder, base=rows(400, wrong=20), head=rows(400, wrong=wrong), made=made)
    predictions = folder / MODEL / "predictions.csv"
    (folder.parent / "assay.yaml").write_text(CONFIG)
    (folder.parent / "p.csv").write_bytes(predictions.read_bytes())
    asked = ["reference", "--config", str(folder.parent / "assay.yaml"), "--evidence", str(folder)]
    assert run(asked) == 0
    write(folder, made, *judge(made, folder))
    return folder


def found(server: StandIn, production: Production, *known: str) -> Path | None:
    monitoring = production.model().monitoring
    assert monitoring is not None
    settings = Settings(
        in_actions=True,
        event=Event(name="schedule", repository="octo/churn"),
        token="ghs_token",
        api_url=server.url,
        default_branch="main",
    )
    wanted = Wanted(
        model=MODEL,
        monitoring=monitoring,
        root=production.folder,
        state=production.folder / "state",
        at=START + timedelta(days=1.95),
        known=frozenset(known),
    )
    return found_reference(settings, wanted)


def answers(folder: Path, version: str) -> Production:
    made = Production(folder)
    made.day(0, n=50, version="b" * 64)
    made.day(1, n=100, version=version)
    return made


def test_a_version_without_a_bundle_is_held_against_what_the_branch_judged_last(
    github: tuple[GitHub, StandIn], tmp_path: Path
) -> None:
    api, server = github
    evidence = judged(tmp_path / "evidence")
    api.keep_folder(f"assay-gate-{TREES[PARENT]}", PARENT, evidence)
    (tmp_path / "readme").mkdir()
    untouched = plan(touched=False)
    write(tmp_path / "readme", untouched, *judge(untouched, tmp_path / "readme"))
    api.keep_folder(f"assay-gate-{TREES[HEAD]}", HEAD, tmp_path / "readme")
    production = answers(tmp_path / "production", "v1.2")
    place = found(server, production)
    assert place is not None
    assert Reference.read(place) == Reference.read(evidence / MODEL)
    assert (place / "comparison.json").is_file()
    downloads = [one.path for one in server.asked if one.path.endswith("/zip")]
    assert found(server, production) == place
    assert [one.path for one in server.asked if one.path.endswith("/zip")] == downloads
    api.down = True
    assert found(server, production) == place
    stray = {"version": "e" * 64, "assigned": "e" * 64}
    rows_of = [
        {**row, **stray, "request_id": f"{row['request_id']}-{n}"}
        for row in production.rows
        for n in range(4)
    ]
    production.write_log("stray.parquet", rows_of)
    assert found(server, production) is None
    assert found(server, production, "v1.2", "b" * 64) == place, "nobody let the other one in"


def test_a_tree_that_failed_is_nobodys_reference(
    github: tuple[GitHub, StandIn], tmp_path: Path
) -> None:
    api, server = github
    (tmp_path / "good").mkdir()
    (tmp_path / "bad").mkdir()
    good = judged(tmp_path / "good" / "evidence")
    bad = judged(tmp_path / "bad" / "evidence", wrong=150)
    api.keep_folder(f"assay-gate-{TREES[PARENT]}", PARENT, good)
    api.keep_folder(f"assay-gate-{TREES[HEAD]}", HEAD, bad)
    place = found(server, answers(tmp_path / "production", "v1.2"))
    assert place is not None
    assert place.name == TREES[PARENT]


def released(folder: Path, evidence: Path) -> tuple[Path, Bundle]:
    """The bundle of judged evidence, and its document."""
    artifact = put_model(folder / "model")
    put_training(evidence, rows(400, wrong=20), model_digest=tree_digest(artifact))
    made = Plan.read(evidence)
    write(evidence, made, *judge(made, evidence))
    wanted = build.Wanted(
        evidence=evidence, artifact=artifact, output=folder / "bundle", repository="octo/churn"
    )
    return folder / "bundle", build.package(wanted, lambda _, signature: signature.write_text("{}"))


def test_the_log_names_the_version_and_its_bundle_pins_the_evidence(
    github: tuple[GitHub, StandIn], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    api, server = github
    evidence = judged(tmp_path / "evidence")
    bundle, made = released(tmp_path, evidence)
    document = (bundle / Bundle.FILE).read_bytes()
    production = answers(tmp_path / "production", made.digest())
    assert found(server, production) is None
    assert "no delivery's run keeps its bundle.json" in capsys.readouterr().err

    api.keep(f"assay-release-{MODEL}", HEAD, **{"bundle.json": b"{}"})
    api.keep(f"assay-release-{MODEL}", HEAD, fork=True, **{"bundle.json": document})
    assert found(server, production) is None
    api.keep(f"assay-release-{MODEL}", PARENT, **{"bundle.json": document})
    changed = tmp_path / "changed"
    Reference.read(evidence / MODEL).model_copy(update={"quality": {"accuracy": 0.1}}).write(
        changed / MODEL
    )
    api.keep_folder(f"assay-gate-{made.tree}", PARENT, changed)
    assert found(server, production) is None
    assert "is not that of the version that answers" in capsys.readouterr().err

    api.keep_folder(f"assay-gate-{made.tree}", PARENT, evidence)
    place = found(server, production)
    assert place is not None
    assert place.name == made.digest()
    assert Reference.read(place) == Reference.read(evidence / MODEL)
    api.artifacts.clear()
    assert found(server, production) == place


def test_a_bundle_by_hand_is_a_reference(tmp_path: Path) -> None:
    evidence = judged(tmp_path / "evidence")
    bundle, _ = released(tmp_path, evidence)
    production = Production(tmp_path / "production")
    production.day(0, version=VERSION)
    production.label(production.rows)
    text = json.loads(production.model().model_dump_json(exclude_defaults=True))
    del text["monitoring"]["quality"]["accuracy"]["reference"]
    config = tmp_path / "production" / "assay.yaml"
    config.write_text(json.dumps({"version": 1, "models": {MODEL: text}}))
    asked = [
        "monitor", "--config", str(config), "--state", str(tmp_path / "state"),
        "--at", "2026-09-06T00:30Z", "--evidence", str(tmp_path / "look"), "--exit-zero",
    ]  # fmt: skip
    assert run(asked) == 2
    assert run([*asked, "--reference", str(bundle)]) == 0
    (rule,) = json.loads((tmp_path / "look" / MODEL / "monitor.json").read_text())["rules"]
    assert rule["base"] == 0.95
