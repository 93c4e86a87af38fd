"""What a controller says to those outside: the socket, /healthz, /metrics, its units, its log."""

from __future__ import annotations

import configparser
import json
import tempfile
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from assay.alerting.push import looks_in
from assay.errors import InputError, OutsideError
from assay.rollout.controller.chain import Place
from assay.rollout.controller.install import KINDS, Installation, rendered
from assay.rollout.controller.metrics import Metrics
from assay.rollout.controller.service import Service
from assay.rollout.controller.talk import Listener, ask
from assay.rollout.controller.web import Web
from support.controllers import PLACE, V1, V2, V3
from support.fake_target import FakeTarget
from support.services import Hosted
from support.watching import look, problem

MADE = Installation(
    place=PLACE, config="/srv/churn/assay.yaml", checkout="/opt/assay", state="/var/lib/assay"
)


@pytest.fixture(scope="module")
def hosted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosted]:
    with ExitStack() as stack:
        made = Hosted(tmp_path_factory.mktemp("hosted"), stack, FakeTarget(bad=(V3,)))
        made.deploy(V1, V2, V3)
        yield made


def get(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}") as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_health_and_metrics_over_http(hosted: Hosted) -> None:
    service = hosted.service
    metrics = Metrics(service.controller, service.status)
    web = Web("127.0.0.1", 0, status=service.status, metrics=metrics)
    web.start()
    try:
        service.round()
        code, body = get(web.port, "/healthz")
        assert (code, json.loads(body)["healthy"]) == (200, True)
        assert get(web.port, "/elsewhere")[0] == 404
        code, body = get(web.port, "/metrics")
        with pytest.raises(OutsideError, match="cannot listen"):
            Web("127.0.0.1", web.port, status=service.status, metrics=metrics)
    finally:
        web.stop()
    families = {one.name: one for one in text_string_to_metric_families(body)}
    weights = families["assay_controller_weight"].samples
    assert {one.labels["artifact_digest"]: one.value for one in weights} == {V2: 10_000}
    decisions = families["assay_controller_decisions"].samples
    assert {one.labels["kind"]: one.value for one in decisions}["rolled-back"] == 1
    assert families["assay_controller_alerts"].samples[0].value >= 1
    assert families["assay_controller_rollout_step"].samples[0].value == -1


