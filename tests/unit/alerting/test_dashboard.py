"""The committed dashboard names metrics and labels that are written, in queries that parse."""

from __future__ import annotations

import json
import re
from typing import Any

import yaml

from assay.alerting.rules import rules_text
from assay.evidence.monitoring import Retrospect
from assay.report.exposition import exposition
from assay.report.look_metrics import Silenced, look_families
from assay.rollout.controller.metrics import _SINGLE as CONTROLLER
from contract.files import ROOT
from support.watching import config, look, problem

DASHBOARD: dict[str, Any] = json.loads((ROOT / "docs/grafana/assay.json").read_text())
NAME = re.compile(r"\bassay(?:_[a-z_]+|:[a-z_]+:[a-z_0-9]+)\b")
CONTROLLERS = {f"assay_controller_{name}" for name in (*CONTROLLER, "weight", "ready")}


def written() -> dict[str, set[str]]:
    """Return the names that can be scraped, with their labels."""
    silence = Silenced(kind="quality", subject="f1", until=1.0)
    estimated = Retrospect(metric="f1", windows=9, held=8, error=0.01, constant=0.05)
    found = look(problem(), retrospects=(estimated,))
    text = exposition(look_families(found, [silence]))
    found: dict[str, set[str]] = {}
    for name, labels in re.findall(r"^(assay_\w+)\{(.*)\} ", text, re.MULTILINE):
        found.setdefault(name, set()).update(re.findall(r"(\w+)=", labels))
    for name in CONTROLLERS:
        found[name] = {"model", "target", "artifact_digest"}
    for group in yaml.safe_load(rules_text(config()))["groups"]:
        for rule in group["rules"]:
            if "record" in rule:
                found[rule["record"]] = set(rule["labels"])
    return found


def queries() -> list[tuple[str, str]]:
    return [
        (target["expr"], target["legendFormat"])
        for panel in DASHBOARD["panels"]
        for target in panel["targets"]
    ]


def test_every_query_reads_a_metric_that_is_written() -> None:
    known = written()
    for query, _ in queries():
        names = NAME.findall(query)
        assert names, query
        assert set(names) <= set(known), query


def test_every_label_is_one_of_its_metric() -> None:
    known = written()
    for query, legend in queries():
        labels = known[NAME.findall(query)[0]]
        for chosen in re.findall(r"\{([^}]*)\}", query):
            assert set(re.findall(r"(\w+)=", chosen)) <= labels, query
        assert set(re.findall(r"\{\{(\w+)\}\}", legend)) <= labels, (query, legend)


def test_variables_are_filled_from_metrics_that_are_written() -> None:
    known = written()
    for variable in DASHBOARD["templating"]["list"]:
        if variable["type"] == "query":
            assert set(NAME.findall(variable["definition"])) <= set(known)


def test_panels_have_ids_of_their_own_and_do_not_overlap() -> None:
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24
