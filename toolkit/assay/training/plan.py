"""The plan: which models a change touches, what each is compared with, and whose rules judge.

Pure: revisions, configurations and changed paths in, the evidence document out. The rules are
the base's, so that a change cannot loosen what it is judged by.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from assay.config import Config, Environment, Model, Severity, parse_config
from assay.errors import AssayError
from assay.evidence import Event, ModelPlan, Plan, PlannedAnchor
from assay.evidence import Revision as PlannedRevision
from assay.git import Revision
from assay.training.change import changes_both, classify
from assay.training.dvc_lock import Lock
from assay.training.globs import first_match

ENVIRONMENT_FILES = (
    "uv.lock",
    "requirements.txt",
    "pyproject.toml",
    "environment.yml",
)
"""What ``environment: auto`` looks for, in this order."""


@dataclass(frozen=True, kw_only=True)
class Ends:
    """The two commits of a comparison; without a base, why there is none.

    ``every``: all models are asked for, whatever changed between the two.
    """

    head: Revision
    base: Revision | None = None
    merge_base: str | None = None
    why_no_base: str | None = None
    every: bool = False


def make_plan(
    event: Event,
    ends: Ends,
    *,
    config_file: str,
    head_config: Config,
    base_config_text: str | None,
    changed_paths: Sequence[str],
    locks: Mapping[str, tuple[Lock, Lock]] | None = None,
) -> Plan:
    """Return the plan of one run.

    ``config_file`` is the path of ``assay.yaml`` from the repository's root; a model's ``path``
    counts from its folder. ``base_config_text`` is None where the base has no such file, and
    ``locks`` holds each changed ``dvc.lock`` before and after.
    """
    base_config, why_head = _base_config(ends, base_config_text, config_file)
    rules = base_config or head_config
    folder = posixpath.dirname(config_file)
    changed = None if ends.base is None else changed_paths
    configs = [head_config] if base_config is None else [head_config, base_config]
    return Plan(
        event=event,
        head=_planned(ends.head),
        base=None if ends.base is None else _planned(ends.base),
        merge_base=ends.merge_base,
        why_no_base=ends.why_no_base,
        config_file=config_file,
        config_rules_from="head" if base_config is None else "base",
        comment=rules.comment,
        override=rules.override,
        check_run=rules.check_run,
        change=classify(changed_paths, config_file=config_file, configs=configs, locks=locks),
        models=tuple(
            _attributed(planned, changed_paths, folder, config_file, configs)
            for planned in _asked(
                _models(head_config, base_config, why_head, folder, changed), every=ends.every
            )
        ),
    )


def _asked(models: tuple[ModelPlan, ...], *, every: bool) -> tuple[ModelPlan, ...]:
    """Run every model that is there, where that is what was asked for."""
    if not every:
        return models
    said = {"touched": True, "reason": "every model is asked for"}
    return tuple(
        one
        if one.touched or one.removed
        else one.model_copy(
            update={**said, "anchor": _anchor(one.rules) if one.rules_from == "base" else None}
        )
        for one in models
    )


def _attributed(
    planned: ModelPlan,
    changed: Sequence[str],
    folder: str,
    config_file: str,
    configs: Sequence[Config],
) -> ModelPlan:
    """Mark a model whose code and data both change, where the base's rules ask for it."""
    if not (planned.touched and planned.rules.attribution and planned.rules_from == "base"):
        return planned
    patterns = touch_patterns(planned.rules, folder)
    own = [path for path in changed if first_match([path], patterns)]
    both = changes_both(own, config_file=config_file, configs=configs)
    return planned.model_copy(update={"attribution": both})


def _planned(revision: Revision) -> PlannedRevision:
    return PlannedRevision(commit=revision.commit, tree=revision.tree)


def _base_config(ends: Ends, text: str | None, file: str) -> tuple[Config | None, str]:
    """Return the base's configuration, or why the head's has to judge."""
    if ends.base is None:
        return None, f"there is no base ({ends.why_no_base})"
    if text is None:
        return None, f"the base has no {file}"
    try:
        return parse_config(text, file=file), ""
    except AssayError as error:
        first = str(error).splitlines()[0][:300]
        return None, f"{file} at the base is invalid ({first})"


