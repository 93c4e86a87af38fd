"""Five situations a reviewer meets, as evidence folders that the real gate judges.

Predictions are counted out rather than drawn: each slice has so many rows of each outcome, so a
file is the same everywhere and its numbers can be checked by hand.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from assay.config import Comment, Gate, Model, Slice
from assay.evidence import (
    BaseSource,
    Change,
    DataReport,
    Dataset,
    Event,
    Lineage,
    ModelPlan,
    Plan,
    Prediction,
    Revision,
    StageState,
    TestRun,
    Training,
    file_digest,
)
from assay.gate.run import Request, run_gate
from assay.github.settings import read_settings

MODEL = "churn"
HEAD, BASE = "4f1d2c" + "a" * 34, "9b8e7d" + "b" * 34


@dataclass(frozen=True, kw_only=True)
class Block:
    """The rows of one slice: how many each outcome has, alike for either label."""

    region: str
    plan: str
    both_right: int
    base_only: int
    head_only: int
    neither: int

    def outcomes(self) -> Iterator[tuple[bool, bool]]:
        """Whether base and head are right, row by row."""
        yield from [(True, True)] * self.both_right
        yield from [(True, False)] * self.base_only
        yield from [(False, True)] * self.head_only
        yield from [(False, False)] * self.neither


CLEAR_WIN = (
    Block(region="north", plan="basic", both_right=780, base_only=16, head_only=58, neither=146),
    Block(region="north", plan="full", both_right=790, base_only=20, head_only=46, neither=144),
    Block(region="south", plan="basic", both_right=770, base_only=20, head_only=60, neither=150),
    Block(region="south", plan="full", both_right=784, base_only=24, head_only=56, neither=136),
)
CLEAR_LOSS = (
    Block(region="north", plan="basic", both_right=760, base_only=54, head_only=18, neither=168),
    Block(region="north", plan="full", both_right=774, base_only=44, head_only=20, neither=162),
    Block(region="south", plan="basic", both_right=756, base_only=56, head_only=14, neither=174),
    Block(region="south", plan="full", both_right=768, base_only=50, head_only=22, neither=160),
)
SMALL_TEST_SET = (
    Block(region="north", plan="basic", both_right=60, base_only=4, head_only=2, neither=10),
    Block(region="north", plan="full", both_right=62, base_only=2, head_only=4, neither=8),
    Block(region="south", plan="basic", both_right=58, base_only=4, head_only=2, neither=10),
    Block(region="south", plan="full", both_right=60, base_only=2, head_only=2, neither=10),
)
HIDDEN_SLICE = (
    Block(region="north", plan="basic", both_right=1340, base_only=20, head_only=40, neither=200),
    Block(region="north", plan="full", both_right=1350, base_only=20, head_only=38, neither=192),
    Block(region="south", plan="basic", both_right=1120, base_only=18, head_only=30, neither=172),
    Block(region="west", plan="full", both_right=380, base_only=64, head_only=10, neither=46),
)


def write_predictions(path: Path, blocks: tuple[Block, ...], *, side: int) -> None:
    """Write one side's predictions, with probabilities that agree with them."""
    draw = random.Random(20)
    lines = ["id,y_true,y_pred,y_score,region,plan"]
    for block in blocks:
        for number, right in enumerate(block.outcomes()):
            label = number % 2
            predicted = label if right[side] else 1 - label
            # The same two draws a row on both sides: where both agree, so do their scores.
            sure, doubt = 0.5 + 0.45 * draw.random(), 0.5 + 0.2 * draw.random()
            certain = sure if right[side] else doubt
            score = certain if predicted else 1 - certain
            name = f"{block.region[0]}{block.plan[0]}-{number:04}"
            lines.append(f"{name},{label},{predicted},{score:.4f},{block.region},{block.plan}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def rules() -> Model:
    """Gates on accuracy and ROC AUC, and two slice columns."""
    return Model(
        predictions="predictions.csv",
        gates={"accuracy": Gate(margin=0.01), "roc_auc": Gate(margin=0.01)},
        slices=(Slice(column="region"), Slice(column="plan")),
    )


def plan() -> Plan:
    """A pull request that changes one parameter of one model."""
    return Plan(
        event=Event(
            name="pull_request",
            repository="octo/churn",
            number=7,
            title="Use a smaller learning rate",
            author="octo",
            head_repository="octo/churn",
            head_branch="smaller-rate",
            base_branch="main",
            head_sha=HEAD,
        ),
        head=Revision(commit=HEAD, tree="1" * 40),
        base=Revision(commit=BASE, tree="2" * 40),
        config_file="assay.yaml",
        config_rules_from="base",
        comment=Comment(),
        change=Change(files=2, code=("churn/train.py",), params=("params.yaml",)),
        models=(
            ModelPlan(
                name=MODEL,
                path=".",
                touched=True,
                reason="params.yaml changes",
                rules_from="base",
                rules=rules(),
            ),
        ),
    )


def put(folder: Path, blocks: tuple[Block, ...]) -> Path:
    """Write an evidence folder as the jobs before the gate leave it."""
    plan().write(folder)
    own = folder / MODEL
    for side, place in enumerate((own / "base", own)):
        place.mkdir(parents=True, exist_ok=True)
        file = place / "predictions.csv"
        write_predictions(file, blocks, side=side)
        _training(file, is_base=side == 0).write(place)
    rows = sum(len([*block.outcomes()]) for block in blocks)
    TestRun(
        model=MODEL, state=StageState.PASSED, command="python -m pytest", passed=23, seconds=6.4
    ).write(own)
    DataReport(
        model=MODEL,
        state=StageState.PASSED,
        datasets=(
            Dataset(name="train", file="train.parquet", rows=4 * rows, columns=9, sha256="a" * 64),
            Dataset(name="test", file="test.parquet", rows=rows, columns=9, sha256="b" * 64),
        ),
        checks=("duplicates", "drift", "label-unseen", "missing"),
        schema_source="inferred",
        seconds=0.6,
    ).write(own)
    return folder


def _training(file: Path, *, is_base: bool) -> Training:
    return Training(
        model=MODEL,
        side="base" if is_base else "head",
        state=StageState.PASSED,
        command="dvc repro",
        cache_hit=is_base,
        seconds=2.4 if is_base else 31.7,
        started="2026-11-20T09:12:44Z",
        source=BaseSource.DVC_OUTPUTS if is_base else None,
        source_detail="predictions.csv of stage evaluate in the base's dvc.lock"
        if is_base
        else None,
        source_age_seconds=11_400.0 if is_base else None,
        lineage=Lineage(
            commit=BASE if is_base else HEAD,
            tree=("2" if is_base else "1") * 40,
            params={"train.learning_rate": "0.1" if is_base else "0.05"},
            python="3.11.7",
            seed=20,
        ),
        predictions=Prediction(file=file.name, sha256=file_digest(file), bytes=file.stat().st_size),
        model_digest=("1f" if is_base else "2f") * 32,
        test_set_digest="3f" * 32,
    )


def missing_base(folder: Path) -> Path:
    """The clear win, but no way led to the base's predictions."""
    put(folder, CLEAR_WIN)
    place = folder / MODEL / "base"
    (place / "predictions.csv").unlink()
    Training(
        model=MODEL,
        side="base",
        state=StageState.NOT_MEASURED,
        source=BaseSource.NONE,
        tried=(
            "stored outputs: dvc pull found no credentials for the remote 'storage'",
            "earlier evidence: none was found for the base's tree",
            "running it again: the training command ended with exit code 1",
        ),
        lineage=Lineage(commit=BASE, tree="2" * 40),
    ).write(place)
    return folder


SITUATIONS: dict[str, Callable[[Path], Path]] = {
    "clear-win": lambda folder: put(folder, CLEAR_WIN),
    "clear-loss": lambda folder: put(folder, CLEAR_LOSS),
    "small-test-set": lambda folder: put(folder, SMALL_TEST_SET),
    "hidden-slice": lambda folder: put(folder, HIDDEN_SLICE),
    "missing-base": missing_base,
}


def judged(name: str, folder: Path) -> Path:
    """Let the gate judge a situation; return its evidence folder with the report in it."""
    evidence = SITUATIONS[name](folder)
    run_gate(Request(evidence=evidence, publisher="file"), read_settings({}), say=lambda _: None)
    return evidence
