"""The options that say which strategy is rehearsed: one with its defaults, or the model's own."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assay.cli.options import model_option
from assay.errors import InputError

if TYPE_CHECKING:
    from assay.config import Strategy

KINDS = ("canary", "blue-green", "shadow", "ab", "bandit")
_NAMES = ("kind", "config", "model", "metric", "margin", "deadline")
_OPTIONS = (
    click.option(
        "--strategy",
        "kind",
        type=click.Choice(KINDS),
        help="A strategy with its defaults.  [default: the model's own, from --config]",
    ),
    click.option(
        "--config",
        type=click.Path(path_type=Path, dir_okay=False),
        default=Path("assay.yaml"),
        show_default=True,
        help="Where the model's own strategy stands.",
    ),
    model_option,
    click.option(
        "--metric",
        help="What `value` is: accuracy, mae, quantile_loss:Q or mean:COLUMN; with --strategy."
        "  [default: accuracy]",
    ),
    click.option("--margin", type=float, help="What may be lost of it; with --strategy."),
    click.option(
        "--deadline", type=float, metavar="SECONDS", help="Of --strategy.  [default: a day]"
    ),
)


def strategy_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options; the command gets what they ask for as one argument, ``strategy``."""

    @functools.wraps(command)
    def with_strategy(*arguments: Any, **options: Any) -> Any:
        given = {name: options.pop(name) for name in _NAMES}
        return command(*arguments, strategy=_strategy(**given), **options)

    result: Callable[..., Any] = with_strategy
    for option in reversed(_OPTIONS):
        result = option(result)
    return result


def _strategy(
    kind: str | None,
    config: Path,
    model: str | None,
    *,
    metric: str | None,
    margin: float | None,
    deadline: float | None,
) -> Strategy:
    from pydantic import ValidationError

    from assay.config import Strategy

    if kind is None:
        if (metric, margin, deadline) != (None, None, None):
            raise click.UsageError("--metric, --margin and --deadline need --strategy.")
        return _configured(config, model)
    given: dict[str, object] = {"kind": kind}
    if metric is not None:
        _check_metric(metric, margin)
    if margin is not None:
        given["quality"] = {"metric": metric or "accuracy", "margin": margin}
    if deadline is not None:
        given["deadline"] = deadline
    try:
        return Strategy.model_validate(given)
    except ValidationError as error:
        said = error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
        hint = " Give a --margin." if "name one" in said else ""
        raise click.UsageError(f"--strategy {kind}: {said}.{hint}") from None


def _check_metric(metric: str, margin: float | None) -> None:
    from assay.config.families import ONLINE, is_online

    if not is_online(metric):
        raise click.BadParameter(
            f"no rollout counts {metric[:60]!r} as labels arrive: name {', '.join(ONLINE[:-1])} "
            f"or {ONLINE[-1]}.",
            param_hint="--metric",
        )
    if margin is None:
        raise click.UsageError("--metric needs a --margin: what may be lost of it.")


def _configured(config: Path, model: str | None) -> Strategy:
    from assay.config import load_config, model_named

    found = load_config(config)
    if model is None and len(found.models) > 1:
        raise click.UsageError(f"Name a --model: {', '.join(sorted(found.models))}.")
    name = model or next(iter(found.models))
    delivery = model_named(found, name).delivery
    if delivery is None:
        raise InputError(
            f"the model {name} has no `delivery`, so it has no strategy.",
            remedy="Name one with --strategy, or write `delivery` in assay.yaml.",
        )
    return delivery.strategy
