"""Prometheus on what a replay found: its rules by promtool, and a real server that scrapes."""

from __future__ import annotations

import http.client
import json
import shutil
import subprocess
import time
import urllib.parse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from assay.evidence import Look
from assay.evidence.monitoring import ProblemKind
from assay.report.look_metrics import look_families, seconds
from demo.detection import first_of, moment
from demo.month import START

SHOWN = ("assay_monitor_look_timestamp_seconds", "assay_monitor_problem")
PATIENCE = 60.0
"""Seconds that a server here may take to start, or to have scraped."""
_LATER = 30
"""Hours for which nobody looks any more, at the end."""


class NotThereError(Exception):
    """A program did not start, or did not show what it should; the message holds its log."""


def missing() -> str | None:
    """Say which of Prometheus's programs this machine has not; None: it has both."""
    absent = [name for name in ("promtool", "prometheus") if shutil.which(name) is None]
    return f"{' and '.join(absent)}: not on PATH (apt-get install prometheus)" if absent else None


def series(looks: Sequence[Look]) -> list[dict[str, str]]:
    """What a scraper sees each hour of the replay, as promtool's ``input_series``.

    The exporter shows the last look until there is another one. Time begins with the replay.
    """
    taken = [round((moment(look) - START) / timedelta(hours=1)) for look in looks]
    hours = taken[-1] + _LATER + 1
    found: dict[str, list[str]] = {}
    for look, begin, end in zip(looks, taken, [*taken[1:], hours], strict=True):
        for name, value in _gauges(look):
            values = found.setdefault(name, ["_"] * hours)
            values[begin:end] = [f"{value:.10g}"] * (end - begin)
    return [{"series": name, "values": " ".join(values)} for name, values in found.items()]


def _gauges(look: Look) -> Iterator[tuple[str, float]]:
    for family in look_families(look):
        for labels, value in family.samples if family.name in SHOWN else ():
            named = ",".join(f"{key}={json.dumps(text)}" for key, text in labels.items())
            since = seconds(START.isoformat()) if family.name.endswith("timestamp_seconds") else 0
            yield f"{family.name}{{{named}}}", (value or 0) - since


def timing(rules: str, looks: Sequence[Look], kind: ProblemKind) -> dict[str, Any]:
    """Promtool's test: the alert fires with the first look that finds it, and not an hour before.

    When looks end, that nobody looks is told after twice ``alerts.look_every``.
    """
    name = "AssayQuality" if kind is ProblemKind.QUALITY else "AssayProblem"
    severity = "page" if kind is ProblemKind.QUALITY else "ticket"
    first, last = first_of(looks, kind), moment(looks[-1])
    steps = [
        _fires("AssayMonitorSilent", last + timedelta(hours=24)),
        _fires("AssayMonitorSilent", last + timedelta(hours=26), "page"),
    ]
    if first is not None:
        at = moment(first)
        steps += [_fires(name, at - timedelta(hours=1)), _fires(name, at, severity)]
    if kind is not ProblemKind.QUALITY:
        steps.append(_fires("AssayQuality", last))
    test = {"interval": "1h", "input_series": series(looks), "promql_expr_test": steps}
    return {"rule_files": [rules], "evaluation_interval": "1h", "tests": [test]}


def _fires(name: str, at: datetime, severity: str | None = None) -> dict[str, Any]:
    hour = round((at - START) / timedelta(hours=1))
    fired = f'ALERTS{{alertname="{name}",alertstate="firing"}}'
    sample = [{"labels": f'{{severity="{severity}"}}', "value": 1}] if severity else []
    return {
        "expr": f"group by (severity) ({fired})",
        "eval_time": f"{hour}h",
        "exp_samples": sample,
    }


def promtool(*arguments: str) -> str:
    """Run promtool; NotThereError with what it printed where it does not agree."""
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NotThereError(f"promtool {' '.join(arguments)}: {done.stdout}{done.stderr}")
    return done.stdout.strip()


def try_timing(folder: Path, rules: Path, looks: Sequence[Look], kind: ProblemKind) -> str:
    """Hold the rules to a world's looks."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{kind.value}.yml"
    file.write_text(yaml.safe_dump(timing(str(rules), looks, kind), sort_keys=False))
    return promtool("test", "rules", str(file))


@dataclass(frozen=True)
class Prometheus:
    """A server on 127.0.0.1 that scrapes."""

    port: int

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The samples of an instant query."""
        words = urllib.parse.urlencode({"query": expression})
        status, body = _get(self.port, f"/api/v1/query?{words}")
        if status != http.HTTPStatus.OK:
            raise NotThereError(f"Prometheus answers {status} to {expression}: {body!r}")
        found: list[dict[str, Any]] = json.loads(body)["data"]["result"]
        return found

    def wait_for(self, expression: str) -> list[dict[str, Any]]:
        """Ask until there is a sample; NotThereError where there is none in a minute."""
        late = time.monotonic() + PATIENCE
        while time.monotonic() < late:
            found = self.query(expression)
            if found:
                return found
            time.sleep(0.5)
        raise NotThereError(f"Prometheus has no sample of {expression}")


@contextmanager
def prometheus(folder: Path, rules: Path, *, exporter: int, port: int) -> Iterator[Prometheus]:
    """Run a Prometheus on 127.0.0.1 that scrapes an exporter there each second; end it after."""
    folder.mkdir(parents=True)
    target = {"targets": [f"127.0.0.1:{exporter}"], "labels": {"target": "production"}}
    job = {"job_name": "assay-controller", "static_configs": [target]}
    every = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config = {"global": every, "rule_files": [str(rules)], "scrape_configs": [job]}
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    log = folder / "prometheus.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [
                "prometheus", f"--config.file={folder}/prometheus.yml",
                f"--storage.tsdb.path={folder}/data", f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        _wait_until_ready(port, process, log)
        yield Prometheus(port)
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_ready(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    late = time.monotonic() + PATIENCE
    while time.monotonic() < late and process.poll() is None:
        try:
            if _get(port, "/-/ready")[0] == http.HTTPStatus.OK:
                return
        except OSError:
            time.sleep(0.2)
    raise NotThereError(f"Prometheus did not start: {log.read_text()}")


def _get(port: int, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()