def _models(
    head: Config, base: Config | None, why_head: str, folder: str, changed: Sequence[str] | None
) -> tuple[ModelPlan, ...]:
    before = {} if base is None else dict(base.models)
    removed = {name: model for name, model in before.items() if name not in head.models}
    plans = []
    for name, model in head.models.items():
        old_name = name if name in before else _renamed_from(model, removed)
        old = before.get(old_name) if old_name else None
        if old_name != name and old_name:
            del removed[old_name]
        plans.append(_model(name, model, old_name, old, why_head, folder, changed))
    plans += [_removed(name, model, folder) for name, model in removed.items()]
    return tuple(plans)


def _renamed_from(model: Model, removed: Mapping[str, Model]) -> str | None:
    """A model that keeps its folder and its predictions is the same one under another name."""
    same = [
        name
        for name, old in removed.items()
        if (old.path, old.predictions) == (model.path, model.predictions)
    ]
    return same[0] if len(same) == 1 else None


def _model(
    name: str,
    head: Model,
    old_name: str | None,
    base: Model | None,
    why_head: str,
    folder: str,
    changed: Sequence[str] | None,
) -> ModelPlan:
    touched, reason = _touched(head, base, folder, changed)
    if base is None:
        why = why_head or "new, the base has no such model"
        touched, reason = True, f"judged by its own rules: {why}"
    elif old_name != name:
        reason = f"renamed from {old_name}, judged by its rules; {reason}"
    return ModelPlan(
        name=name,
        path=folder_of(head, folder),
        touched=touched,
        reason=reason,
        rules_from="head" if base is None else "base",
        rules=base or head,
        proposed=head if base is not None and base != head else None,
        anchor=_anchor(base) if touched else None,
    )


def _anchor(base: Model | None) -> PlannedAnchor | None:
    """The anchor that the base names; which commit that is, the repository has to say."""
    if base is None or base.anchor is None or base.anchor.severity is Severity.OFF:
        return None
    return PlannedAnchor(name=base.anchor.ref)


def _touched(
    head: Model, base: Model | None, folder: str, changed: Sequence[str] | None
) -> tuple[bool, str]:
    if changed is None:
        return True, "there is no base to tell what changed"
    if base is not None and base != head:
        return True, "its section of the configuration changes"
    for model in (head, base):
        if model is None:
            continue
        hit = first_match(changed, touch_patterns(model, folder))
        if hit is not None:
            return True, f"{hit} changes"
    return False, "nothing under its paths changes"


def touch_patterns(model: Model, folder: str) -> tuple[str, ...]:
    """Return the globs, from the repository's root, whose change touches ``model``.

    Beside its own paths these are the environment files that it may share with others.
    """
    if model.paths is not None:
        own = model.paths
    else:
        place = folder_of(model, folder)
        own = ("**",) if place == "." else (f"{place}/**",)
    return (*own, *_environment_files(model, folder))


def _environment_files(model: Model, folder: str) -> tuple[str, ...]:
    match model.environment:
        case "auto":
            return tuple(posixpath.join(folder, name) for name in ENVIRONMENT_FILES)
        case Environment() as chosen:
            named = (chosen.requirements, chosen.conda, chosen.dockerfile)
            place = folder_of(model, folder)
            return tuple(posixpath.normpath(posixpath.join(place, one)) for one in named if one)
        case _:
            return ()


def folder_of(model: Model, folder: str) -> str:
    """Return the model's folder from the repository's root, ``.`` for the root itself."""
    return posixpath.normpath(posixpath.join(folder, model.path))


def _removed(name: str, model: Model, folder: str) -> ModelPlan:
    return ModelPlan(
        name=name,
        path=folder_of(model, folder),
        touched=False,
        removed=True,
        reason="removed: the head's configuration has no such model",
        rules_from="base",
        rules=model,
    )
