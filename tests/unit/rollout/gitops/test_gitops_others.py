"""What others do to the branch, the folder and the remote of a gitops target."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from assay.errors import InputError, IntegrityError, OutsideError
from assay.git import Finished, Refused, run_process
from assay.rollout.target import WHOLE
from assay.rollout.targets.gitops import MARKER, REFRESH
from support.clusters import CANARY, STABLE, THIRD, release, route
from support.config_repository import HERE, Bench, serving
from support.repositories import put_hook


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
    put_hook(bench.bare, "pre-receive", "echo 'this branch is protected' >&2; exit 1")
    with pytest.raises(Refused, match="takes no push to main"):
        target.route(route(2, 1000))
    assert bench.pauses == []
    assert target.observe().accepted == 1


def test_a_remote_that_is_away_is_said_and_then_caught_up_with(bench: Bench) -> None:
    target = serving(bench)
    target.route(route(2, 5000))
    away = bench.bare.with_name("away.git")
    bench.bare.rename(away)
    with pytest.raises(OutsideError, match=r"of .*origin\.git failed"):
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
