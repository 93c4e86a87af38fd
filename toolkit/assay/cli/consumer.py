"""What ``assay test`` and ``assay train`` share: the consumer's environment, secrets and paths."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assay.cli.console import on_github
from assay.cli.transcript import LogTranscript

if TYPE_CHECKING:
    from assay.config import Config, Model
    from assay.environments import Tool
    from assay.git import Repository
    from assay.training.lineage import Checkout
    from assay.training.pipeline import Tools


def environment_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say how the consumer's environment is made."""
    for option in (
        click.option(
            "--python-version",
            default=None,
            metavar="3.12",
            help="Python of the model's environment, where the configuration names none.",
        ),
        click.option(
            "--environment-cache",
            type=click.Path(path_type=Path, file_okay=False),
            default=None,
            help="Where environments are kept. Default: RUNNER_TEMP in a job, else the user's "
            "cache.",
        ),
        click.option(
            "--training-secrets",
            default=None,
            metavar="DOTENV",
            help="NAME=value lines that tests and training need; masked. Give them as the "
            "variable ASSAY_TRAINING_SECRETS, never on a command line.",
        ),
    ):
        command = option(command)
    return command


@dataclass(frozen=True, kw_only=True)
class Consumer:
    """The consumer's repository and what runs their commands."""

    repository: Repository
    config: Config
    config_folder: Path
    tools: Tools
    own_folder: Path
    transcript: LogTranscript

    @property
    def scratch(self) -> Path:
        """A folder inside the repository for what lasts no longer than a command."""
        return self.own_folder / "tmp"

    @property
    def base_folder(self) -> Path:
        """A folder outside the repository for the base's work tree, this repository's own."""
        own = hashlib.sha256(str(self.repository.root).encode()).hexdigest()[:12]
        return cache_folder() / f"base-{own}"

    def folder(self, model: Model) -> Path:
        """The model's folder; raises InputError where there is none."""
        from assay.errors import InputError, Location

        folder = (self.config_folder / model.path).resolve()
        if not folder.is_dir():
            raise InputError(
                f"the model's path {model.path!r} is no folder.",
                where=Location(file="assay.yaml"),
                remedy="Name the folder that holds the model, relative to the configuration.",
            )
        return folder

    def checkout(self, model: Model) -> Checkout:
        """Describe the work tree as the head's side of ``model``."""
        from assay.training.lineage import Checkout

        changed = self.repository.uncommitted_paths()
        return Checkout(
            root=self.repository.root,
            folder=self.folder(model),
            revision=self.repository.resolve("HEAD"),
            dirty=bool(changed),
            changed=changed,
        )


def open_consumer(
    config: Path,
    *,
    python_version: str | None,
    environment_cache: Path | None,
    declared: dict[str, str | None],
) -> Consumer:
    """Read the configuration and prepare to run the consumer's commands.

    ``declared`` holds dotenv texts by the name they are reported under; their values are masked
    before anything runs.
    """
    from assay.config import load_config
    from assay.git import Repository
    from assay.training.build import Builder
    from assay.training.pipeline import Tools
    from assay.training.process import Redactor
    from assay.training.variables import consumer_variables, parse_dotenv

    transcript = LogTranscript(sys.stdout if on_github() else sys.stderr, in_actions=on_github())
    secrets: dict[str, str] = {}
    for name, text in declared.items():
        if text:
            found = parse_dotenv(text, name=name)
            values = tuple(found.values())
            transcript.mask(values)
            transcript.mask(Redactor(values).encoded())
            secrets.update(found)
    # Only now: a message about the configuration must not come before the masks.
    loaded = load_config(config)
    found_at = Repository.find(config.parent, os.environ)
    repository = Repository(found_at.root.resolve(), os.environ)
    builder = Builder(
        root=repository.root,
        cache=(environment_cache or cache_folder()).resolve(),
        variables=consumer_variables(os.environ, secrets),
        inside=tuple(secrets),
        redact=Redactor(tuple(secrets.values())),
        uv=uv_program(),
        python=python_version,
        dvc_lock=requirements() / "dvc.txt",
        kfp_lock=requirements() / "kfp.txt",
    )
    return Consumer(
        repository=repository,
        config=loaded,
        config_folder=config.absolute().parent.resolve(),
        tools=Tools(builder=builder, transcript=transcript),
        own_folder=own_folder(repository.root),
        transcript=transcript,
    )


def chosen_model(config: Config, name: str | None) -> tuple[str, Model]:
    """Return the model that is meant; raises InputError where several could be."""
    from assay.config import model_named
    from assay.errors import InputError

    if name is not None:
        return name, model_named(config, name)
    if len(config.models) > 1:
        raise InputError(
            f"there are {len(config.models)} models.",
            remedy=f"Name one with --model: {', '.join(sorted(config.models))}.",
        )
    return next(iter(config.models.items()))


def own_folder(root: Path) -> Path:
    """Return ``.assay`` in the repository, ignored by git without anyone's .gitignore."""
    from assay.evidence import write_atomically

    folder = root / ".assay"
    mark = folder / ".gitignore"
    if not mark.exists():
        write_atomically(mark, "*\n")
    return folder


def cache_folder() -> Path:
    """A job's own folder in Actions: what a pull request wrote must not be there for the next."""
    temporary = os.environ.get("RUNNER_TEMP")
    if on_github() and temporary:
        return Path(temporary) / "assay" / "consumer"
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(cache) / "assay" / "consumer"


def requirements() -> Path:
    """Return the folder of the lock files."""
    return Path(__file__).resolve().parents[3] / "requirements"


def uv_program() -> str:
    """The launcher's pinned uv where the toolkit is a checkout, else the one on PATH."""
    pinned = Path(__file__).resolve().parents[2] / "bin" / "uv"
    return str(pinned) if pinned.is_file() else "uv"


def own_environment(name: str, say: Callable[[str], None]) -> Tool:
    """How a program is run in the environment of its own that the lock `name` describes."""
    from assay.environments import Tool

    return Tool(
        name=name,
        uv=uv_program(),
        lock=requirements() / f"{name}.txt",
        cache=cache_folder(),
        variables=os.environ,
        say=say,
    )
