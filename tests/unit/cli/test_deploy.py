"""``assay deploy`` on a clone with a real remote: what it writes, and what it refuses to write."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from assay.cli.asking import Office, refuse_other_branches
from assay.cli.deploy_asks import Asked, wanted_of
from assay.config import parse_config
from assay.errors import InputError
from assay.evidence import Event, PushedImage
from assay.github.events import Revisions
from assay.github.settings import Settings
from assay.packaging.bundle import Bundle
from assay.packaging.keys import new_key
from assay.rollout.controller.intake import Rejected, checked
from assay.state import Remote, open_desired, read_intents
from support.bundles import bundle
from support.desks import CONFIG, KEY, V1, V2, Desk, desk_in
from support.github_stand_in import Answer, stand_in
from support.github_stand_in import Asked as Request


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return desk_in(tmp_path, monkeypatch)


def test_an_intent_is_one_that_a_controller_takes(desk: Desk) -> None:
    assert desk.deploy("staging") == 0
    (signed,) = desk.intents("staging")
    intent = checked(signed, desk.rules("staging"), datetime.now(UTC))
    assert (intent.kind, intent.artifact_digest, intent.based_on) == ("deploy", V1, None)
    assert (intent.author, intent.approver, intent.pull_request) == ("octo", None, 7)
    assert intent.strategy is not None
    assert (intent.strategy.kind, intent.strategy.steps[0].weight) == ("blue-green", 1)
    assert not (desk.root / ".git/refs/heads/assay").exists()


def test_another_key_signs_nothing_that_counts(desk: Desk) -> None:
    (desk.root / "key.pem").write_bytes(new_key()[0])
    assert desk.deploy("staging") == 0
    (signed,) = desk.intents("staging")
    with pytest.raises(Rejected, match="forged or unsigned"):
        checked(signed, desk.rules("staging"), datetime.now(UTC))


def test_the_next_intent_is_made_upon_the_newest_decision_that_changed_anything(
    desk: Desk,
) -> None:
    promoted = desk.decide("staging", "promoted", artifact_digest=V1)
    desk.decide("staging", "rejected", artifact_digest=V2)
    assert desk.deploy("staging", V2) == 0
    assert desk.deploy("staging", V2) == 0
    assert [found.generation for found in desk.intents("staging")] == [1, 2]
    assert desk.intent("staging").based_on == promoted.digest


def test_a_target_waits_for_the_one_before_it(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    assert desk.deploy("production") == 2
    assert "was not promoted at staging" in capsys.readouterr().err
    desk.decide("staging", "promoted", artifact_digest=V1)
    assert desk.deploy("production") == 0
    strategy = desk.intent("production").strategy
    assert strategy is not None
    assert strategy.kind == "canary"
    desk.decide("staging", "rolled-back", artifact_digest=V1)
    assert desk.deploy("production") == 2


def test_intents_and_journal_may_lie_in_a_repository_of_their_own(
    desk: Desk, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "state.git"
    desk.kept.clone.git("init", "--quiet", "--bare", str(elsewhere))
    text = CONFIG.replace("  trust:", f"  state_repository: {elsewhere}\n  trust:")
    (desk.root / "assay.yaml").write_text(text)
    assert desk.deploy("staging") == 0
    assert desk.intents("staging") == ()
    there = Remote(address=str(elsewhere), environment=desk.remote().environment)
    with open_desired(there) as branch:
        (signed,) = read_intents(branch, "staging", "churn")
    assert checked(signed, desk.rules("staging"), datetime.now(UTC)).artifact_digest == V1


@pytest.mark.parametrize(
    ("kinds", "more", "code", "said"),
    [
        (["accepted", "stepped", "promoted"], [], 0, "promoted"),
        (["accepted"], ["--until", "accepted"], 0, "accepted"),
        (["accepted"], [], 3, "has not decided yet"),
        ([], [], 3, "has not answered yet"),
        (["rejected"], [], 1, "It is rejected."),
        (["accepted", "rolled-back"], [], 1, "It is rolled-back."),
    ],
    ids=["promoted", "accepted", "under way", "no answer", "rejected", "taken back"],
)
def test_what_the_controller_decides_is_the_outcome(
    desk: Desk,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    kinds: list[str],
    more: list[str],
    code: int,
    said: str,
) -> None:
    running = [0.0]

    def decide(seconds: float) -> None:
        running[0] += seconds
        pending = desk.intent("staging")
        if not desk.links:
            for kind in kinds:
                desk.decide("staging", kind, intent=pending.id, artifact_digest=V1)

    clock = SimpleNamespace(sleep=decide, monotonic=lambda: running[0])
    monkeypatch.setattr("assay.cli.asking.time", clock)
    assert desk.deploy("staging", V1, "--wait-minutes", "0.1", *more) == code
    shown = capsys.readouterr()
    assert said in shown.out + shown.err


def test_what_needs_approval_waits_and_its_author_cannot_give_it(
    desk: Desk, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = CONFIG.replace("  trust:", "  approval: [staging]\n  trust:")
    (desk.root / "assay.yaml").write_text(text)
    outputs = desk.root / "outputs"
    monkeypatch.setenv("GITHUB_OUTPUT", str(outputs))
    assert desk.deploy("staging") == 0
    assert "waits at staging for the approval" in capsys.readouterr().out
    assert "awaiting-approval" in outputs.read_text()
    assert desk.intents("staging") == ()

    assert desk.deploy("staging", "", "--approve", "--author", "Octo") == 2
    assert "cannot approve" in capsys.readouterr().err
    assert desk.deploy("staging", V2, "--approve", "--author", "cat") == 2
    assert desk.deploy("staging", "", "--approve", "--author", "cat") == 0
    (signed,) = desk.intents("staging")
    intent = checked(signed, desk.rules("staging", approval=True), datetime.now(UTC))
    assert (intent.author, intent.approver, intent.artifact_digest) == ("octo", "cat", V1)


def test_a_request_that_somebody_forged_is_not_approved(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    text = CONFIG.replace("  trust:", "  approval: [staging]\n  trust:")
    (desk.root / "assay.yaml").write_text(text)
    (desk.root / "key.pem").write_bytes(new_key()[0])
    assert desk.deploy("staging") == 0
    (desk.root / "key.pem").write_bytes(KEY)
    assert desk.deploy("staging", "", "--approve", "--author", "cat") == 4
    assert desk.intents("staging") == ()
    assert "key" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("target", "digest", "more", "said"),
    [
        ("nowhere", V1, [], "Its targets are: staging, production"),
        ("staging", "", [], "--artifact-digest"),
        ("staging", V1, ["--approver", "OCTO"], "cannot approve"),
        ("staging", V1, ["--signing-key", "signing.pub"], "signing.pub"),
        ("staging", V1, ["--model", "fraud"], "fraud"),
    ],
    ids=["target", "no version", "own approval", "no key", "model"],
)
def test_wrong_input_is_named_and_writes_nothing(
    desk: Desk,
    capsys: pytest.CaptureFixture[str],
    target: str,
    digest: str,
    more: list[str],
    said: str,
) -> None:
    assert desk.deploy(target, digest, *more) == 2
    assert said in capsys.readouterr().err
    assert desk.intents("staging") == ()


def test_a_bundle_names_its_version(desk: Desk) -> None:
    folder, made = bundle(desk.root / "made")
    assert desk.deploy("staging", "", "--bundle", str(folder)) == 0
    assert desk.intent("staging").artifact_digest == made.digest()
    assert desk.deploy("staging", "", "--bundle", str(folder / Bundle.FILE)) == 0


def test_an_image_of_this_version_stands_in_the_intent_and_anothers_is_refused(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "registry.example/churn"
    file = desk.root / "image" / PushedImage.FILE
    more = ("--image-file", str(file))
    assert desk.deploy("staging", V1, *more) == 0
    assert desk.intent("staging").image is None
    made = PushedImage(
        model="churn",
        artifact_digest=V1,
        reference=f"{name}@sha256:{'e' * 64}",
        tag=f"{name}:{V1}",
        base=f"python@sha256:{'a' * 64}",
    )
    made.write(file.parent)
    assert desk.deploy("staging", V1, *more) == 0
    assert desk.intent("staging").image == made.reference
    assert desk.deploy("staging", V2, *more) == 4
    assert "Make it again" in capsys.readouterr().err


@pytest.mark.parametrize(("reviewer", "approver"), [("cat", "cat"), ("OCTO", None), (None, None)])
def test_in_a_job_the_environments_reviewer_is_the_approver_and_the_line_says_nothing(
    desk: Desk, reviewer: str | None, approver: str | None
) -> None:
    places = [{"name": "staging"}]
    reviews = [{"state": "approved", "user": {"login": reviewer}, "environments": places}]

    def respond(asked: Request) -> Answer:
        assert asked.path.endswith("/actions/runs/9/approvals")
        return Answer(document=reviews if reviewer else [])

    with stand_in(respond) as server:
        settings = Settings(
            in_actions=True,
            event=Event(name="push", repository="octo/churn", author="merger", run_id=9),
            token="ghs_token",
            api_url=server.url,
        )
        office = Office(
            config=parse_config(CONFIG, file="assay.yaml"), settings=settings, private_key=KEY
        )
        asked = Asked(
            model="churn",
            target="staging",
            digest=V1,
            bundle=None,
            author="mallory",
            approver="mallory",
            delivery=desk.root / "delivery.json",
        )
        wanted = wanted_of(office, asked)
    assert (wanted.author, wanted.approver) == ("octo", approver)


@pytest.mark.parametrize(
    ("name", "head", "side"),
    [
        ("push", "topic", None),
        ("workflow_dispatch", None, "origin/main"),
        ("pull_request", "x", None),
    ],
)
def test_intents_are_written_from_the_default_branch_alone(
    name: str, head: str | None, side: str | None
) -> None:
    revisions = Revisions(head="a" * 40, merge_base_with=side)
    event = Event(name=name, repository="octo/churn", head_branch=head)
    settings = Settings(in_actions=True, event=event, revisions=revisions, default_branch="main")
    with pytest.raises(InputError, match="from the default branch"):
        refuse_other_branches(settings)
