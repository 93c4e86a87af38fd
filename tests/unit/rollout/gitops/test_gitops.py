"""Manifests as commits on real bare remotes: what is written, and what stands in the way."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from assay.errors import InputError, IntegrityError, OutsideError
from assay.git import Finished, Refused, run_process
from assay.rollout.target import WHOLE, Backend, Observation
from assay.rollout.targets.gitops import MARKER, REFRESH, GitOps
from assay.state import Remote, open_folder
from support.clusters import CANARY, STABLE, THIRD, release, route, site
from support.repositories import Sandbox, git_variables

HERE = "assay/production/churn"
DECISION = "d" * 64


class Bench:
    """A configuration repository that others write too, and targets that commit to it."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.source = Sandbox.make(folder / "source")
        self.source.commit({"apps/web.yaml": "kind: Web\n", "assay/README.md": "ours and theirs"})
        self.bare = folder / "config.git"
        self.source.git("clone", "--quiet", "--bare", str(self.source.root), str(self.bare))
        self.environment = git_variables(folder)
        self.pauses: list[float] = []
        self.now = 0.0
        self._stack = stack

    def target(
        self,
        *,
        branch: str = "main",
        address: str | None = None,
        run: Callable[..., Finished] = run_process,
        watch: Callable[[], Observation] | None = None,
        name: str = "production",
    ) -> GitOps:
        remote = Remote(address=address or str(self.bare), environment=self.environment)
        path = HERE.replace("production", name)
        folder = self._stack.enter_context(open_folder(remote, branch, path, MARKER))
        folder = replace(
            folder, sleep=self.pauses.append, jitter=lambda: 1.0,
            branch=replace(folder.branch, run=run),
        )  # fmt: skip
        return GitOps(site(target=name), folder, watch=watch, clock=lambda: self.now)

    def git(self, *arguments: str) -> str:
        return self.source.git("-C", str(self.bare), *arguments)

    def file(self, path: str, commit: str = "main") -> str:
        return self.git("show", f"{commit}:{path}")

    def log(self) -> list[str]:
        return self.git("log", "--format=%s", "main").splitlines()

    def message(self, commit: str = "main") -> str:
        return self.git("log", "-1", "--format=%B", commit)

    def files(self, folder: str = HERE) -> set[str]:
        listed = self.git("ls-tree", "-r", "--name-only", "main", f"{folder}/").splitlines()
        return {path.removeprefix(f"{folder}/") for path in listed}

    def weights(self) -> dict[str, int]:
        found = yaml.safe_load(self.file(f"{HERE}/route.yaml"))
        (rule,) = found["spec"]["rules"]
        return {each["name"].rpartition("-")[2]: each["weight"] for each in rule["backendRefs"]}

    def theirs(self, files: Mapping[str, str], message: str = "theirs") -> None:
        self.source.git("fetch", "--quiet", str(self.bare), "main")
        self.source.git("reset", "--quiet", "--hard", "FETCH_HEAD")
        self.source.commit(dict(files), message=message)
        self.source.git("push", "--quiet", str(self.bare), "HEAD:main")

    def hook(self, script: str) -> None:
        path = self.bare / "hooks" / "pre-receive"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with ExitStack() as stack:
        yield Bench(tmp_path, stack)


def serving(bench: Bench) -> GitOps:
    """A target whose stable version serves, with the other one started."""
    target = bench.target()
    target.start(release(STABLE))
    target.route(route(1, 0))
    target.start(release(CANARY))
    return target


def test_an_image_that_was_pushed_is_committed_by_its_digest_and_stays(bench: Bench) -> None:
    pushed = "models.example/churn@sha256:" + "e" * 64
    target = bench.target()
    target.start(replace(release(STABLE), image=pushed))
    target.start(release(CANARY))
    assert f"image: {pushed}" in bench.file(f"{HERE}/version-{STABLE[:12]}.yaml")
    assert f"image: models.example/churn:{CANARY}" in bench.file(
        f"{HERE}/version-{CANARY[:12]}.yaml"
    )
    target.stop(STABLE)
    assert pushed not in bench.file(f"{HERE}/{MARKER}")


def test_a_version_and_a_route_are_files_that_an_applier_finds(bench: Bench) -> None:
    serving(bench).route(route(2, 1000))
    versions = {f"version-{digest[:12]}.yaml" for digest in (STABLE, CANARY)}
    assert bench.files() == {
        MARKER, "kustomization.yaml", "network-policy.yaml", "route.yaml", *versions,
    }  # fmt: skip
    listed = yaml.safe_load(bench.file(f"{HERE}/kustomization.yaml"))["resources"]
    assert set(listed) == bench.files() - {MARKER, "kustomization.yaml"}
    assert bench.weights() == {STABLE[:12]: 9000, CANARY[:12]: 1000}
    route_file = yaml.safe_load(bench.file(f"{HERE}/route.yaml"))
    assert route_file["metadata"]["annotations"]["assay-ml.github.io/owner"] == "gitops"
    assert bench.log()[:4] == [
        f"Route 10% to {CANARY[:12]} of churn at production",
        f"Start {CANARY[:12]} of churn at production",
        f"Route all of churn at production to {STABLE[:12]}",
        f"Start {STABLE[:12]} of churn at production",
    ]


