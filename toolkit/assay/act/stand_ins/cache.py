"""Stand-in for actions/cache: copies folders to and from ``cache/`` of the store.

``restore`` and ``save`` as the one argument. Paths are folders or files, one a line, without
wildcards. A composite action has no step that runs after the job, so ``actions/cache`` itself
restores and never saves: only ``actions/cache/save`` fills the store. A cache may miss at any
time, so a workflow has to work all the same. What exists already is left alone on restore.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from assay.act.stand_ins.kit import Failed, Step, run

WILDCARD = re.compile(r"[*?\[!]")


def paths(step: Step) -> list[Path]:
    given = step.lines("path")
    if not given:
        raise Failed("path is empty")
    for name in given:
        if WILDCARD.search(name):
            raise Failed(f"the stand-in takes plain folders and files, not the pattern '{name}'")
    return [step.place(name) for name in given]


def shelf(step: Step) -> Path:
    """The store's folder for this list of paths: a key means nothing without them."""
    version = hashlib.sha256("\n".join(step.lines("path")).encode()).hexdigest()[:16]
    return step.store / "cache" / version


def entries(step: Step) -> dict[str, Path]:
    """Key -> folder of what was saved for the same list of paths, oldest first."""
    records = sorted(shelf(step).glob("*/entry.json"), key=lambda p: p.stat().st_mtime_ns)
    return {json.loads(r.read_text(encoding="utf-8"))["key"]: r.parent for r in records}


def copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True)
    else:
        shutil.copy2(source, target, follow_symlinks=False)


def match(step: Step, available: Mapping[str, Path]) -> str:
    """The key, else the newest entry that begins with the first restore key that has any."""
    if step.text("key") in available:
        return step.text("key")
    for prefix in step.lines("restore-keys"):
        newest = [name for name in available if name.startswith(prefix)]
        if newest:
            return newest[-1]
    return ""


def restore(step: Step) -> Mapping[str, str]:
    available, key = entries(step), step.text("key")
    found = match(step, available)
    if found and not step.flag("lookup-only"):
        for number, target in enumerate(paths(step)):
            source = available[found] / str(number)
            if target.exists():
                print(f"{target} exists already and is left alone")
            elif source.exists():
                copy(source, target)
    if not found and step.flag("fail-on-cache-miss"):
        raise Failed(f"Failed to restore cache entry. Input key: {key}")
    print(f"cache {key}: {'restored from ' + found if found else 'miss'}")
    hit = str(found == key).lower() if found else ""
    return {"cache-hit": hit, "cache-primary-key": key, "cache-matched-key": found}


def save(step: Step) -> Mapping[str, str]:
    key, sources = step.text("key"), paths(step)
    if key in entries(step):
        print(f"cache {key} exists and stays as it is: a key is written once")
        return {}
    place = shelf(step) / hashlib.sha256(key.encode()).hexdigest()[:32]
    partial = place.with_name(f"{place.name}.{os.getpid()}")
    partial.mkdir(parents=True)
    for number, source in enumerate(sources):
        if source.exists():
            copy(source, partial / str(number))
    try:
        partial.rename(place)
    except OSError:
        shutil.rmtree(partial)
        print(f"cache {key} was saved by another job meanwhile")
        return {}
    (place / "entry.json").write_text(json.dumps({"key": key}), encoding="utf-8")
    print(f"cache {key} saved")
    return {}


if __name__ == "__main__":
    run("cache", {"restore": restore, "save": save}[sys.argv[1]])
