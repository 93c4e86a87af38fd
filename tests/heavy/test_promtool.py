"""Prometheus's own promtool on the generated rules: their syntax, and when they fire."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from assay.alerting.rules import rules_text
from assay.report.exposition import exposition
from assay.report.look_metrics import Silenced, look_families
from support.watching import DIGEST, config, look, problem

pytestmark = pytest.mark.heavy
MODEL = 'model="churn"'
ROUTER = f'{MODEL},target="production",envoy_http_conn_manager_prefix="router"'
XX = f'envoy_http_downstream_rq_xx{{{ROUTER},envoy_response_code_class="5"}}'
TOTAL = f"envoy_http_downstream_rq_completed{{{ROUTER}}}"
FAST = f'envoy_http_downstream_rq_time_bucket{{{ROUTER},le="500"}}'
TIMED = f"envoy_http_downstream_rq_time_count{{{ROUTER}}}"
LOOKED = {"series": f"assay_monitor_look_timestamp_seconds{{{MODEL}}}", "values": "0+60x6000"}
TICKS = {
    "series": f'assay_controller_tick_age_seconds{{{MODEL},target="production"}}',
    "values": "1x6000",
}
QUALITY = f'assay_monitor_problem{{{MODEL},kind="quality",subject="f1",severity="block"}}'
COVERAGE = f'assay_monitor_label_coverage{{{MODEL},provisional="false"}}'
SERVING = f'assay_monitor_serving_info{{{MODEL},artifact_digest="{DIGEST}"}}'
SILENCE = f'assay_monitor_silenced_until_timestamp_seconds{{{MODEL},kind="quality",subject="f1"}}'


@pytest.fixture
def promtool() -> str:
    found = shutil.which("promtool")
    assert found, "promtool is not on PATH: apt-get install prometheus"
    return found


def run(promtool: str, *arguments: str, text: str | None = None) -> str:
    done = subprocess.run(
        [promtool, *arguments], input=text, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def try_rules(
    promtool: str, folder: Path, *tests: dict[str, Any], owner: str = "churn team"
) -> None:
    (folder / "rules.yml").write_text(rules_text(config(owner=owner)))
    document = {"rule_files": ["rules.yml"], "evaluation_interval": "1m", "tests": list(tests)}
    (folder / "tests.yml").write_text(yaml.safe_dump(document, sort_keys=False))
    run(promtool, "test", "rules", str(folder / "tests.yml"))


def case(series: list[dict[str, str]], *alerts: dict[str, Any]) -> dict[str, Any]:
    return {
        "interval": "1m",
        "input_series": [LOOKED, TICKS, *series],
        "alert_rule_test": list(alerts),
    }


def constant(series: str, values: str) -> dict[str, str]:
    return {"series": series, "values": values}


def test_promtool_accepts_the_rules(promtool: str, tmp_path: Path) -> None:
    file = tmp_path / "rules.yml"
    file.write_text(rules_text(config(owner='{{ template "x" }} "quoted"')))
    groups = yaml.safe_load(file.read_text())["groups"]
    count = sum(len(group["rules"]) for group in groups)
    assert f"{count} rules found" in run(promtool, "check", "rules", str(file))


def test_promtool_accepts_the_metrics_of_a_look(promtool: str) -> None:
    silence = Silenced(kind="quality", subject='f1"\\', until=1.0)
    text = exposition(look_families(look(problem(subject='f1"\\')), [silence]))
    run(promtool, "check", "metrics", text=text)


def test_a_quality_alert_says_coverage_version_and_rollback(promtool: str, tmp_path: Path) -> None:
    fired = {
        "exp_labels": {
            "severity": "page",
            "model": "churn",
            "kind": "quality",
            "subject": "f1",
        },
        "exp_annotations": {
            "summary": "churn: quality of f1",
            "description": "quality of f1; label coverage: 91%. The look's page says why.",
            "owner": 'team {{ "x" }}',
            "version": DIGEST,
            "runbook_url": "https://example.com/runbooks/churn",
            "rollback": 'assay rollback --model churn --target production --reason "alert"',
        },
    }
    series = [
        constant(QUALITY, "_x9 1x30"),
        constant(COVERAGE, "0.91x60"),
        constant(SERVING, "1x60"),
    ]
    alert = {"eval_time": "15m", "alertname": "AssayQuality", "exp_alerts": [fired]}
    before = {"eval_time": "5m", "alertname": "AssayQuality", "exp_alerts": []}
    try_rules(promtool, tmp_path, case(series, before, alert), owner='team {{ "x" }}')


def test_without_labels_the_alert_still_fires_and_says_so(promtool: str, tmp_path: Path) -> None:
    fired = {
        "exp_labels": {"severity": "page", "model": "churn", "kind": "quality", "subject": "f1"},
        "exp_annotations": {
            "summary": "churn: quality of f1",
            "description": "quality of f1; label coverage: no labels are read. "
            "The look's page says why.",
            "owner": "churn team",
            "version": "unknown",
            "runbook_url": "https://example.com/runbooks/churn",
            "rollback": 'assay rollback --model churn --target production --reason "alert"',
        },
    }
    alert = {"eval_time": "5m", "alertname": "AssayQuality", "exp_alerts": [fired]}
    try_rules(promtool, tmp_path, case([constant(QUALITY, "1x30")], alert))


def page(at: str, name: str, *severities: str) -> dict[str, Any]:
    """Return what is expected at a time: one firing alert of each severity; none: nothing."""
    fired = f'ALERTS{{alertname="{name}",alertstate="firing"}}'
    return {
        "expr": f"count by (severity) ({fired})",
        "eval_time": at,
        "exp_samples": [{"labels": f'{{severity="{one}"}}', "value": 1} for one in severities],
    }


def try_pages(
    promtool: str, folder: Path, steps: list[dict[str, Any]], series: list[dict[str, str]]
) -> None:
    """Hold what fires to ``steps``, by severity alone."""
    test = {"interval": "1m", "input_series": series, "promql_expr_test": steps}
    try_rules(promtool, folder, test)


def test_a_silence_ends_by_itself(promtool: str, tmp_path: Path) -> None:
    series = [LOOKED, TICKS, constant(QUALITY, "1x60"), constant(SILENCE, "1200x60")]
    steps = [page("19m", "AssayQuality"), page("21m", "AssayQuality", "page")]
    try_pages(promtool, tmp_path, steps, series)


def burning(failed: str, slow: str = "0") -> list[dict[str, str]]:
    """Return 100 requests a minute, of which ``failed`` fail and ``slow`` are slow."""
    fast = 100 - int(slow)
    return [
        LOOKED,
        TICKS,
        constant(TOTAL, "0+100x6000"),
        constant(XX, f"0+{failed}x6000"),
        constant(TIMED, "0+100x6000"),
        constant(FAST, f"0+{fast}x6000"),
    ]


def test_an_outage_pages_within_minutes(promtool: str, tmp_path: Path) -> None:
    """2 % of requests fail: at 99.9 % a burn rate of 20."""
    steps = [page("1m", "AssayErrorBudgetBurn"), page("5m", "AssayErrorBudgetBurn", "page")]
    try_pages(promtool, tmp_path, steps, burning("2"))


def test_a_slow_service_pages_by_its_own_promise(promtool: str, tmp_path: Path) -> None:
    """16 % take over 500 ms: at 99 % a burn rate of 16."""
    steps = [page("5m", "AssayLatencyBudgetBurn", "page"), page("5m", "AssayErrorBudgetBurn")]
    try_pages(promtool, tmp_path, steps, burning("0", "16"))


def test_a_service_within_its_promise_tells_nobody(promtool: str, tmp_path: Path) -> None:
    quiet = [
        page("1h", name)
        for name in ("AssayErrorBudgetBurn", "AssayLatencyBudgetBurn", "AssayQuality",
                     "AssayProblem", "AssayMonitorSilent", "AssayControllerSilent")
    ]  # fmt: skip
    try_pages(promtool, tmp_path, quiet, burning("0"))


def test_silence_of_the_monitor_and_the_controller_is_told(promtool: str, tmp_path: Path) -> None:
    stopped = constant(LOOKED["series"], "0x6000")
    steps = [
        page("5m", "AssayControllerSilent", "page"),
        page("1h", "AssayMonitorSilent"),
        page("2h15m", "AssayMonitorSilent", "page"),
    ]
    try_pages(promtool, tmp_path, steps, [stopped])


def test_a_monitor_that_never_looked_is_silent_too(promtool: str, tmp_path: Path) -> None:
    try_pages(promtool, tmp_path, [page("15m", "AssayMonitorSilent", "page")], [TICKS])
