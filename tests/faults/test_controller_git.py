"""Git during a rollout: rejects, diverges, is rewound, is away for all of it; real bare remotes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from assay.errors import OutsideError
from assay.evidence import Cause
from assay.rollout.records import Order
from assay.state import DESIRED, JOURNAL, push_chain
from support.chains import chain
from support.controllers import V1, V2, V3
from support.fake_target import FakeTarget
from support.services import WHERE, Hosted

BACK = Order(kind="rollback", by="cat", cause=Cause.HAND)


@pytest.fixture
def hosted(tmp_path: Path) -> Iterator[Hosted]:
    with ExitStack() as stack:
        yield Hosted(tmp_path, stack, FakeTarget(bad=(V3,)))


def test_a_rollout_leaves_chain_observation_and_evidence_on_the_branch(hosted: Hosted) -> None:
    hosted.deploy(V1, V2, V3)
    assert hosted.kinds()[-1] == "rolled-back"
    assert hosted.remote_links() == hosted.links
    observed = hosted.git(
        "-C", str(hosted.bare), "show", f"{JOURNAL}:observed/{'/'.join(WHERE)}.json"
    )
    assert V2 in observed
    names = hosted.git("-C", str(hosted.bare), "ls-tree", "-r", "--name-only", JOURNAL).split()
    digests = {link.facts["evidence_digest"] for link in hosted.links} - {None}
    assert {f"evidence/{'/'.join(WHERE)}/{digest}.json" for digest in digests} <= set(names)
    assert digests


def test_away_for_the_whole_rollout_everything_waits_here_and_is_pushed_after(
    hosted: Hosted,
) -> None:
    hosted.deploy(V1)
    hosted.send("deploy", V2)
    hosted.service.push()
    with hosted.away():
        hosted.turn()
        assert hosted.target.weights == {V2: 10_000}
        hosted.service.controller.order(BACK)
        hosted.turn()
        assert hosted.target.weights == {V1: 10_000}
        around = hosted.service.status()
        assert around["journal"]["state"] == "waiting"
        assert "journal" in around["trouble"]
    before = len(hosted.remote_links())
    hosted.turn()
    assert len(hosted.remote_links()) > before
    assert hosted.remote_links() == hosted.links
    assert hosted.service.status()["trouble"] == {}


def test_a_remote_that_rejects_every_push_stops_nothing(hosted: Hosted) -> None:
    hosted.deploy(V1)
    allow = hosted.hook("pre-receive", "grep -q assay/journal && exit 1; exit 0")
    hosted.deploy(V2)
    assert hosted.target.weights == {V2: 10_000}
    assert "takes no push" in hosted.service.status()["trouble"]["journal"]
    allow()
    hosted.turn()
    assert hosted.remote_links() == hosted.links


def test_another_writer_between_fetch_and_push_loses_nothing(hosted: Hosted) -> None:
    hosted.deploy(V1)
    push_chain(hosted.branch(JOURNAL), "staging", "churn", chain(2))
    hosted.deploy(V2)
    assert hosted.remote_links() == hosted.links


def test_a_branch_that_diverged_freezes_promotion_and_allows_going_back(hosted: Hosted) -> None:
    hosted.deploy(V1, V2)
    theirs = "journal/" + "/".join(WHERE) + "/0.jsonl"
    branch = hosted.branch(JOURNAL)
    foreign = b"".join(link.line for link in chain(3))
    branch.append("journal/", lambda _: {theirs: foreign}, message="theirs")
    tip = hosted.git("-C", str(hosted.bare), "rev-parse", JOURNAL)
    hosted.deploy("4" * 64)
    status = hosted.service.status()
    assert status["journal"]["state"] == "diverged"
    assert "is not the one that this controller made" in status["trouble"]["journal"]
    assert hosted.target.weights == {V2: 10_000}
    assert "diverged" in str(hosted.links[-1].facts["sentence"])
    hosted.service.controller.order(BACK)
    hosted.turn()
    hosted.service.controller.order(BACK)
    hosted.turn()
    assert hosted.target.weights == {V1: 10_000}
    assert hosted.git("-C", str(hosted.bare), "rev-parse", JOURNAL) == tip


def test_an_altered_line_on_the_branch_freezes_promotion_too(hosted: Hosted) -> None:
    hosted.deploy(V1)
    path = "journal/" + "/".join(WHERE) + "/0.jsonl"

    def alter(files):  # type: ignore[no-untyped-def]
        return {path: files[path].replace(b"octo", b"mall", 1)}

    hosted.branch(JOURNAL).append("journal/", alter, message="tamper")
    hosted.deploy(V2)
    assert hosted.service.status()["journal"]["state"] == "diverged"
    assert hosted.target.weights == {V1: 10_000}


def test_a_branch_that_was_rewound_is_filled_up_again(hosted: Hosted) -> None:
    hosted.deploy(V1)
    first = hosted.git("-C", str(hosted.bare), "rev-parse", JOURNAL)
    hosted.deploy(V2)
    hosted.git("-C", str(hosted.bare), "update-ref", f"refs/heads/{JOURNAL}", first)
    hosted.deploy(V3)
    assert hosted.remote_links() == hosted.links


def test_a_new_host_begins_where_the_branch_ends_and_does_nothing_twice(hosted: Hosted) -> None:
    hosted.deploy(V1, V2, V3)
    old = hosted.links
    hosted.service.close()
    hosted.start("elsewhere")
    hosted.turn()
    assert hosted.links[: len(old)] == old
    assert hosted.kinds().count("rejected") == 0
    assert hosted.service.controller.epoch > old[-1].facts["epoch"]
    assert hosted.target.weights == {V2: 10_000}
    hosted.deploy("4" * 64)
    assert hosted.target.weights == {"4" * 64: 10_000}
    assert hosted.remote_links() == hosted.links


def test_a_new_host_that_cannot_read_the_branch_does_not_begin(hosted: Hosted) -> None:
    hosted.deploy(V1)
    hosted.service.close()
    with hosted.away(), pytest.raises(OutsideError):
        hosted.start("elsewhere")
    hosted.start("elsewhere")


def test_noise_on_the_desired_branch_is_rejected_and_does_nothing(hosted: Hosted) -> None:
    hosted.deploy(V1)
    folder = "intents/" + "/".join(WHERE) + "/"
    noise = {f"{folder}{number}.json": b"noise" for number in range(2, 9)}
    hosted.branch(DESIRED).append("intents/", lambda _: noise, message="noise")
    hosted.turn()
    assert hosted.kinds()[2:] == ["rejected"] * 7
    hosted.deploy(V2)
    assert hosted.target.weights == {V2: 10_000}
