"""Training seeds in the comment: how often, how much of the error, and every value."""

from __future__ import annotations

from assay.evidence import Measurement, Outcome, SeedValues, State, TrainingSeeds
from assay.report.markdown import render
from support.reports import comparison, report, rule, verdict


def rendered(base: tuple[str, ...], head: tuple[str, ...], training: float | None) -> str:
    values = SeedValues(
        base=(0.801, 0.805, 0.803)[: len(base)],
        head=(0.811, 0.815, 0.813)[: len(head)],
        test_error=0.003,
        training_error=training,
    )
    measured = Measurement(metric="accuracy", base=0.803, head=0.813, seeds=values)
    found = comparison(measurements=(measured,), seeds=TrainingSeeds(base=base, head=head))
    rules = (rule("accuracy", State.BETTER, 0.803, 0.813, 0.009),)
    return render(report(verdict(Outcome.PASS, rules), comparison=found))


def test_several_seeds_say_what_share_of_the_error_they_make() -> None:
    markdown = rendered(("1", "2", "3"), ("4", "5", "6"), 0.004)
    assert "**Training noise**: 3 seeds of the base and 3 seeds of the head" in markdown
    assert "Its share of the variance: 64\N{NO-BREAK SPACE}% for `accuracy`." in markdown
    assert "| accuracy | head | 0.81300 | 0.81100, 0.81500, 0.81300 |" in markdown.replace("`", "")


def test_one_seed_on_a_side_is_training_noise_not_measured() -> None:
    markdown = rendered(("1",), ("4", "5", "6"), None)
    assert "**Training noise**: not measured (1 seed of the base and 3 seeds" in markdown
