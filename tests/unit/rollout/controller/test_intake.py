"""Which intents count: every way to be refused, and that nothing of a refused one is done."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from assay.errors import IntegrityError
from assay.packaging.keys import Trusted, new_key, sign
from assay.rollout.controller.chain import Place
from assay.rollout.controller.intake import Rejected, Rules, checked, glass
from assay.state import Signed
from support.controllers import KEY, PLACE, RULES, TRUSTED, V1, V2, Rig, intent_of, signed
from support.fake_target import FakeTarget

NOW = datetime(2026, 11, 1, 12, 30, tzinfo=UTC)
APPROVAL = Rules(place=PLACE, trusted=TRUSTED, approval=True)


def why(one: Signed, rules: Rules = RULES) -> str:
    with pytest.raises(Rejected) as caught:
        checked(one, rules, NOW)
    return str(caught.value)


def test_a_signed_intent_in_time_counts() -> None:
    intent = intent_of(1, digest=V1)
    assert checked(signed(intent), RULES, NOW) == intent


def test_an_unsigned_or_forged_or_altered_one_does_not() -> None:
    good = signed(intent_of(1, digest=V1))
    unsigned = Signed(generation=1, content=good.content, signature=b"")
    altered = Signed(
        generation=1,
        content=good.content.replace(V1.encode(), V2.encode()),
        signature=good.signature,
    )
    assert "not signed" in why(unsigned)
    assert "unknown key" in why(signed(intent_of(1, digest=V1), key=new_key()[0]))
    assert "altered" in why(altered)


def test_without_any_trusted_key_nothing_counts() -> None:
    nobody = Rules(place=PLACE, trusted=Trusted())
    assert "trusted: none" in why(signed(intent_of(1, digest=V1)), nobody)


def test_what_is_signed_and_is_no_intent_is_unreadable() -> None:
    for content in (b"{}", b"\xff", b"[" * 5000):
        one = Signed(generation=1, content=content, signature=sign(content, KEY))
        assert "unreadable" in why(one)


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        ({"target": "staging"}, "for churn on staging"),
        ({"model": "other"}, "for other on production"),
        ({"repository": "mallory/churn"}, "another repository, mallory/churn"),
        ({"artifact_digest": None}, "names no version"),
        ({"issued": NOW - timedelta(hours=2)}, "expired"),
        ({"issued": NOW + timedelta(hours=1)}, "not yet"),
        ({"expires": "2026-12-01T12:00:00Z"}, "longer than 168 hours"),
        (
            {"expires": "2026-11-01T14:00:00Z", "reason": "down", "ticket": "T-1"},
            "longer than 1 hours",
        ),
        ({"expires": "2026-13-01T12:00:00Z"}, "times are none"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_one_that_is_not_meant_for_here_or_now_does_not_count(
    facts: Mapping[str, object], says: str
) -> None:
    known = {"artifact_digest": V1, **facts}
    digest = known.pop("artifact_digest")
    assert says in why(signed(intent_of(1, digest=digest, **known)))  # type: ignore[arg-type]


def test_one_that_lies_at_another_number_was_replayed() -> None:
    assert "replayed" in why(signed(intent_of(1, digest=V1), at=2))


@pytest.mark.parametrize(
    ("approver", "says"), [(None, "nobody approved"), ("OCTO", "author octo approved")]
)
def test_where_approval_is_demanded_somebody_else_must_give_it(
    approver: str | None, says: str
) -> None:
    assert says in why(signed(intent_of(1, digest=V1, approver=approver)), APPROVAL)
    assert checked(signed(intent_of(1, digest=V1)), APPROVAL, NOW)
    assert checked(signed(intent_of(1, "rollback", approver=None)), APPROVAL, NOW)


def test_breaking_the_glass_needs_a_reason_and_a_ticket_and_still_a_signature() -> None:
    both = {"reason": "outage", "ticket": "T-1", "approver": None}
    intent = intent_of(1, digest=V1, **both)
    assert glass(intent)
    assert checked(signed(intent), APPROVAL, NOW) == intent
    assert "not signed" in why(
        Signed(generation=1, content=intent.to_json().encode(), signature=b""), APPROVAL
    )
    assert not glass(intent_of(1, digest=V1, reason="outage"))


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(folder=tmp_path, target=FakeTarget())


def test_a_stale_deploy_is_recorded_and_does_nothing(rig: Rig) -> None:
    rig.deploy(V1)
    rig.send("deploy", V2, based_on="0" * 64)
    rig.settle()
    assert rig.kinds() == ["accepted", "promoted", "rejected"]
    assert "stale: it was made upon decision 000000000000" in rig.sentences()[-1]
    assert rig.target.weights == {V1: 10_000}
    assert rig.target.running == [V1]


def test_of_two_deploys_upon_the_same_decision_the_second_is_stale(rig: Rig) -> None:
    rig.deploy(V1)
    rig.send("deploy", V2)
    rig.send("deploy", "4" * 64)
    rig.settle()
    assert "stale" in " ".join(rig.sentences())
    assert rig.target.weights == {V2: 10_000}


def test_going_back_is_never_stale(rig: Rig) -> None:
    rig.deploy(V1, V2)
    rig.send("rollback", based_on="0" * 64)
    rig.settle()
    assert rig.kinds()[-1] == "rolled-back"
    assert rig.target.weights == {V1: 10_000}


def test_the_same_intent_again_under_the_next_number_is_rejected(rig: Rig) -> None:
    rig.deploy(V1)
    rig.mail.append(signed(intent_of(1, digest=V1), at=2))
    rig.settle()
    rig.send("deploy", V2, id=f"{1:032x}")
    rig.settle()
    assert [kind for kind in rig.kinds() if kind == "rejected"] == ["rejected"] * 2
    assert "signed as number 1 and lies at number 2" in " ".join(rig.sentences())
    assert "decided about before" in rig.sentences()[-1]


def test_rejections_make_no_intent_stale(rig: Rig) -> None:
    rig.deploy(V1)
    good = intent_of(3, digest=V2, based_on=rig.links[-1].digest, issued=rig.time.wall)
    rig.mail.append(Signed(generation=2, content=b"noise", signature=b""))
    rig.settle()
    rig.mail.append(signed(good))
    rig.settle()
    assert rig.target.weights == {V2: 10_000}


def test_a_barred_version_stays_away_until_a_person_clears_it(tmp_path: Path) -> None:
    rig = Rig(folder=tmp_path, target=FakeTarget(bad=(V2,)))
    rig.deploy(V1, V2)
    assert rig.kinds()[-1] == "rolled-back"
    rig.deploy(V2)
    assert "barred until a person clears" in rig.sentences()[-1]
    rig.send("clear", V2)
    rig.settle()
    rig.deploy(V2)
    assert rig.kinds()[-3:] == ["accepted", "stepped", "rolled-back"]


def test_a_bundle_that_is_refused_rejects_its_intent(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(digest: str) -> Path:
        raise IntegrityError("model.sig: it is not what signing.pub signed.")

    monkeypatch.setattr(rig.inbox, "_fetch", refuse)
    rig.send("deploy", V1)
    rig.settle()
    assert "its bundle is refused: model.sig" in rig.sentences()[-1]
    assert rig.target.running == []


def test_a_registry_that_is_away_delays_one_intent_and_no_other(rig: Rig) -> None:
    rig.deploy(V1, V2)
    (rig.folder / "registry-away").touch()
    rig.send("deploy", "4" * 64)
    rig.send("rollback")
    rig.settle()
    assert rig.kinds()[-1] == "rolled-back"
    (rig.folder / "registry-away").unlink()
    rig.ticks(3)
    assert "stale" in rig.sentences()[-1]


def test_a_place_is_a_target_and_a_model() -> None:
    elsewhere = Rules(place=Place(target="production", model="other"), trusted=TRUSTED)
    assert "for churn on production" in why(signed(intent_of(1, digest=V1)), elsewhere)