def test_looks_are_shown_beside_the_controllers_metrics(hosted: Hosted, tmp_path: Path) -> None:
    look(problem()).write(tmp_path / "churn")
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn" / "monitor.json").write_text("{")
    service = hosted.service
    text = Metrics(service.controller, service.status, [looks_in(tmp_path)]).text().decode()
    assert "assay_controller_epoch" in text
    assert 'assay_monitor_problem{kind="quality",model="churn"' in text
    assert "torn" not in text


def test_a_controller_that_ends_no_round_is_not_healthy(hosted: Hosted) -> None:
    status = {**hosted.service.status(), "age": None}
    web = Web(
        "127.0.0.1", 0,
        status=lambda: status, metrics=Metrics(hosted.service.controller, lambda: status),
    )  # fmt: skip
    web.start()
    try:
        assert get(web.port, "/healthz")[0] == 503
        status["age"] = 60.0
        assert get(web.port, "/healthz")[0] == 503
    finally:
        web.stop()


def test_the_status_says_what_serves_and_what_troubles(hosted: Hosted) -> None:
    found = hosted.service.status()
    assert found["stable"] == V2
    assert found["previous"] == V1
    assert found["barred"] == [V3]
    assert found["settled"]
    assert found["journal"] == {"state": "ok", "pushed": len(hosted.links)}
    assert found["recent"][-1]["kind"] == "rolled-back"
    assert json.dumps(found)


def test_a_question_over_the_socket_is_answered_and_nonsense_is_refused(tmp_path: Path) -> None:
    def answer(request, user):  # type: ignore[no-untyped-def]
        if request.get("do") == "no":
            raise InputError("not that.", remedy="Ask for something else.")
        return {"user": user, "request": dict(request)}

    listener = Listener(tmp_path, answer)
    listener.start()
    try:
        assert (tmp_path / "control.sock").stat().st_mode & 0o777 == 0o600
        assert ask(tmp_path, {"do": "status"})["request"] == {"do": "status"}
        with pytest.raises(InputError, match=r"not that. Ask for something else"):
            ask(tmp_path, {"do": "no"})
    finally:
        listener.stop()
    with pytest.raises(OutsideError, match="no controller answers"):
        ask(tmp_path, {"do": "status"})


@pytest.mark.parametrize("name", ["x" * 120, "é" * 60])
def test_a_state_folder_whose_path_is_too_long_for_a_socket_is_named(
    tmp_path: Path, name: str
) -> None:
    folder = tmp_path / name
    folder.mkdir()
    with pytest.raises(InputError, match="Unix allows a socket 107"):
        Listener(folder, lambda *_: {})
    with pytest.raises(OutsideError, match="a state folder of at most 94 bytes"):
        ask(folder, {"do": "status"})


def test_a_socket_whose_path_is_as_long_as_one_may_be_is_made() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / ("x" * (94 - len(name) - 1))
        folder.mkdir()
        listener = Listener(folder, lambda *_: {"well": True})
        listener.start()
        try:
            assert ask(folder, {"do": "status"}) == {"well": True}
        finally:
            listener.stop()


def test_a_target_that_cannot_be_made_leaves_no_record(tmp_path: Path) -> None:
    with ExitStack() as stack:
        setup = Hosted(tmp_path, stack, FakeTarget()).service.setup

        def refuse() -> FakeTarget:
            raise InputError("python: it is not there.")

        with pytest.raises(InputError, match="it is not there"):
            Service(replace(setup, folder=tmp_path / "new", target=refuse))
        assert {path.name for path in (tmp_path / "new").iterdir()} == {"lock", "epoch"}
        Service(replace(setup, folder=tmp_path / "new")).close()


def test_a_process_that_runs_stops_when_it_is_told(tmp_path: Path) -> None:
    with ExitStack() as stack:
        hosted = Hosted(tmp_path, stack, FakeTarget())
        hosted.service.close()
        service = hosted.start()
        stop = threading.Event()
        thread = threading.Thread(target=service.run, args=(stop,))
        thread.start()
        try:
            for _ in range(200):
                try:
                    found = ask(tmp_path / "state", {"do": "status"})
                    break
                except OutsideError:
                    stop.wait(0.05)
        finally:
            stop.set()
            service.wake()
            thread.join(30)
        assert found["target"] == "production"
        assert not thread.is_alive()
        assert not (tmp_path / "state/control.sock").exists()
        hosted.start()


@pytest.mark.parametrize("kind", KINDS)
def test_every_unit_names_controller_and_watchdog_and_nothing_is_left_to_fill_in(
    kind: str,
) -> None:
    files = rendered(kind, MADE)  # type: ignore[arg-type]
    text = "\n".join(files.values())
    assert "watchdog" in text
    assert "$" not in text
    assert "production" in text


def test_the_systemd_units_are_hardened_and_leave_the_servers_running() -> None:
    for name, text in rendered("systemd", MADE).items():
        unit = configparser.ConfigParser(strict=False, interpolation=None)
        unit.optionxform = str  # type: ignore[assignment, method-assign]
        unit.read_string(text)
        service = unit["Service"]
        assert service["KillMode"] == "process", name
        assert service["NoNewPrivileges"] == service["PrivateDevices"] == "yes"
        assert service["ProtectSystem"] == "strict"
        assert service["ReadWritePaths"] == "/var/lib/assay"
        assert service["ExecStart"].startswith("/opt/assay/toolkit/bin/assay controller ")


def test_the_kubernetes_manifest_runs_one_at_a_time_without_privileges() -> None:
    (text,) = rendered("kubernetes", MADE).values()
    documents = {one["kind"]: one for one in yaml.safe_load_all(text)}
    spec = documents["Deployment"]["spec"]
    assert spec["replicas"] == 1
    assert spec["strategy"] == {"type": "Recreate"}
    for container in spec["template"]["spec"]["containers"]:
        tight = container["securityContext"]
        assert tight["readOnlyRootFilesystem"] is True
        assert tight["allowPrivilegeEscalation"] is False
        assert tight["capabilities"] == {"drop": ["ALL"]}
    assert spec["template"]["spec"]["securityContext"]["runAsNonRoot"] is True
    for rule in documents["Role"]["rules"]:
        assert "*" not in [*rule["resources"], *rule["verbs"], *rule["apiGroups"]]


def test_the_compose_file_is_read_only_without_capabilities() -> None:
    services = yaml.safe_load(rendered("container", MADE)["compose.yaml"])["services"]
    for service in services.values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]


@pytest.mark.parametrize("bad", ["/srv/a b", "/srv/x\nUser=root", "$HOME", "%h", ""])
def test_a_value_that_a_unit_would_read_as_more_is_refused(bad: str) -> None:
    made = Installation(place=Place(target="t", model="m"), config=bad, checkout="/o", state="/s")
    for kind in KINDS:
        with pytest.raises(InputError, match="cannot stand in a unit"):
            rendered(kind, made)
