"""The model card: front matter that a hub reads, numbers with intervals, hostile names harmless."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from markdown_it import MarkdownIt

from assay.evidence import Lineage, tree_digest
from assay.gate.run import Request, run_gate
from assay.github.settings import read_settings
from assay.packaging.build import package
from support.bundles import HEAD_TREE, Made, bundle, put_model
from support.evidence_folders import plan, put_training, rows

HOSTILE = "</td><script>alert(1)</script>| @octo ![](x) ${{ secrets.X }}\n---\nname: evil"


def front_matter(card: str) -> dict[str, Any]:
    _, matter, _ = card.split("---\n", 2)
    found: dict[str, Any] = yaml.safe_load(matter)
    return found


@pytest.fixture(scope="module")
def card(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder, _ = bundle(tmp_path_factory.mktemp("card"))
    return (folder / "README.md").read_text()


def test_the_front_matter_is_a_model_index(card: str) -> None:
    matter = front_matter(card)
    assert matter["library_name"] == "sklearn"
    assert matter["pipeline_tag"] == "tabular-classification"
    (entry,) = matter["model-index"]
    (result,) = entry["results"]
    assert entry["name"] == "churn"
    assert result["task"] == {"type": "tabular-classification"}
    assert set(result["dataset"]) >= {"type", "name"}
    measured = {metric["type"]: metric["value"] for metric in result["metrics"]}
    assert measured == {"accuracy": 1.0, "f1": 1.0, "precision": 1.0, "recall": 1.0}


def test_every_part_stands_in_it(card: str) -> None:
    headings = [line[3:] for line in card.splitlines() if line.startswith("## ")]
    assert headings == ["What it is", "Data", "Metrics", "Slices", "Limits", "Lineage"]
    assert "| `accuracy` | 1.0" in card
    assert "[" in next(line for line in card.splitlines() if line.startswith("| `accuracy`"))
    assert "`depth` | `3`" in card
    assert "`scikit-learn 1.9.1`" in card
    assert "| `age` | `double` |" in card


def test_hostile_names_stay_text(tmp_path: Path) -> None:
    artifact = put_model(tmp_path / "model", signature={"inputs": f'[{{"name": "{"x|<b>`"}"}}]'})
    evidence = tmp_path / "evidence"
    plan().write(evidence)
    put_training(evidence, rows(400), side="base")
    lineage = Lineage(tree=HEAD_TREE, params={HOSTILE: HOSTILE}, dvc={"data:" + HOSTILE: "1"})
    digest = tree_digest(artifact)
    put_training(evidence, rows(400), model_digest=digest, lineage=lineage, command=HOSTILE)
    run_gate(Request(evidence=evidence, publisher="file"), read_settings({}), say=lambda _: None)
    made = Made(evidence, artifact, tmp_path / "bundle")
    package(made.wanted(), lambda _, signature: signature.write_text("{}"))
    text = (made.folder / "README.md").read_text()
    assert front_matter(text)["model-index"][0]["name"] == "churn"
    assert "\nname: evil" not in text
    assert "${{" not in text
    shown = MarkdownIt("commonmark").enable("table").render(text.split("---\n", 2)[2])
    outside_code = re.sub(r"<code>.*?</code>", "", shown, flags=re.DOTALL)
    assert "<script" not in shown
    assert "<img" not in shown
    assert "@octo" not in outside_code
    assert "<b>" not in shown
