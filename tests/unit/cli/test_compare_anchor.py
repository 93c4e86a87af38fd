"""``assay compare --anchor``: a third file, that losses add up against."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner, Result

from assay.cli.compare import compare
from assay.errors import InputError
from assay.gate.verify import verify


def put(folder: Path, name: str, wrong: int) -> str:
    lines = [f"{i},{i % 2},{i % 2 if i >= wrong else 1 - i % 2}" for i in range(20_000)]
    path = folder / name
    path.write_text("\n".join(["id,y_true,y_pred", *lines]) + "\n")
    return str(path)


def run(folder: Path, *more: str) -> Result:
    files = (put(folder, "base.csv", 2720), put(folder, "head.csv", 2800))
    anchor = put(folder, "v1.csv", 2000)
    return CliRunner().invoke(compare, [*files, "--anchor", anchor, *more], catch_exceptions=False)


def test_what_passes_against_the_base_and_fails_against_the_anchor_warns(tmp_path: Path) -> None:
    done = run(tmp_path, "--margin", "accuracy=0.01")
    assert done.exit_code == 0
    said = " ".join(done.output.split())
    assert "accuracy is worse than at v1.csv: 0.9000 to 0.8600" in said
    assert "accuracy: Each step was within the margin; together they are not." in said
    assert "warn: Accuracy is no worse, but" in said


def test_the_anchors_comparison_is_kept_apart_and_its_digests_hold(tmp_path: Path) -> None:
    folder = tmp_path / "evidence"
    done = run(tmp_path, "--margin", "accuracy=0.01", "--json", "--evidence", str(folder))
    (printed,) = json.loads(done.output)
    (rule,) = printed["verdict"]["anchored"]
    assert (rule["against"], rule["anchor"], rule["state"]) == ("anchor", "v1.csv", "worse")
    kept = json.loads((folder / "anchor" / "comparison.json").read_text())
    assert set(kept["inputs"]) == {"../../v1.csv", "../../head.csv"}
    assert "anchor/comparison.json" in printed["verdict"]["inputs"]
    verify(folder)


def test_an_anchor_needs_margins_to_be_judged_by(tmp_path: Path) -> None:
    done = run(tmp_path)
    assert done.exit_code == 2
    assert "--margin METRIC=VALUE" in done.output


def test_an_anchor_that_is_not_there_is_an_error_that_names_it(tmp_path: Path) -> None:
    files = [put(tmp_path, "base.csv", 10), put(tmp_path, "head.csv", 10)]
    arguments = [*files, "--margin", "accuracy=0.01", "--anchor", str(tmp_path / "none.csv")]
    done = CliRunner().invoke(compare, arguments)
    assert isinstance(done.exception, InputError)
    assert "none.csv" in str(done.exception)
