"""A consumer whose model is watched, and the looks at it: each by the real command."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import subprocess
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from assay.cli.edge import run as assay
from assay.evidence import Look, Retraining
from assay.evidence.monitoring import Problem, ProblemKind
from demo.consumer import IGNORED, Consumer
from demo.scenarios import replace as edit

MODEL = "doctor-visit"
DELAY = 7 * 86_400
MARGIN = 0.02
LOOK_EVERY = 12 * 3600
"""Seconds of simulated time between two looks."""
RETRAIN = {"quality": True, "drift": 0.01, "cooldown": 86_400}
_READ = """\
*read_additions(Path("additions"))]
    parquet.write(pd.concat(tables, ignore_index=True)"""
_READ_RETURNS = """\
*read_additions(Path("additions"))]
    # What was heard of a member last is what is true of them.
    tables += read_additions(Path(read_params("ingest")["returns"]))
    known = pd.concat(tables).drop_duplicates("id", keep="last")
    parquet.write(known.sort_values("id", ignore_index=True)"""
_IMPORT = "import parquet\n"
_IMPORTS = _IMPORT + "from doctor_visit.params import read_params\n"
COLUMNS = (
    "id", "member", "year", "plan", "coinsurance", "individual_deductible", "log_incentive",
    "log_max_expenditure", "limitation", "disease_index", "health", "visits",
)  # fmt: skip
"""Of the raw table, as additions to it have them."""


class StoppedError(Exception):
    """A command ended as none here may; the message holds what it printed."""


def monitoring(production: Path) -> dict[str, Any]:
    """The section ``monitoring`` for what one world leaves in a folder."""
    labels = {"source": f"{production}/labels/*.csv", "time": "known_at", "delay": DELAY}
    return {
        "logs": {"source": f"{production}/predictions"},
        "labels": {**labels, "silence": DELAY + 86_400},
        "quality": {"accuracy": {"margin": MARGIN}},
        "slices": ["individual_deductible"],
        "alerts": {"owner": "doctor visits", "look_every": LOOK_EVERY},
    }


def template_watched(template: Path, folder: Path, *, production: Path, returns: Path) -> Path:
    """The template, watched, and trained also on ``returns``: a folder that is no part of it."""
    shutil.copytree(template, folder, ignore=IGNORED)
    returns.mkdir(parents=True)
    (returns / "returns.csv").write_text(",".join(COLUMNS) + "\n", encoding="ascii")
    config = folder / "assay.yaml"
    document = yaml.safe_load(config.read_text(encoding="utf-8"))
    document["models"][MODEL] |= {"monitoring": monitoring(production), "retrain": RETRAIN}
    config.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    params = folder / "params.yaml"
    section = yaml.safe_dump({"ingest": {"returns": str(returns)}})
    params.write_text(section + "\n" + params.read_text(encoding="utf-8"), encoding="utf-8")
    ingest = folder / "doctor_visit" / "ingest.py"
    edit(ingest, _READ, _READ_RETURNS)
    edit(ingest, _IMPORT, _IMPORTS)
    pipeline = folder / "dvc.yaml"
    edit(
        pipeline,
        "      - additions\n",
        f"      - {returns}\n      - additions\n      - doctor_visit/params.py\n",
    )
    edit(
        pipeline,
        "    outs:\n      - data/raw.parquet\n",
        "    params:\n      - ingest\n    outs:\n      - data/raw.parquet\n",
    )
    return folder


def score(consumer: Consumer, folder: Path) -> None:
    """Have the consumer's model score everybody, in the consumer's own environment."""
    script = Path(__file__).with_name("population.py")
    subprocess.run(
        [str(consumer.environment / "bin" / "python"), str(script), str(folder)],
        cwd=consumer.main, env={**os.environ, "PYTHONPATH": str(consumer.main)}, check=True,
    )  # fmt: skip


def command(*arguments: str, ends: tuple[int, ...] = (0,)) -> tuple[int, str]:
    """Run ``assay`` in this process, as its program does; the exit code and what it printed."""
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(out):
        code = assay(list(arguments))
    if code not in ends:
        raise StoppedError(f"assay {' '.join(arguments)} ended with {code}:\n{out.getvalue()}")
    return code, out.getvalue()


@dataclass(frozen=True, kw_only=True)
class Watched:
    """One world as its monitor sees it: its files, its state, and what each look found."""

    folder: Path
    config: Path
    reference: Path
    looks: list[Look] = field(default_factory=list)

    @property
    def production(self) -> Path:
        """What the world leaves: ``predictions`` and ``labels``."""
        return self.folder / "production"

    def evidence(self, look: Look) -> Path:
        """The folder that holds ``<model>/monitor.json`` of one look."""
        return self.folder / "looks" / look.at.replace(":", "")

    def look(self, at: datetime) -> Look:
        """Look as of then; the exit code must be what the look says."""
        made = self.folder / "evidence"
        code, said = command(
            "monitor", "--config", str(self.config), "--model", MODEL,
            "--at", at.strftime("%Y-%m-%dT%H:%MZ"), "--state", str(self.folder / "state"),
            "--reference", str(self.reference), "--evidence", str(made), ends=(0, 1),
        )  # fmt: skip
        look = Look.read(made / MODEL)
        if (look.state == "fail") != (code == 1):
            raise StoppedError(f"a look that says {look.state} ended with {code}:\n{said}")
        look.write(self.evidence(look) / MODEL)
        self.looks.append(look)
        return look

    def copied(self, folder: Path, config: Path) -> Watched:
        """The same up to now, to go another way from here."""
        shutil.copytree(self.folder, folder)
        return replace(self, folder=folder, config=config, looks=list(self.looks))

    def decide(self, look: Look, checkout: Path) -> Retraining:
        """What ``assay retrain decide`` says of a look, in the consumer's checkout."""
        folder = self.evidence(look)
        command(
            "retrain", "decide", "--config", str(checkout / "assay.yaml"), "--model", MODEL,
            "--look", str(folder / MODEL / Look.FILE), "--folder", str(folder / "retrain"),
        )  # fmt: skip
        return Retraining.read(folder / "retrain" / MODEL)


def problems(look: Look, *kinds: ProblemKind) -> list[Problem]:
    """The problems of a look that are of one of these kinds."""
    return [one for one in look.problems if one.kind in kinds]
