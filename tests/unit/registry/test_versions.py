"""Versions and aliases in a real registry: a SQLite file, and a server."""

from __future__ import annotations

import importlib
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from assay.cli.edge import run
from assay.errors import InputError, IntegrityError, OutsideError
from assay.packaging.bundle import Bundle
from assay.packaging.verify import verify_bundle
from assay.registry.facts import VersionFacts
from assay.registry.store import Registry
from assay.registry.tracking import limit_waiting, local_uri
from support.bundles import PUBLIC, REPOSITORY, TRUST, bundle
from support.mlflow_server import mlflow_server

OTHER = "0" * 64
Facts = Callable[..., VersionFacts]


@pytest.fixture(autouse=True, scope="module")
def _bounded() -> Iterator[None]:
    before = dict(os.environ)
    limit_waiting(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Bundle]:
    return bundle(tmp_path_factory.mktemp("bundle"))


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> tuple[Registry, str]:
    store = tmp_path_factory.mktemp("store")
    uri = local_uri(store)
    return Registry(uri, artifacts=store / "artifacts"), uri


@pytest.fixture
def facts(made: tuple[Path, Bundle], request: pytest.FixtureRequest) -> Facts:
    def of(**changes: Any) -> VersionFacts:
        own = request.node.name.split("[")[0][:60]
        given = {"name": own, "tree": "1" * 40, "digest": made[1].digest()}
        return VersionFacts(**{**given, **changes})

    return of


def client(uri: str) -> Any:
    return importlib.import_module("mlflow.tracking").MlflowClient(uri, uri)


def versions(uri: str, name: str) -> list[Any]:
    return list(client(uri).search_model_versions(f"name = '{name}'"))


def aliases(uri: str, name: str) -> dict[str, str]:
    found = client(uri).get_registered_model(name).aliases
    return {alias: str(version) for alias, version in found.items()}


def test_one_version_a_tree_with_everything_in_its_tags(
    made: tuple[Path, Bundle], local: tuple[Registry, str], facts: Facts
) -> None:
    registry, uri = local
    wanted = facts(more={"assay.verdict": "pass"}, description="It is no worse.")
    first = registry.register(wanted, made[0])
    again = registry.register(wanted, made[0])
    assert (first.version, first.created) == ("1", True)
    assert (again.version, again.created) == ("1", False)
    (only,) = versions(uri, wanted.name)
    assert only.tags == {
        "assay.tree": "1" * 40,
        "assay.artifact_digest": made[1].digest(),
        "assay.verdict": "pass",
    }
    assert only.description == "It is no worse."


def test_another_artifact_of_the_same_tree_is_refused(
    made: tuple[Path, Bundle], local: tuple[Registry, str], facts: Facts
) -> None:
    registry, uri = local
    registry.register(facts(), made[0])
    with pytest.raises(InputError, match="registered as version 1"):
        registry.register(facts(digest=OTHER), made[0])
    assert len(versions(uri, facts().name)) == 1


def test_what_is_fetched_verifies(
    made: tuple[Path, Bundle], local: tuple[Registry, str], facts: Facts, tmp_path: Path
) -> None:
    registry, _ = local
    registry.register(facts(), made[0])
    got = registry.fetch(facts().name, made[1].digest(), tmp_path / "deep" / "got")
    assert verify_bundle(got, TRUST, REPOSITORY) == made[1]
    assert [path.name for path in got.parent.iterdir()] == ["got"]


def test_a_digest_that_is_not_registered_is_not_fetched(
    local: tuple[Registry, str], facts: Facts, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="has no version"):
        local[0].fetch(facts().name, OTHER, tmp_path / "got")
    assert not (tmp_path / "got").exists()


