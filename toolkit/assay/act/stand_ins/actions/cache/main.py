"""Stand-in for actions/cache: copies folders to and from ``$ASSAY_ACT_STORE/cache``.

``python3 main.py restore`` and ``python3 main.py save``. Paths are folders or files, one a line,
without wildcards. A composite action has no step that runs after the job, so ``actions/cache``
itself restores and never saves: only ``actions/cache/save`` fills the store. A cache may miss at
any time, so a workflow has to work all the same. What exists already is left alone on restore.
"""

import hashlib
import json
import os
import re
import shutil
import sys
from pathlib import Path


def setting(name: str) -> str:
    return os.environ.get("STAND_IN_" + name, "").strip()


def fail(message: str) -> None:
    print("::error title=cache (stand-in)::" + message)
    sys.exit(1)


def paths() -> "list[Path]":
    named = [line.strip() for line in setting("PATH").splitlines() if line.strip()]
    if not named:
        fail("path is empty")
    for name in named:
        if re.search(r"[*?\[!]", name):
            fail(f"the stand-in takes plain folders and files, not the pattern '{name}'")
    return [Path(os.environ["GITHUB_WORKSPACE"], os.path.expanduser(name)) for name in named]


def entries() -> "dict[str, Path]":
    """Key -> folder of what was saved for the same list of paths, oldest first."""
    version = hashlib.sha256(setting("PATH").encode()).hexdigest()[:16]
    store = Path(os.environ["ASSAY_ACT_STORE"], "cache", version)
    found = {}
    records = sorted(store.glob("*/entry.json"), key=lambda p: p.stat().st_mtime_ns)
    for record in records:
        found[json.loads(record.read_text(encoding="utf-8"))["key"]] = record.parent
    return found


def copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True)
    else:
        shutil.copy2(source, target, follow_symlinks=False)


def match(available: "dict[str, Path]") -> str:
    key = setting("KEY")
    if key in available:
        return key
    prefixes = [line.strip() for line in setting("RESTORE_KEYS").splitlines() if line.strip()]
    for prefix in prefixes:
        newest = [name for name in available if name.startswith(prefix)]
        if newest:
            return newest[-1]
    return ""


def restore() -> None:
    available = entries()
    found = match(available)
    if found and setting("LOOKUP_ONLY") != "true":
        for number, target in enumerate(paths()):
            source = available[found] / str(number)
            if target.exists():
                print(f"{target} exists already and is left alone")
            elif source.exists():
                copy(source, target)
    if not found and setting("FAIL_ON_CACHE_MISS") == "true":
        fail("Failed to restore cache entry. Input key: {}".format(setting("KEY")))
    hit = "true" if found == setting("KEY") else "false" if found else ""
    with open(os.environ["GITHUB_OUTPUT"], "a", encoding="utf-8") as out:
        out.write(f"cache-hit={hit}\n")
        out.write("cache-primary-key={}\ncache-matched-key={}\n".format(setting("KEY"), found))
    print("cache {}: {}".format(setting("KEY"), "restored from " + found if found else "miss"))


def save() -> None:
    key = setting("KEY")
    if key in entries():
        print(f"cache {key} exists and stays as it is: a key is written once")
        return
    version = hashlib.sha256(setting("PATH").encode()).hexdigest()[:16]
    name = hashlib.sha256(key.encode()).hexdigest()[:32]
    store = Path(os.environ["ASSAY_ACT_STORE"], "cache", version)
    partial = store / ("%s.%d" % (name, os.getpid()))
    partial.mkdir(parents=True)
    for number, source in enumerate(paths()):
        if source.exists():
            copy(source, partial / str(number))
    try:
        partial.rename(store / name)
    except OSError:
        shutil.rmtree(partial)
        print(f"cache {key} was saved by another job meanwhile")
        return
    (store / name / "entry.json").write_text(json.dumps({"key": key}), encoding="utf-8")
    print(f"cache {key} saved")


if __name__ == "__main__":
    {"restore": restore, "save": save}[sys.argv[1]]()
