"""What a retraining hands over: its outputs in the DVC remote, and the new ``dvc.lock``."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from assay.errors import InputError, Location, OutsideError

if TYPE_CHECKING:
    from assay.cli.consumer import Consumer
    from assay.evidence import Training


def prepare(consumer: Consumer, model: str | None, patch: Path) -> None:
    """Remove an earlier patch, and refuse before the training what could not be handed over.

    Raises InputError for a model with a selection, and where there is no DVC remote.
    """
    from assay.cli.consumer import chosen_model
    from assay.training import dvc

    shutil.rmtree(patch, ignore_errors=True)
    _, chosen = chosen_model(consumer.config, model)
    if chosen.train.selection is not None:
        raise InputError(
            "a retraining proposes dvc.lock alone, and a selection changes parameters as well.",
            where=Location(file="assay.yaml"),
            remedy="Search in a pull request of its own, and commit the parameters it chose.",
        )
    repo = dvc.find_repo(consumer.folder(chosen), consumer.repository.root)
    if repo is None or repo.remote is None:
        raise InputError(
            "there is no DVC remote, so nobody could fetch the retrained model.",
            where=Location(file=".dvc/config"),
            remedy="Name one: dvc remote add --default NAME URL.",
        )


def hand_over(consumer: Consumer, model: str | None, made: Training, patch: Path) -> None:
    """Push, and only then put ``dvc.lock`` into ``patch``, under its path in the repository.

    What failed hands nothing over. Raises InputError where there is no dvc.lock, and OutsideError
    where the push fails: a dvc.lock must not name what nobody can fetch.
    """
    from assay.cli.consumer import chosen_model
    from assay.evidence import StageState
    from assay.training import dvc

    if made.state is not StageState.PASSED:
        return
    _, chosen = chosen_model(consumer.config, model)
    folder = consumer.folder(chosen)
    lock = folder / "dvc.lock"
    if not lock.is_file() or lock.is_symlink():
        raise InputError(
            "the pipeline left no dvc.lock, and that is what a retraining proposes.",
            where=Location(file=lock.relative_to(consumer.repository.root).as_posix()),
            remedy="Run the pipeline by DVC (`dvc repro`), with its outputs in dvc.yaml.",
        )
    tools = consumer.tools
    environment = tools.builder.build(chosen, folder, tools.transcript)
    environment = tools.builder.with_dvc(environment, tools.transcript)
    failed = dvc.push(environment, folder, tools.transcript)
    if failed:
        raise OutsideError(f"{failed}.", remedy="Give credentials that may write: dvc-credentials.")
    target = patch / lock.relative_to(consumer.repository.root)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(lock, target)
