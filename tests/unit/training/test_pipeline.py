from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from assay.config import Model
from assay.errors import InputError
from assay.evidence import StageState, Training
from assay.training.lineage import Checkout
from assay.training.pipeline import Job, Tools, collect, train
from support.consumers import Recorder, builder
from support.repositories import Sandbox

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
WRITE = "printf 'id,y\\n1,0\\n' > p.csv"


def model(command: str | None = WRITE, **fields: Any) -> Model:
    train = {"command": command, **fields.pop("train", {})}
    return Model.model_validate(
        {
            "predictions": "p.csv",
            "gates": {"accuracy": {"margin": 0.01}},
            "environment": "none",
            "train": train,
            **fields,
        }
    )


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    made = Sandbox.make(tmp_path / "repository")
    made.commit({"params.yaml": "train: {depth: 3}\n", "test.csv": "id,y\n1,0\n"})
    return made


def run(
    sandbox: Sandbox, model: Model, *, secrets: dict[str, str] | None = None
) -> tuple[Training, Recorder]:
    transcript = Recorder()
    tools = Tools(
        builder=builder(sandbox.root, sandbox.home, secrets),
        transcript=transcript,
        now=lambda: NOW,
    )
    checkout = Checkout(
        root=sandbox.root, folder=sandbox.root, revision=sandbox.repository.resolve("HEAD")
    )
    target = sandbox.home / "evidence" / "churn"
    job = Job(name="churn", model=model, side="head", checkout=checkout, target=target)
    return train(job, tools), transcript


def test_a_run_leaves_predictions_and_lineage(sandbox: Sandbox) -> None:
    command = f"{WRITE}; echo 7 > model.bin; echo '{{\"auc\": 0.5}}' > m.json"
    made, _ = run(
        sandbox,
        model(
            command,
            artifact="model.bin",
            data={"test": "test.csv"},
            scalars={"auc": {"file": "m.json", "key": "auc"}},
            train={"seed": 7},
        ),
    )
    assert made.state is StageState.PASSED
    assert made.cache_hit is False
    assert made.started == "2026-03-04T05:06:07+00:00"
    assert made.predictions is not None
    kept = sandbox.home / "evidence" / "churn" / made.predictions.file
    assert kept.read_text() == "id,y\n1,0\n"
    assert made.scalars == {"auc": 0.5}
    assert made.model_digest
    assert made.test_set_digest
    assert made.lineage.commit == sandbox.git("rev-parse", "HEAD")
    assert made.lineage.tree == sandbox.git("rev-parse", "HEAD^{tree}")
    assert made.lineage.params == {"train.depth": "3"}
    assert made.lineage.seed == 7
    assert made.lineage.python
    assert made.lineage.host


def test_the_seed_reaches_the_command(sandbox: Sandbox) -> None:
    command = f'{WRITE}; test "$ASSAY_SEED $PYTHONHASHSEED" = "7 7"'
    assert run(sandbox, model(command, train={"seed": 7}))[0].state is StageState.PASSED
    unset = f'{WRITE}; test -z "${{ASSAY_SEED:-}}"'
    assert run(sandbox, model(unset))[0].state is StageState.PASSED


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("echo broken >&2; exit 4", "the training command ended with exit code 4: broken"),
        ("false | cat", "exit code 1"),
        ("true", "the pipeline left no p.csv"),
        ("sleep 9", "stopped after"),
        ("mkdir p.csv", "the pipeline left no p.csv"),
    ],
)
def test_a_run_that_fails_says_how(sandbox: Sandbox, command: str, reason: str) -> None:
    made, _ = run(sandbox, model(command, train={"timeout": 1}))
    assert made.state is StageState.FAILED
    assert reason in (made.reason or "")
    assert made.predictions is None


def test_predictions_named_from_the_root_are_told_from_missing_ones(tmp_path: Path) -> None:
    asked = model(path="models/churn", predictions="models/churn/p.csv")
    assert collect(asked, tmp_path, tmp_path)["reason"] == (
        "the pipeline left no models/churn/p.csv in models/churn/ "
        "(predictions: is relative to path:, so write p.csv)"
    )


def test_a_failed_run_leaves_no_predictions_of_an_earlier_one(sandbox: Sandbox) -> None:
    run(sandbox, model())
    kept = sandbox.home / "evidence" / "churn" / "predictions.csv"
    assert kept.exists()
    run(sandbox, model("exit 1"))
    assert not kept.exists()


def test_predictions_that_the_command_did_not_write_are_a_cache_hit(sandbox: Sandbox) -> None:
    run(sandbox, model())
    made, _ = run(sandbox, model("true"))
    assert made.state is StageState.PASSED
    assert made.cache_hit
    assert made.reason == "the command did not write p.csv, which was there before"
    again, _ = run(sandbox, model())
    assert (again.cache_hit, again.reason) == (False, None)


def test_without_anything_to_run_the_configuration_is_wrong(sandbox: Sandbox) -> None:
    with pytest.raises(InputError, match="nothing to run"):
        run(sandbox, model(None))
    with pytest.raises(InputError, match="cannot be read"):
        run(sandbox, model(predictions="p.pkl"))


def test_secrets_stay_out_of_evidence(sandbox: Sandbox) -> None:
    made, _ = run(
        sandbox,
        model('echo "cannot reach $TOKEN" >&2; exit 1'),
        secrets={"TOKEN": "hunter22-and-more"},
    )
    assert "hunter22" not in made.to_json()
    assert "cannot reach ***" in (made.reason or "")
