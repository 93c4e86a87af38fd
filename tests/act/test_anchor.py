"""A pull request that changes code and data, of a consumer with a release to be compared with."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import StartGated
from .gating import assay, document, evidence, gate_job, models

pytestmark = [pytest.mark.act, pytest.mark.timeout(900)]

RULES = """\
    anchor: {ref: latest-release}
    attribution: true
"""
TRAINING = """\
import csv
from pathlib import Path

SHIFT = 0
skill = int(Path("data/skill.txt").read_text()) + SHIFT
with Path("predictions.csv").open("w", newline="") as file:
    rows = csv.writer(file)
    rows.writerow(["id", "y_true", "y_pred"])
    for number in range(1000):
        label = number % 2
        rows.writerow([number, label, label if (number * 7) % 1000 < skill else 1 - label])
"""


def test_a_release_and_the_two_causes_of_a_change_stand_in_the_comment(
    start_gated: StartGated, tmp_path: Path
) -> None:
    toy = (Path(__file__).with_name("gated") / "assay.yaml").read_text()
    rules = toy.replace("    gates:\n", f"{RULES}    gates:\n").replace(
        'paths: ["*.py", "*.txt", assay.yaml]', 'paths: ["**"]'
    )
    gated = start_gated({"assay.yaml": rules, "train.py": TRAINING, "data/skill.txt": "850\n"})
    git = gated.consumer.git
    git("tag", "v1.0.0")
    gated.consumer.commit({"data/skill.txt": "800\n"})
    gated.harness.fetch()
    pull = gated.propose(
        "both",
        {"train.py": TRAINING.replace("SHIFT = 0", "SHIFT = 30"), "data/skill.txt": "780\n"},
        title="New code on new data",
    )
    run = gated.gate(pull)
    assert models(run)["toy"].result == "success", models(run)["toy"].log
    verdict = document(run, "verdict.json")
    (against,) = verdict["anchored"]
    assert (against["anchor"], against["base"], against["head"]) == ("v1.0.0", 0.85, 0.81)
    assert (against["state"], against["severity"]) == ("worse", "warn")
    assert gate_job(run).result == "success", gate_job(run).log
    found = document(run, "toy/attribution.json")
    effects = {one["effect"]: one["difference"] for one in found["effects"]}
    assert effects["total"] == pytest.approx(0.01)
    assert effects["code"] == pytest.approx(0.03)
    assert effects["data"] == pytest.approx(-0.02)
    body = gated.comment(pull).body
    assert "**Against v1.0.0**" in body
    assert "How much came from code and data" in body
    folder = evidence(run, tmp_path / "evidence")
    assert (folder / "toy" / "anchor" / "predictions.csv").is_file()
    replayed = assay("verify", "--replay", str(folder), cwd=tmp_path)
    assert replayed.returncode == 0, replayed.stdout + replayed.stderr
