"""Which model on which target a command of delivery is about, and where its controller lives."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.errors import InputError, Location

if TYPE_CHECKING:
    from assay.config import Config, Model
    from assay.config.delivery import Delivery, ModelDelivery, Target
    from assay.rollout.controller.chain import Place

target_option = click.option(
    "--target", default=None, metavar="NAME", help="Which target; needed where there are several."
)
state_option = click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    help="The controller's state folder. Default: $XDG_STATE_HOME/assay/<target>/<model>.",
)
dry_run_option = click.option(
    "--dry-run", is_flag=True, help="Say what would be done, and do nothing."
)


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """One model on one target, as the configuration has them."""

    config: Config
    root: Path
    delivery: Delivery
    model_name: str
    model: Model
    way: ModelDelivery
    target_name: str
    target: Target
    state: Path

    @property
    def place(self) -> Place:
        """Which chain of decisions."""
        from assay.rollout.controller.chain import Place

        return Place(target=self.target_name, model=self.model_name)


def states_home() -> Path:
    """Where controllers keep their state unless told otherwise."""
    given = os.environ.get("XDG_STATE_HOME")
    return (Path(given) if given else Path.home() / ".local/state") / "assay"


def choose(config: Path, model: str | None, target: str | None, state: Path | None) -> Chosen:
    """Read the configuration and find the model and the target.

    Raises InputError naming those that there are.
    """
    from assay.config import load_config

    read = load_config(config)
    where = Location(file=config.as_posix())
    ways = {name: one for name, one in read.models.items() if one.delivery is not None}
    if read.delivery is None or not ways:
        raise InputError(
            "no model is delivered anywhere.",
            where=where,
            remedy="Write delivery.targets, and delivery under a model (docs/delivery.md).",
        )
    model_name = _one("model", model, list(ways), where)
    chosen = ways[model_name]
    way = chosen.delivery
    assert way is not None  # noqa: S101 -- chosen by it just above
    target_name = _one("target", target, list(way.targets), where)
    return Chosen(
        config=read,
        root=config.absolute().parent,
        delivery=read.delivery,
        model_name=model_name,
        model=chosen,
        way=way,
        target_name=target_name,
        target=read.delivery.targets[target_name],
        state=(state or states_home() / target_name / model_name).absolute(),
    )


def _one(what: str, wanted: str | None, known: list[str], where: Location) -> str:
    if wanted is None and len(known) == 1:
        return known[0]
    if wanted in known:
        return str(wanted)
    listed = ", ".join(known)
    if wanted is None:
        raise InputError(
            f"there are several {what}s: {listed}.", where=where, remedy=f"Name one: --{what}."
        )
    raise InputError(f"there is no {what} {wanted[:80]!r}; there are: {listed}.", where=where)


def state_folder(state: Path | None, model: str | None, target: str | None) -> Path:
    """Find the state folder of the controller of this host, without reading a configuration.

    Raises InputError where there is none, or where several fit.
    """
    if state is not None:
        return state.absolute()
    home = states_home()
    found = sorted(
        path.parent for path in home.glob(f"{target or '*'}/{model or '*'}/epoch") if path.is_file()
    )
    if len(found) == 1:
        return found[0]
    listed = ", ".join(path.relative_to(home).as_posix() for path in found)
    raise InputError(
        f"several controllers keep their state here: {listed}."
        if found
        else "no controller keeps its state here.",
        where=Location(file=home.as_posix()),
        remedy="Name --target and --model, or its state folder with --state.",
    )
