from __future__ import annotations

import pytest

from assay.config import Config, parse_config
from assay.evidence import Event, ModelPlan, Plan
from assay.git import Revision
from assay.training.dvc_lock import parse_lock
from assay.training.plan import Ends, make_plan

HEAD = Revision(commit="a" * 40, tree="b" * 40)
BASE = Revision(commit="c" * 40, tree="d" * 40)

ONE = """\
version: 1
models:
  churn:
    predictions: predictions.csv
    gates: {accuracy: {margin: 0.01}}
"""
LOOSE = ONE.replace("0.01", "0.5")
TWO = """\
version: 1
models:
  churn:
    path: models/churn
    predictions: predictions.csv
    gates: {accuracy: {margin: 0.01}}
  fraud:
    path: models/fraud
    predictions: predictions.csv
    environment: {requirements: train.txt}
    gates: {accuracy: {margin: 0.01}}
"""


def planned(
    head: str,
    base: str | None,
    *changed: str,
    base_revision: Revision | None = BASE,
    config_file: str = "assay.yaml",
) -> Plan:
    why = None if base_revision else "it was cut off"
    return make_plan(
        Event(),
        Ends(head=HEAD, base=base_revision, why_no_base=why),
        config_file=config_file,
        head_config=parse_config(head),
        base_config_text=base,
        changed_paths=changed,
    )


def model(plan: Plan, name: str) -> ModelPlan:
    return next(found for found in plan.models if found.name == name)


def touched(plan: Plan) -> set[str]:
    return {found.name for found in plan.models if found.touched}


def test_a_change_touches_the_model_it_lies_under() -> None:
    plan = planned(TWO, TWO, "models/fraud/train.py", "README.md")
    assert touched(plan) == {"fraud"}
    assert model(plan, "fraud").reason == "models/fraud/train.py changes"
    assert model(plan, "churn").reason == "nothing under its paths changes"
    assert plan.config_rules_from == "base"


def test_a_model_at_the_root_is_touched_by_everything() -> None:
    assert touched(planned(ONE, ONE, "requirements.txt")) == {"churn"}
    assert touched(planned(ONE, ONE)) == set()


def test_a_shared_environment_file_touches_the_models_that_look_for_it() -> None:
    assert touched(planned(TWO, TWO, "requirements.txt")) == {"churn"}
    assert touched(planned(TWO, TWO, "models/fraud/train.txt")) == {"fraud"}


def test_the_rules_are_the_bases_and_the_heads_are_shown_beside_them() -> None:
    found = model(planned(LOOSE, ONE, "assay.yaml"), "churn")
    assert found.rules.gates["accuracy"].margin == 0.01
    assert found.proposed is not None
    assert found.proposed.gates["accuracy"].margin == 0.5
    assert found.rules_from == "base"
    assert found.reason == "its section of the configuration changes"


def test_a_changed_section_touches_its_model_alone() -> None:
    head = TWO.replace("margin: 0.01", "margin: 0.5", 1)
    assert touched(planned(head, TWO, "assay.yaml")) == {"churn"}


def test_a_change_cannot_hide_by_narrowing_its_own_paths() -> None:
    base = ONE.replace("predictions:", "paths: [src/**]\n    predictions:")
    head = ONE.replace("predictions:", "paths: [elsewhere/**]\n    predictions:")
    assert touched(planned(head, base, "assay.yaml", "src/a.py")) == {"churn"}


def test_a_new_model_is_judged_by_its_own_rules_and_marked() -> None:
    base = TWO[: TWO.index("  fraud:")]
    found = model(planned(TWO, base, "assay.yaml"), "fraud")
    assert (found.touched, found.rules_from, found.proposed) == (True, "head", None)
    assert "new, the base has no such model" in found.reason


