"""Stand-in for actions/download-artifact: reads what the upload stand-in stored.

A run's artifacts are those of all its attempts; of two with one name the later attempt's is taken.
``run-id`` counts only together with ``github-token``, as in the real action.
"""

import fnmatch
import json
import os
import sys
import zipfile
from pathlib import Path


def setting(name: str) -> str:
    return os.environ.get("STAND_IN_" + name, "").strip()


def fail(message: str) -> None:
    print("::error title=download-artifact (stand-in)::" + message)
    sys.exit(1)


def stored(run: str) -> "dict[str, tuple[dict, Path]]":
    """Artifact name -> (record, zip file), the latest attempt's."""
    found = {}
    attempts = Path(os.environ["ASSAY_ACT_STORE"], "artifacts", run)
    folders = sorted(attempts.iterdir(), key=lambda p: int(p.name)) if attempts.is_dir() else []
    for folder in folders:
        for record in sorted(folder.glob("*.json"), key=lambda p: int(p.stem)):
            facts = json.loads(record.read_text(encoding="utf-8"))
            found[facts["name"]] = (facts, record.with_suffix(".zip"))
    return found


def choose(available: "dict[str, tuple[dict, Path]]", run: str) -> "list[str]":
    name, ids = setting("NAME"), setting("ARTIFACT_IDS")
    if name and ids:
        fail("give either name or artifact-ids, not both")
    if name:
        if name not in available:
            fail(
                "Artifact not found for name: {} (run {} has: {})".format(
                    name, run, ", ".join(sorted(available)) or "none"
                )
            )
        return [name]
    if ids:
        wanted = {int(number) for number in ids.split(",") if number.strip()}
        return sorted(name for name, (facts, _) in available.items() if facts["id"] in wanted)
    pattern = setting("PATTERN") or "*"
    return sorted(name for name in available if fnmatch.fnmatchcase(name, pattern))


def main() -> None:
    own = os.environ["GITHUB_RUN_ID"]
    run = setting("RUN_ID") if setting("GITHUB_TOKEN") else own
    available = stored(run)
    names = choose(available, run)
    target = Path(os.environ["GITHUB_WORKSPACE"], os.path.expanduser(setting("PATH"))).resolve()
    target.mkdir(parents=True, exist_ok=True)
    single = bool(setting("NAME")) or (bool(setting("ARTIFACT_IDS")) and len(names) == 1)
    for name in names:
        flat = single or setting("MERGE_MULTIPLE") == "true"
        folder = target if flat else target / name
        folder.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(available[name][1]) as archive:
            archive.extractall(folder)
        print(f"artifact '{name}' of run {run} -> {folder}")
    if not names:
        print(f"no artifact of run {run} matches")
    with open(os.environ["GITHUB_OUTPUT"], "a", encoding="utf-8") as out:
        out.write(f"download-path={target}\n")


if __name__ == "__main__":
    main()
