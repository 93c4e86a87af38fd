"""The controller for real: `assay controller`, Envoy, scoring servers, git remotes, signatures.

Each part is the one that users run; the models are small ones that answer one word.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from assay.config.strategy import Step
from assay.state import DESIRED, append_intent
from support.controllers import CANARY, intent_of, signed
from support.serving import Load, local_target
from support.sites import WHERE, Site, site

pytestmark = pytest.mark.timeout(600)
HELD = CANARY.model_copy(update={"steps": (Step(weight=0.5, bake=3600, requests=100),)})
QUICK = CANARY.model_copy(
    update={
        "standby": 3600,
        "steps": (
            Step(weight=0.2, bake=1, requests=20),
            Step(weight=0.5, bake=1, requests=20),
        ),
        "guards": CANARY.guards.model_copy(
            update={"requests": 20, "error_rate": 0.2, "slow_share": 0.2}
        ),
    }
)


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path, strategy=QUICK, delivery={"lost_after": 2}) as made:
        yield made


def canary_in_flight(here: Site, first: str, second: str) -> None:
    """One version serves; the other has half of the traffic, for an hour."""
    here.send("deploy", first)
    here.serves(first)
    here.pushed()
    here.send("deploy", second, strategy=HELD)
    here.until(lambda found: found["weights"] == {first: 5_000, second: 5_000}, "splits")


def test_a_canary_under_load_a_kill_in_the_middle_and_a_way_back(here: Site) -> None:
    one, two, bad = here.bundle("one"), here.bundle("two"), here.bundle("bad", raises=True)
    controller = here.start()
    here.send("deploy", one)
    here.serves(one)
    here.pushed()
    with Load(local_target(here.state / "target")) as load:
        here.send("deploy", two)
        here.until(lambda found: found["rollout"] is not None, "begins")
        here.until(lambda found: two in found["weights"], "splits")
        here.kill(controller)
        time.sleep(1)
        here.start()
        here.serves(two)
    assert load.failed == []
    assert len(load.shots) > 200
    here.pushed()
    with Load(local_target(here.state / "target")) as load:
        here.send("deploy", bad)
        here.until(lambda found: bad in found["barred"], "went back")
        found = here.serves(two)
    assert found["recent"][-1]["cause"] == "guard"
    here.pushed()
    kinds = [link.facts["kind"] for link in here.chain() if link.facts["kind"] != "started"]
    assert kinds == [
        *("accepted", "promoted"),
        *("accepted", "stepped", "stepped", "promoted"),
        *("accepted", "stepped", "rolled-back"),
    ]
    began = time.monotonic()
    said = here.run("status", "--state", str(here.state))
    assert time.monotonic() - began < 1
    assert f"{two[:12]} serves" in said.stdout
    would = here.run("rollback", "--state", str(here.state), "--dry-run")
    assert f"{one[:12]} 100 %" in would.stdout
    assert here.status()["stable"] == two
    drilled = here.run("drill", "rollback", "--state", str(here.state))
    assert drilled.stdout.count("serves all traffic") == 2, drilled
    assert here.status()["stable"] == two
    back = here.run("rollback", "--state", str(here.state), "--reason", "complaints")
    assert f"{one[:12]} serves all traffic" in back.stdout, back
    assert here.run("rollback", "--state", str(here.state)).returncode == 2


def goes_back(here: Site) -> None:
    """Wait for the watchdog to roll back."""
    ends = time.monotonic() + 60
    while here.chain()[-1].facts["kind"] != "rolled-back":
        assert time.monotonic() < ends, (here.folder / "watchdog.log").read_text()[-2000:]
        time.sleep(0.5)


def test_gone_for_good_with_a_canary_in_flight_the_watchdog_goes_back(here: Site) -> None:
    one, two = here.bundle("one"), here.bundle("two")
    controller = here.start()
    here.start("watchdog")
    canary_in_flight(here, one, two)
    epoch = here.status()["epoch"]
    here.pushed()
    here.kill(controller)
    goes_back(here)
    last = here.chain()[-1].facts
    assert (last["cause"], last["by"], last["epoch"]) == ("lost", "watchdog", epoch + 1)
    here.start()
    found = here.serves(one)
    assert found["epoch"] > epoch + 1
    assert two in found["barred"]


def test_one_that_hangs_with_the_lock_is_replaced_too(here: Site) -> None:
    one, two = here.bundle("one"), here.bundle("two")
    controller = here.start()
    canary_in_flight(here, one, two)
    here.start("watchdog")
    time.sleep(1)
    controller.send_signal(signal.SIGSTOP)
    goes_back(here)
    assert controller.wait(10) == -signal.SIGKILL
    here.start()
    here.serves(one)


def test_what_is_not_signed_or_not_whole_is_refused_and_the_rest_goes_on(here: Site) -> None:
    one = here.bundle("one")
    torn = here.bundle("torn")
    (here.bundles / torn / "model/how.json").write_text('{"answer": "mine"}')
    here.start()
    here.send("deploy", one)
    here.serves(one)
    here.pushed()
    here.send("deploy", torn)
    here.until(lambda found: "tampered" in found["recent"][-1]["sentence"], "refuses")
    with here.branch(DESIRED) as branch:
        stranger = signed(intent_of(1, digest=one))
        append_intent(branch, *WHERE, lambda _: (stranger.content, stranger.signature))
    here.until(lambda found: "unknown key" in found["recent"][-1]["sentence"], "refuses")
    second = here.run(
        "controller", "run", "--state", str(here.state), "--repository", "octo/churn",
        "--bundles", str(here.bundles), "--listen", "off",
    )  # fmt: skip
    assert second.returncode == 2
    assert "controlled already: by controller, process" in second.stderr
    alone = here.run(
        "rollout", "advance", "--state", str(here.state), "--repository", "octo/churn",
        "--bundles", str(here.bundles),
    )  # fmt: skip
    assert alone.returncode == 2
    assert "controlled already" in alone.stderr
    assert here.serves(one)["decisions"] >= 5


def test_old_bundles_go_and_the_way_back_needs_no_store(tmp_path: Path) -> None:
    retention = {"retention": {"releases": 1}}
    with site(tmp_path, strategy=QUICK, delivery=retention) as here:
        one, two, three = (here.bundle(name) for name in ("one", "two", "three"))
        controller = here.start()
        here.send("deploy", one)
        here.serves(one)
        here.pushed()
        with Load(local_target(here.state / "target")):
            for version in (two, three):
                here.send("deploy", version)
                here.serves(version)
                here.pushed()
        here.until(lambda found: one not in found["versions"], "ended the first")
        here.kill(controller)
        here.start()
        releases = here.state / "releases"
        here.until(
            lambda _: {place.name for place in releases.iterdir()} == {two, three},
            "removed the first",
        )
        here.bundles.rename(tmp_path / "away")
        back = here.run("rollback", "--state", str(here.state), "--reason", "complaints")
        assert f"{two[:12]} serves all traffic" in back.stdout, back
        here.serves(two)
