"""The rule file: what each alert carries, and that words from outside stay words."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from assay.alerting.burn_rates import BURNS, ROUTER, bucket
from assay.alerting.rules import literal, rules_text, unmeasured, watched
from assay.cli.edge import run
from assay.config import parse_config
from assay.errors import InputError
from assay.report.look_metrics import NAMES
from assay.rollout.targets.local.bootstrap import STAT_PREFIX
from support.watching import CONFIG, config

UNDELIVERED = CONFIG.replace("    delivery: {targets: [production]}\n", "")


def rules(text: str) -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]


def alerts() -> list[dict[str, Any]]:
    return [rule for rule in rules(rules_text(config())) if "alert" in rule]


def test_every_alert_carries_what_a_person_needs_to_act() -> None:
    found = alerts()
    assert len(found) > 10
    for alert in found:
        assert alert["labels"]["severity"] in {"page", "ticket"}
        assert alert["labels"]["model"] == "churn"
        words = alert["annotations"]
        assert words["owner"] == "churn team"
        assert words["runbook_url"] == "https://example.com/runbooks/churn"
        assert "assay_monitor_serving_info" in words["version"]
        command = shlex.split(words["rollback"])
        assert command[:6] == ["assay", "rollback", "--model", "churn", "--target", "production"]


def test_a_quality_alert_states_its_label_coverage() -> None:
    quality = [alert for alert in alerts() if alert["alert"] == "AssayQuality"]
    assert [alert["labels"]["severity"] for alert in quality] == ["page", "ticket"]
    for alert in quality:
        assert "assay_monitor_label_coverage" in alert["annotations"]["description"]


def test_what_a_look_found_is_told_by_one_alert_that_a_silence_holds_back() -> None:
    found = [
        one["expr"] for one in alerts() if re.search("monitor_(problem|heartbeat)", one["expr"])
    ]
    assert len(found) == 4  # Quality and all else, each urgent and not.
    for expression in found:
        assert "assay_monitor_problem{" in expression
        assert "unless on (model, kind, subject) assay_monitor_silenced_until" in expression


def test_the_rollback_command_is_one_that_assay_understands(tmp_path: Path) -> None:
    (tmp_path / "assay.yaml").write_text(CONFIG.replace("OWNER", "x"))
    words = shlex.split(alerts()[0]["annotations"]["rollback"])[1:]
    where = ["--config", str(tmp_path / "assay.yaml"), "--state", str(tmp_path / "none"), "--local"]
    assert run([*words, *where]) == 3, "no controller answers here; the arguments are right"


def test_every_metric_of_a_look_that_a_rule_reads_is_one_that_is_written() -> None:
    used = set(re.findall(r"\bassay_monitor_[a-z_]+", rules_text(config())))
    assert used
    assert used <= NAMES


def test_burn_rates_are_the_workbooks() -> None:
    burn = [alert for alert in alerts() if alert["alert"] == "AssayErrorBudgetBurn"]
    assert [(one["labels"]["window"], one["labels"]["severity"]) for one in burn] == [
        ("1h", "page"), ("6h", "page"), ("1d", "ticket"), ("3d", "ticket"),
    ]  # fmt: skip
    assert [found.rate for found in BURNS] == [14.4, 6, 3, 1]
    for one, expected in zip(burn, BURNS, strict=True):
        assert f"ratio_rate{expected.long}{{" in one["expr"]
        assert f"ratio_rate{expected.short}{{" in one["expr"]
        assert one["expr"].count(f"> ({expected.rate:g} * 0.001)") == 2


def test_the_router_is_called_as_the_target_calls_it() -> None:
    assert ROUTER == STAT_PREFIX


def test_a_latency_that_the_router_does_not_count_is_refused() -> None:
    assert bucket(500) == 500
    with pytest.raises(InputError, match="latency_ms is 300"):
        bucket(300)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (CONFIG.replace(", metrics_port: 9901", ""), "no metrics_port"),
        (UNDELIVERED, "no target"),
    ],
)
def test_without_counted_requests_there_are_no_burn_rates_and_it_is_said(
    text: str, why: str
) -> None:
    silent = config(text)
    assert why in (unmeasured(watched(silent)[0]) or "")
    assert "ratio_rate" not in rules_text(silent)


def test_a_model_without_a_target_has_no_rollback_to_offer() -> None:
    text = rules_text(config(UNDELIVERED))
    assert "rollback" not in text
    assert "AssayControllerSilent" not in text


def test_words_from_the_configuration_are_no_template() -> None:
    assert literal("{{ query `up` }}") == '{{ "{{" }} query `up` }}'
    text = rules_text(config(owner='{{ "x" }}: [a] # "b"'))
    assert rules(text)[-1]["annotations"]["owner"] == '{{ "{{" }} "x" }}: [a] # "b"'


def test_nothing_to_alert_on_is_said() -> None:
    bare = re.sub(r"    monitoring:\n(      .*\n)+", "", CONFIG)
    with pytest.raises(InputError, match="no model has a section"):
        rules_text(parse_config(bare, file="assay.yaml"))


def test_the_command_writes_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "assay.yaml"
    file.write_text(CONFIG.replace("OWNER", "churn team"))
    target = tmp_path / "rules.yml"
    assert run(["rules", "--config", str(file), "--output", str(target)]) == 0
    assert target.read_text() == rules_text(config())
    assert capsys.readouterr().out.strip() == str(target)
