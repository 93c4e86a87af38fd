"""Four models on the same rows: the effects add up, and their intervals are the rows' own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from assay.comparison import Asked
from assay.comparison.attribution import CORNERS, attribute
from assay.config import Gate
from assay.evidence import AttributedEffect, Attribution, Corner

ASKED = Asked(model="churn", gates={"accuracy": Gate(margin=0.01)}, report=())
SCORES = Asked(model="churn", gates={"mean:grade": Gate(margin=0.1)}, report=())


def right(seed: int, rows: int, shares: tuple[float, float, float, float]) -> NDArray[np.bool_]:
    """Whether each corner is right on each row, (rows, 4); neighbours agree on most rows."""
    luck = np.random.default_rng(seed).uniform(size=rows)
    return np.stack([luck < share for share in shares], axis=1)


def files(
    folder: Path, found: NDArray[np.bool_], ids: dict[Corner, slice] | None = None
) -> dict[Corner, Path]:
    made: dict[Corner, Path] = {}
    labels = np.arange(len(found)) % 2
    for place, corner in enumerate(CORNERS):
        guesses = np.where(found[:, place], labels, 1 - labels)
        lines = [f"{i},{labels[i]},{guesses[i]}" for i in range(len(found))]
        lines = lines[(ids or {}).get(corner, slice(None))]
        made[corner] = folder / f"{corner}.csv"
        made[corner].write_text("\n".join(["id,y_true,y_pred", *lines]) + "\n")
    return made


def effects(found: Attribution) -> dict[str, AttributedEffect]:
    return {str(effect.effect): effect for effect in found.effects}


def test_code_and_data_add_up_to_the_total(tmp_path: Path) -> None:
    rows = right(1, 4000, (0.80, 0.83, 0.76, 0.78))
    found = attribute(files(tmp_path, rows), ASKED)
    values = {value.corner: value.value for value in found.values}
    means = dict(zip(CORNERS, rows.mean(axis=0), strict=True))
    assert values == pytest.approx(means)
    by = {name: effect.difference or 0.0 for name, effect in effects(found).items()}
    assert by["code"] + by["data"] == pytest.approx(by["total"])
    assert by["code at base data"] == pytest.approx(means["code-only"] - means["base"])
    assert by["data at head code"] == pytest.approx(means["head"] - means["code-only"])
    assert by["interaction"] == pytest.approx(by["code at head data"] - by["code at base data"])
    assert (found.rows, found.left_out) == (4000, {})


def test_the_intervals_are_those_of_the_rows_own_contrasts(tmp_path: Path) -> None:
    """Smoothing makes the engine's a little wider, at many changed rows by a hair."""
    rows = right(2, 20_000, (0.70, 0.80, 0.65, 0.72)).astype(float)
    found = effects(attribute(files(tmp_path, rows.astype(bool)), ASKED))
    for name, weights in (
        ("code", (-0.5, 0.5, -0.5, 0.5)),
        ("data", (-0.5, -0.5, 0.5, 0.5)),
        ("interaction", (1, -1, -1, 1)),
    ):
        ends = found[name].interval
        assert ends is not None
        half = 1.959964 * float(np.std(rows @ np.array(weights), ddof=1)) / np.sqrt(20_000)
        assert (ends[1] - ends[0]) / 2 == pytest.approx(half, rel=0.03)


def test_scores_are_attributed_too_and_less_can_be_better(tmp_path: Path) -> None:
    generator = np.random.default_rng(3)
    grades = generator.normal(3, 1, size=(500, 1)) + generator.normal(0, 0.2, size=(500, 4))
    made: dict[Corner, Path] = {}
    for place, corner in enumerate(CORNERS):
        lines = [f"{i},{grades[i, place]}" for i in range(500)]
        made[corner] = tmp_path / f"{corner}.csv"
        made[corner].write_text("\n".join(["id,grade", *lines]) + "\n")
    cost = Asked(
        model="churn",
        gates={"mean:grade": Gate(margin=0.1, higher_is_better=False)},
        report=(),
    )
    up, down = effects(attribute(made, SCORES)), effects(attribute(made, cost))
    for name in ("total", "code", "data", "interaction"):
        assert up[name].difference == pytest.approx(-(down[name].difference or 0.0))


def test_rows_that_a_corner_lacks_are_left_out_of_all_and_counted(tmp_path: Path) -> None:
    rows = right(4, 1000, (0.8, 0.8, 0.7, 0.7))
    old, new = slice(0, 800), slice(200, 1000)
    cut = {"base": old, "code-only": old, "data-only": new, "head": new}
    found = attribute(files(tmp_path, rows, cut), ASKED)  # type: ignore[arg-type]
    whole = attribute(files(tmp_path, rows[200:800]), ASKED)
    assert (found.rows, found.left_out) == (600, dict.fromkeys(CORNERS, 200))
    assert found.values == whole.values
    assert found.effects == whole.effects


def test_corners_that_share_no_row_or_have_other_labels_are_not_attributed(
    tmp_path: Path,
) -> None:
    rows = right(5, 100, (0.8, 0.8, 0.7, 0.7))
    made = files(tmp_path, rows)
    text = made["head"].read_text().replace("\n3,1,", "\n3,0,")
    made["head"].write_text(text)
    found = attribute(made, ASKED)
    assert found.not_measured == "1 test rows have another label in one of the four corners"


def test_rows_order_has_no_effect(tmp_path: Path) -> None:
    rows = right(6, 300, (0.8, 0.82, 0.7, 0.75))
    made = files(tmp_path, rows)
    before = attribute(made, ASKED)
    for place, path in enumerate(made.values()):
        head, *lines = path.read_text().splitlines()
        order = np.random.default_rng(place).permutation(len(lines))
        path.write_text("\n".join([head, *(lines[i] for i in order)]) + "\n")
    assert attribute(made, ASKED) == before