def test_a_bundle_that_was_replaced_in_the_store_is_refused(
    made: tuple[Path, Bundle], facts: Facts, tmp_path: Path
) -> None:
    registry = Registry(local_uri(tmp_path), artifacts=tmp_path / "artifacts")
    registry.register(facts(), made[0])
    (kept,) = (tmp_path / "artifacts").rglob("bundle.json")
    kept.write_text(kept.read_text().replace("octo/churn", "octo/other"))
    with pytest.raises(IntegrityError, match="another bundle"):
        registry.fetch(facts().name, made[1].digest(), tmp_path / "got")
    assert not (tmp_path / "got").exists()


def test_aliases_follow_the_journal_and_differences_are_named(
    made: tuple[Path, Bundle], local: tuple[Registry, str], facts: Facts
) -> None:
    registry, uri = local
    name, digest = facts().name, made[1].digest()
    registry.register(facts(), made[0])
    first = registry.project(name, {"production": digest, "previous": None, "staging": OTHER})
    assert [str(one) for one in first] == [
        "the alias production was not set and is version 1 now",
        "the alias staging was not set; what should have it is not registered",
    ]
    assert registry.project(name, {"production": digest, "previous": None}) == ()
    client(uri).set_registered_model_alias(name, "previous", "1")
    client(uri).set_registered_model_alias(name, "champion", "1")
    (only,) = registry.project(name, {"production": digest, "previous": None}, repair=False)
    assert str(only) == "the alias previous was version 1; the journal says none"
    repaired = registry.project(name, {"production": digest, "previous": None})
    assert [str(one) for one in repaired] == [
        "the alias previous was version 1 and is taken away now"
    ]
    assert aliases(uri, name) == {"production": "1", "champion": "1"}


def test_aliases_of_a_model_that_nobody_registered(local: tuple[Registry, str]) -> None:
    (only,) = local[0].project("nobody", {"production": OTHER})
    assert not only.repaired
    assert local[0].project("nobody", {"production": None}) == ()


def test_a_name_with_a_quote_is_refused(local: tuple[Registry, str], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be a name"):
        local[0].fetch("x' or name = 'y", OTHER, tmp_path / "got")


def test_a_server_that_is_away_is_said_within_seconds(
    made: tuple[Path, Bundle], facts: Facts
) -> None:
    away = Registry("http://octo:secret@127.0.0.1:9")
    with pytest.raises(OutsideError, match=r"registry at http://127\.0\.0\.1:9") as refused:
        away.project(facts().name, {"production": OTHER})
    assert "secret" not in str(refused.value)


def test_register_from_the_command_line(
    made: tuple[Path, Bundle],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in ("GITHUB_ACTIONS", "GITHUB_REPOSITORY", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "outputs"))
    (tmp_path / "own.pub").write_bytes(PUBLIC)
    shutil.copytree(made[0], tmp_path / "bundle")
    command = ["register", "--bundle", "bundle", "--key", "own.pub"]
    assert run(command) == 0
    assert run(command) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].startswith("churn version 1 registered; artifact digest")
    assert printed[1].startswith("churn version 1 was registered already")
    written = (tmp_path / "outputs").read_text().splitlines()
    assert written[0].startswith("version<<")
    assert written[1] == "1"
    (found,) = versions(local_uri(tmp_path / ".assay"), "churn")
    assert {"assay.commit", "assay.signer", "assay.signature"} <= set(found.tags)
    assert run([*command, "--repository", "octo/other"]) == 4
    (tmp_path / "bundle/model.sig").unlink()
    assert run(command) == 4


@pytest.mark.heavy
def test_a_server_keeps_gives_back_and_points(
    made: tuple[Path, Bundle], facts: Facts, tmp_path: Path
) -> None:
    with mlflow_server(tmp_path / "server") as uri:
        registry = Registry(uri)
        assert registry.register(facts(), made[0]).created
        assert not registry.register(facts(), made[0]).created
        got = registry.fetch(facts().name, made[1].digest(), tmp_path / "got")
        assert verify_bundle(got, TRUST, REPOSITORY) == made[1]
        registry.project(facts().name, {"production": made[1].digest()})
        assert aliases(uri, facts().name) == {"production": "1"}