def test_a_renamed_model_keeps_the_rules_it_had() -> None:
    plan = planned(LOOSE.replace("churn:", "churn2:"), ONE, "assay.yaml")
    assert [found.name for found in plan.models] == ["churn2"]
    found = model(plan, "churn2")
    assert found.rules.gates["accuracy"].margin == 0.01
    assert found.rules_from == "base"
    assert found.reason.startswith("renamed from churn")


def test_a_removed_model_is_noted_and_does_not_run() -> None:
    plan = planned(TWO[: TWO.index("  fraud:")], TWO, "assay.yaml")
    found = model(plan, "fraud")
    assert not found.touched
    assert found.reason.startswith("removed")


@pytest.mark.parametrize(
    ("base_text", "why"),
    [(None, "the base has no assay.yaml"), ("version: 2\n", "assay.yaml at the base is invalid")],
)
def test_without_the_bases_configuration_the_heads_judges_and_says_why(
    base_text: str | None, why: str
) -> None:
    plan = planned(ONE, base_text)
    assert plan.config_rules_from == "head"
    assert touched(plan) == {"churn"}
    assert why in model(plan, "churn").reason


def test_without_a_base_everything_runs() -> None:
    plan = planned(TWO, None, base_revision=None)
    assert touched(plan) == {"churn", "fraud"}
    assert plan.base is None
    assert plan.why_no_base == "it was cut off"
    assert "it was cut off" in model(plan, "churn").reason


def test_paths_count_from_the_folder_of_the_configuration() -> None:
    plan = planned(TWO, TWO, "ml/models/churn/a.py", config_file="ml/assay.yaml")
    assert model(plan, "churn").path == "ml/models/churn"
    assert touched(plan) == {"churn"}
    root = planned(ONE, ONE, "web/a.ts", config_file="ml/assay.yaml")
    assert model(root, "churn").path == "ml"
    assert touched(root) == set()


def test_the_change_is_sorted_by_kind() -> None:
    config = ONE.replace("gates:", "data: {train: rows/train.csv}\n    gates:")
    plan = planned(
        config, config,
        "assay.yaml", "data.schema.yaml", ".github/workflows/assay.yml", "data/raw.csv.dvc",
        "rows/train.csv", "params.yaml", "src/train.py", "README.md", "-rf", "dvc.lock",
    )  # fmt: skip
    change = plan.change
    assert change.files == 10
    assert change.config == ("assay.yaml", "data.schema.yaml")
    assert change.workflows == (".github/workflows/assay.yml",)
    assert change.data == ("data/raw.csv.dvc", "rows/train.csv")
    assert change.params == ("params.yaml",)
    assert change.code == ("-rf", "src/train.py")


def test_a_lock_is_named_by_the_data_that_differs() -> None:
    def lock(digest: str) -> str:
        return (
            "stages: {prepare: {cmd: x, outs: [{path: data/train.csv, md5: "
            f"{digest}}}, {{path: model.bin, md5: {digest}}}]}}}}"
        )

    config: Config = parse_config(ONE)
    plan = make_plan(
        Event(),
        Ends(head=HEAD, base=BASE),
        config_file="assay.yaml",
        head_config=config,
        base_config_text=ONE,
        changed_paths=["dvc.lock"],
        locks={"dvc.lock": (parse_lock(lock("a")), parse_lock(lock("b")))},
    )
    assert plan.change.data == ("data/train.csv",)


def test_the_same_input_makes_the_same_bytes() -> None:
    assert planned(TWO, ONE, "b", "a").to_json() == planned(TWO, ONE, "b", "a").to_json()


def test_where_every_model_is_asked_for_none_is_left_out() -> None:
    plan = make_plan(
        Event(),
        Ends(head=HEAD, base=BASE, every=True),
        config_file="assay.yaml",
        head_config=parse_config(TWO),
        base_config_text=TWO,
        changed_paths=["README.md"],
    )
    assert [model.touched for model in plan.models] == [True, True]
    assert {model.reason for model in plan.models} == {"every model is asked for"}