def test_what_is_there_is_not_committed_again(bench: Bench) -> None:
    target = serving(bench)
    before = bench.git("rev-parse", "main")
    target.start(release(CANARY))
    target.route(route(1, 0))
    target.stop(THIRD)
    assert bench.git("rev-parse", "main") == before


def test_a_rollback_is_a_commit_that_says_whose_decision_it_was(bench: Bench) -> None:
    target = serving(bench)
    before = bench.git("rev-parse", "main")
    served = bench.file(f"{HERE}/version-{STABLE[:12]}.yaml")
    target.route(route(2, 1000))
    target.route(route(3, 5000))
    last = bench.git("rev-parse", "main")
    reason = "Errors of the new version: 4.1 % against 0.2 %."
    target.route(route(4, 0, decision=DECISION, reason=reason))
    assert bench.message().splitlines() == [
        f"Take churn at production back to {STABLE[:12]}",
        "",
        reason,
        "",
        "Assay-Generation: 4",
        f"Assay-Decision: {DECISION}",
        f"Assay-Reverts: {before}..{last}",
    ]
    assert bench.weights() == {STABLE[:12]: WHOLE}
    assert bench.file(f"{HERE}/version-{STABLE[:12]}.yaml") == served
    trailers = bench.git("log", "-1", "--format=%(trailers:key=Assay-Decision,valueonly)", "main")
    assert trailers.strip() == DECISION
    target.stop(CANARY)
    assert f"version-{CANARY[:12]}.yaml" not in bench.files()


def test_a_reason_cannot_forge_a_trailer(bench: Bench) -> None:
    target = serving(bench)
    target.route(
        route(2, 1000, decision=DECISION, reason=f"late\n\nAssay-Decision: {'0' * 64}\x1b")
    )
    trailers = bench.git("log", "-1", "--format=%(trailers:key=Assay-Decision,valueonly)", "main")
    assert trailers.split() == [DECISION]
    assert "\x1b" not in bench.message()


def test_others_of_the_branch_are_kept_and_no_conflict(bench: Bench) -> None:
    target = serving(bench)
    bench.theirs({"apps/web.yaml": "kind: Web2\n"})
    target.route(route(2, 1000))
    assert bench.file("apps/web.yaml") == "kind: Web2"
    assert bench.file("assay/README.md") == "ours and theirs"
    assert bench.weights()[CANARY[:12]] == 1000


def test_two_targets_share_a_branch(bench: Bench) -> None:
    serving(bench)
    staging = bench.target(name="staging")
    staging.start(release(THIRD))
    assert f"version-{THIRD[:12]}.yaml" in bench.files("assay/staging/churn")
    assert f"version-{THIRD[:12]}.yaml" not in bench.files()


def test_a_push_that_comes_second_goes_upon_the_first(bench: Bench) -> None:
    pushed = []

    def run(command: Sequence[str], *rest: object) -> Finished:
        if "push" in command and not pushed:
            pushed.append(command)
            bench.theirs({"apps/web.yaml": "kind: First\n"})
        return run_process(command, *rest)  # type: ignore[arg-type]

    bench.target(run=run).start(release(STABLE))
    assert bench.log()[:2] == [f"Start {STABLE[:12]} of churn at production", "theirs"]
    assert len(bench.pauses) == 1


def test_a_push_that_the_remote_refuses_is_said_at_once(bench: Bench) -> None:
    target = serving(bench)
    bench.hook("echo 'this branch is protected' >&2; exit 1")
    with pytest.raises(Refused, match="takes no push to main"):
        target.route(route(2, 1000))
    assert bench.pauses == []
    assert target.observe().accepted == 1


def test_a_remote_that_is_away_is_said_and_then_caught_up_with(bench: Bench) -> None:
    target = serving(bench)
    target.route(route(2, 5000))
    away = bench.bare.with_name("away.git")
    bench.bare.rename(away)
    with pytest.raises(OutsideError, match=r"of .*config\.git failed"):
        target.route(route(3, 0))
    with pytest.raises(OutsideError):
        target.observe()
    away.rename(bench.bare)
    target.route(route(3, 0))
    assert bench.weights() == {STABLE[:12]: WHOLE}


def test_a_remote_that_was_rewritten_is_taken_as_it_is_now(bench: Bench) -> None:
    """Somebody put the branch back to before Assay: nothing of ours is there, and it says so."""
    target = serving(bench)
    first = bench.git("rev-list", "--max-parents=0", "main").strip()
    bench.git("update-ref", "refs/heads/main", first)
    bench.now += REFRESH
    seen = target.observe()
    assert (seen.accepted, seen.backends) == (0, {})
    with pytest.raises(OutsideError, match="was not started on production"):
        target.route(route(2, 1000))
    target.start(release(STABLE))
    target.route(route(2, 0))
    assert bench.weights() == {STABLE[:12]: WHOLE}


