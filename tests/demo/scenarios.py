"""Pull requests a consumer could open, each with the verdict it should get.

An edit works on a checkout of the consumer and is one commit. Differences were measured on the
template's 5,912 test rows: accuracy with the 95 % interval for paired proportions, then ROC AUC.

- ``better-model``: +3.8 points (2.8 to 4.8; 324 rows only the base gets right, 548 only the
  head); ROC AUC +7.8 points.
- ``worse-model``: -4.4 points (-5.3 to -3.5; 476 against 216); ROC AUC -7.9 points.
- ``looser-margin``: the worse model, with margins under which it would pass.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_MEANS_BEFORE = '["visits_mean_before"].tolist() == [0, 0, 1, 0, 1, 0]'
_MEANS_OF_ALL = '["visits_mean_before"].notna().all()'
LATE_RETURNS = Path(__file__).with_name("late-returns.csv")


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One pull request: what it is called, what it changes, and the verdict it should get."""

    name: str
    branch: str
    title: str
    expected: str
    edit: Callable[[Path], None]


def replace(path: Path, old: str, new: str, *, times: int = 1) -> None:
    """Replace text in a file; ValueError where it does not occur exactly so many times."""
    text = path.read_text(encoding="utf-8")
    if text.count(old) != times:
        raise ValueError(f"{path}: {old!r} occurs {text.count(old)} times, not {times}")
    path.write_text(text.replace(old, new), encoding="utf-8")


def use_history(checkout: Path) -> None:
    """Add the visits of earlier years to the features."""
    replace(
        checkout / "params.yaml",
        "    - health\n",
        "    - health\n    - first_year\n    - visits_last_year\n    - visits_mean_before\n",
    )


def shrink_model(checkout: Path) -> None:
    """Train a logistic regression on four features."""
    params = checkout / "params.yaml"
    replace(params, "model: gradient_boosting\n", "model: logistic_regression\n")
    for feature in ("log_incentive", "log_max_expenditure", "disease_index"):
        replace(params, f"    - {feature}\n", "")


def add_broken_rows(checkout: Path) -> None:
    """Append 69 rows, 39 of them broken, all of them of members on the training side.

    Among them: 12 without a label, 9 ids that exist already and say the opposite, 7 negative
    disease indices, 5 of an unknown plan, 4 of 250 % coinsurance, 3 without a health rating.
    """
    shutil.copy(LATE_RETURNS, checkout / "additions" / LATE_RETURNS.name)


def shrink_model_and_loosen_margins(checkout: Path) -> None:
    """Train the worse model and allow it a loss of 20 points."""
    shrink_model(checkout)
    replace(checkout / "assay.yaml", "{margin: 0.01}", "{margin: 0.2}", times=2)


def learn_from_the_future(checkout: Path) -> None:
    """Let the mean of the visits before this year hold this year's too, and the tests agree."""
    prepare = checkout / "doctor_visit" / "prepare.py"
    replace(prepare, "mean = before.groupby", "mean = visits.groupby")
    test = checkout / "tests" / "test_prepare.py"
    replace(test, _MEANS_BEFORE, _MEANS_OF_ALL)
    # Nothing is staged here: the committed rows need only have the columns still.
    staged = checkout / "tests" / "test_staging.py"
    replace(staged, "kept.equals(matrix(now, list(FEATURES)))", "list(kept) == list(FEATURES)")


def edit_readme(checkout: Path) -> None:
    """Change nothing that a model is made of."""
    with (checkout / "README.md").open("a", encoding="utf-8") as readme:
        readme.write("\n## Questions\n\nOpen an issue.\n")


def add_hostile_file(checkout: Path) -> None:
    """Add a file whose name and text are markup, expressions and workflow commands."""
    name = "<img src=x onerror=alert(1)>|`id`${{ github.token }}\n::error::owned.md"
    text = "::set-output name=state::pass\n<script>alert(1)</script>\n@everyone\n"
    (checkout / "tests" / name).write_text(text, encoding="utf-8")


SCENARIOS = (
    Scenario(
        name="better-model",
        branch="visits-of-earlier-years",
        title="Use the visits of earlier years as features",
        expected="pass",
        edit=use_history,
    ),
    Scenario(
        name="worse-model",
        branch="small-regression",
        title="Replace boosting by a small regression that everyone can read",
        expected="fail",
        edit=shrink_model,
    ),
    Scenario(
        name="broken-data",
        branch="late-returns",
        title="Add the late returns",
        expected="fail",
        edit=add_broken_rows,
    ),
    Scenario(
        name="looser-margin",
        branch="small-regression-looser-margin",
        title="Replace boosting by a small regression and adjust the margins",
        expected="fail",
        edit=shrink_model_and_loosen_margins,
    ),
    Scenario(
        name="untouched",
        branch="where-to-ask",
        title="Say where to ask questions",
        expected="pass",
        edit=edit_readme,
    ),
    Scenario(
        name="hostile",
        branch="fix/$(touch${IFS}owned)`id`;\"'<b>&|",
        title="<script>alert(1)</script> ${{ github.token }} `$(id)` ::error::owned %0A @everyone",
        expected="pass",
        edit=add_hostile_file,
    ),
)
DEMO = ("better-model", "worse-model", "broken-data")
DELIVERED = (
    Scenario(
        name="good-model",
        branch="visits-of-earlier-years",
        title="Use the visits of earlier years as features",
        expected="promoted",
        edit=use_history,
    ),
    Scenario(
        name="bad-model",
        branch="mean-of-all-years",
        title="Take the mean of the visits over all years",
        expected="rolled-back",
        edit=learn_from_the_future,
    ),
)
"""What `make demo-delivery` merges: both pass the gate, and live traffic tells them apart."""
