"""A controller that looks at production, as users run it, and a webhook that is away."""

from __future__ import annotations

import json
import threading
import time
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from assay.monitoring.memory import lock
from support.listening import listening
from support.serving import Load, local_target
from support.sites import Site, site

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Site]:
    """A site whose log is judged silent at once, so that a look always has a finding."""
    monitoring = {
        "logs": {"source": (tmp_path / "s/target/predictions").as_posix()},
        "window": 60,
        "silence": 0.001,
        "alerts": {"owner": "churn team", "look_every": 60},
    }
    with site(tmp_path, monitoring=monitoring) as made:
        yield made


@pytest.fixture
def webhook() -> Iterator[tuple[str, list[str], threading.Event]]:
    """A receiver that answers 503 until it is told to answer."""
    heard: list[str] = []
    up = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            if up.is_set():
                heard.append(json.loads(body)["text"])
            self.send_response(200 if up.is_set() else 503)
            self.end_headers()

    with listening(Handler) as address:
        yield f"{address}/hook", heard, up


def test_a_look_is_taken_told_and_shown_and_a_webhook_that_is_away_hears_of_it_once(
    here: Site, webhook: tuple[str, list[str], threading.Event]
) -> None:
    address, heard, up = webhook
    one = here.bundle("one")
    controller = here.start("run", "--listen", "127.0.0.1:0", environ={"ASSAY_WEBHOOK": address})
    here.send("deploy", one)
    here.serves(one)
    with Load(local_target(here.state / "target")):
        time.sleep(2)
    found = here.until(lambda found: "webhook" in found["trouble"].get("looks", ""), "tells")
    assert found["look"]["problems"][0]["key"] == "heartbeat:log"
    up.set()
    here.until(lambda found: "looks" not in found["trouble"], "has told")
    assert len([text for text in heard if "heartbeat of log" in text]) == 1
    shown = here.run("status", "--state", str(here.state)).stdout
    assert "urgent heartbeat:log" in shown
    assert controller.poll() is None
    lines = (json.loads(line) for line in (here.folder / "run.log").read_text().splitlines())
    port = next(line["port"] for line in lines if line["event"] == "listening")
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=20) as answer:
        metrics = answer.read().decode()
    assert 'assay_monitor_problem{kind="heartbeat",model="churn"' in metrics
    assert (here.state / "looks/churn/monitor.json").is_file()


def test_a_second_monitor_of_the_same_state_is_refused_and_said(here: Site) -> None:
    """Held here by a third, so that neither is faster."""
    (here.state / "target/predictions").mkdir(parents=True)
    held = lock(here.state / "monitor/look", "2026-09-01T00:00:00Z")
    try:
        here.start()
        here.until(
            lambda found: "another monitor" in found["trouble"].get("looks", ""), "is refused"
        )
        by_hand = here.run("monitor", "--state", str(here.state / "monitor/look"))
        assert by_hand.returncode == 2
        assert "another monitor is looking" in by_hand.stderr
    finally:
        held.release()
    one = here.bundle("one")
    here.send("deploy", one)
    here.serves(one)


def test_a_controller_that_is_told_so_takes_no_look(here: Site) -> None:
    one = here.bundle("one")
    here.start("run", "--no-monitor")
    here.send("deploy", one)
    found = here.serves(one)
    assert found["look"] is None
    assert not (here.state / "looks").exists()