def test_a_hand_in_the_folder_is_seen_and_taken_back(bench: Bench) -> None:
    target = serving(bench)
    target.route(route(2, 1000))
    edited = bench.file(f"{HERE}/route.yaml").replace("weight: 1000", "weight: 4000")
    bench.theirs({f"{HERE}/route.yaml": edited, f"{HERE}/more.yaml": "kind: More\n"})
    bench.now += REFRESH
    seen = target.observe()
    assert seen.applied == 0
    assert seen.detail.startswith("others changed more.yaml, route.yaml after Assay")
    target.route(route(3, 0))
    assert "Takes back what others changed in more.yaml, route.yaml." in bench.message()
    assert "more.yaml" not in bench.files()
    assert target.observe().applied == 3


def test_a_route_that_is_not_newer_is_refused(bench: Bench) -> None:
    target = serving(bench)
    target.route(route(5, 1000))
    for late in (route(4, 0), route(5, 2000)):
        with pytest.raises(InputError, match="was asked for generation 5"):
            target.route(late)
    assert bench.weights()[CANARY[:12]] == 1000


def test_traffic_keeps_a_version_and_goes_only_to_one_that_was_started(bench: Bench) -> None:
    target = serving(bench)
    target.route(route(2, 0, mirror=(CANARY, 1000)))
    for digest in (STABLE, CANARY):
        with pytest.raises(InputError, match="still gets traffic"):
            target.stop(digest)
    with pytest.raises(OutsideError, match=f"{THIRD[:12]} was not started"):
        target.route(route(3, 0, mirror=(THIRD, 1000)))


def test_a_branch_that_is_not_there_is_not_made(bench: Bench) -> None:
    with pytest.raises(InputError, match="has no branch production"):
        bench.target(branch="production").start(release(STABLE))
    assert bench.git("branch", "--format=%(refname:short)").split() == ["main"]


def test_a_folder_of_somebody_else_is_left_alone(bench: Bench) -> None:
    bench.theirs({f"{HERE}/theirs.yaml": "kind: Theirs\n"})
    with pytest.raises(InputError, match="none that says that Assay wrote them"):
        bench.target().start(release(STABLE))
    assert bench.files() == {"theirs.yaml"}


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"schema": "assay/gitops/2"}', "{"])
def test_a_damaged_record_is_said_and_not_written_over(bench: Bench, content: str) -> None:
    target = serving(bench)
    bench.theirs({f"{HERE}/{MARKER}": content})
    with pytest.raises(IntegrityError, match=r"does not hold assay/gitops/1"):
        target.route(route(2, 1000))
    assert bench.file(f"{HERE}/{MARKER}") == content


def test_without_the_cluster_only_the_push_is_known(bench: Bench) -> None:
    target = serving(bench)
    target.route(route(2, 1000))
    seen = target.observe()
    commit = bench.git("rev-parse", "main")[:12]
    assert (seen.applied, seen.accepted) == (2, 2)
    assert seen.weights == {STABLE: 9000, CANARY: 1000}
    assert seen.detail == f"pushed as {commit} to main; whether it is applied is not known here"
    assert "whether it runs is not known here" in seen.backends[CANARY].detail


def test_with_the_cluster_what_runs_is_what_counts(bench: Bench) -> None:
    runs = Observation(
        applied=1, weights={STABLE: WHOLE}, backends={STABLE: Backend(ready=True)}, detail="runs"
    )
    target = bench.target(watch=lambda: runs)
    target.start(release(STABLE))
    target.start(release(CANARY))
    target.route(route(2, 1000))
    seen = target.observe()
    assert (seen.applied, seen.accepted) == (1, 2)
    assert seen.weights == {STABLE: WHOLE}
    assert seen.detail.endswith("; runs")


def test_the_remote_is_not_asked_again_for_some_seconds(bench: Bench) -> None:
    target = serving(bench)
    away = bench.bare.with_name("away.git")
    bench.bare.rename(away)
    assert target.observe().accepted == 1
    bench.now += REFRESH
    with pytest.raises(OutsideError):
        target.observe()


def test_a_route_that_was_just_pushed_is_not_asked_for_again(bench: Bench) -> None:
    target = serving(bench)
    target.route(route(2, 1000))
    away = bench.bare.with_name("away.git")
    bench.bare.rename(away)
    target.route(route(2, 1000))
    with pytest.raises(OutsideError):
        target.route(route(3, 0))
    with pytest.raises(OutsideError):
        target.route(route(2, 1000))
    away.rename(bench.bare)
    target.route(route(2, 1000))
    bench.now += REFRESH
    away = bench.bare.rename(away)
    with pytest.raises(OutsideError):
        target.route(route(2, 1000))


def test_the_record_holds_what_was_rendered(bench: Bench) -> None:
    serving(bench).route(route(2, 1000))
    record = json.loads(bench.file(f"{HERE}/{MARKER}"))
    assert record["versions"] == sorted([STABLE, CANARY])
    assert set(record["files"]) == bench.files() - {MARKER}
