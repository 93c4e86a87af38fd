"""Stand-in for actions/upload-artifact: zips into ``artifacts/<run>/<attempt>`` of the store.

Beside ``<id>.zip`` lies ``<id>.json`` with the name, id, digest and size, which the API front and
the download stand-in read. Hidden files, the folder that paths are relative to, name clashes and
missing files are treated as the real action treats them.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import zipfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from assay.act.stand_ins.kit import Failed, Step, run

WILDCARD = re.compile(r"[*?\[]")
FORBIDDEN = re.compile(r'[":<>|*?\r\n\\/]')


def root_of(pattern: str) -> Path:
    """The part of a pattern before its first wildcard: what paths inside are relative to."""
    literal: list[str] = []
    for part in Path(pattern).parts:
        if WILDCARD.search(part):
            break
        literal.append(part)
    return Path(*literal)


def hidden(file: Path, workspace: Path) -> bool:
    """Whether a file, or a folder between it and the workspace, begins with a dot."""
    inside = file.relative_to(workspace) if workspace in file.parents else Path(file.name)
    return any(part.startswith(".") for part in inside.parts)


def matches(pattern: str) -> set[Path]:
    """Every file that an absolute pattern names, or that lies in a folder that it names."""
    root = root_of(pattern)
    rest = Path(pattern).relative_to(root).as_posix()
    found: set[Path] = set()
    for path in [root] if rest == "." else root.glob(rest):
        if path.is_dir():
            found.update(file for file in path.rglob("*") if file.is_file())
        elif path.is_file():
            found.add(path)
    return found


def search(step: Step) -> tuple[Path, list[Path]]:
    """The folder that paths in the artifact are relative to, and the files, sorted."""
    chosen: set[Path] = set()
    roots: list[Path] = []
    for pattern in step.lines("path"):
        full = os.path.normpath(step.place(pattern.lstrip("!")))
        if pattern.startswith("!"):
            chosen -= matches(full)
        else:
            roots.append(root_of(full))
            chosen |= matches(full)
    if not step.flag("include-hidden-files"):
        chosen = {file for file in chosen if not hidden(file, step.workspace)}
    if not roots:
        raise Failed("path is empty")
    root = roots[0] if len(roots) == 1 else Path(os.path.commonpath(roots))
    return root if root.is_dir() else root.parent, sorted(chosen)


def next_id(store: Path) -> int:
    """A number no other artifact of this store has, whichever job asks first."""
    with (store / "next-id").open("a+", encoding="utf-8") as counter:
        fcntl.flock(counter, fcntl.LOCK_EX)
        counter.seek(0)
        number = int(counter.read() or "1")
        counter.truncate(0)
        counter.write(str(number + 1))
    return number


def clear_name(folder: Path, name: str, *, overwrite: bool) -> None:
    for record in folder.glob("*.json"):
        if json.loads(record.read_text(encoding="utf-8"))["name"] != name:
            continue
        if not overwrite:
            raise Failed(f"an artifact named '{name}' already exists on this run (409 Conflict)")
        record.with_suffix(".zip").unlink()
        record.unlink()


def write_zip(target: Path, root: Path, files: Sequence[Path], level: int) -> str:
    """The SHA-256 of the archive, in hexadecimal."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as archive:
        for file in files:
            archive.write(file, file.relative_to(root).as_posix())
    return hashlib.sha256(target.read_bytes()).hexdigest()


def upload(step: Step) -> Mapping[str, str]:
    name = step.text("name")
    if not name or FORBIDDEN.search(name):
        raise Failed(
            f"the artifact name '{name}' is empty or holds a newline or one of \" : < > | * ? \\ /"
        )
    root, files = search(step)
    if not files:
        message = f"No files were found with the provided path: {' '.join(step.lines('path'))}"
        if step.text("if-no-files-found") == "error":
            raise Failed(message)
        if step.text("if-no-files-found") != "ignore":
            print(f"::warning title=upload-artifact (stand-in)::{message}")
        return {}
    run_id, attempt = step.github["GITHUB_RUN_ID"], step.github["GITHUB_RUN_ATTEMPT"]
    store = step.store / "artifacts"
    folder = store / run_id / attempt
    folder.mkdir(parents=True, exist_ok=True)
    clear_name(folder, name, overwrite=step.flag("overwrite"))
    number = next_id(store)
    archive = folder / f"{number}.zip"
    digest = write_zip(archive, root, files, int(step.text("compression-level") or "6"))
    record = {
        "id": number,
        "name": name,
        "digest": f"sha256:{digest}",
        "size_in_bytes": archive.stat().st_size,
        "created_at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "retention_days": int(step.text("retention-days") or "0"),
        "run_id": int(run_id),
        "run_attempt": int(attempt),
        "head_sha": step.github.get("GITHUB_SHA", ""),
    }
    archive.with_suffix(".json").write_text(json.dumps(record), encoding="utf-8")
    server = step.github.get("GITHUB_SERVER_URL", "https://github.com")
    page = f"{server}/{step.github.get('GITHUB_REPOSITORY', '')}/actions/runs/{run_id}"
    print(f"artifact '{name}' ({number}): {len(files)} files, sha256 {digest}")
    return {
        "artifact-id": str(number),
        "artifact-url": f"{page}/artifacts/{number}",
        "artifact-digest": digest,
    }


if __name__ == "__main__":
    run("upload-artifact", upload)
