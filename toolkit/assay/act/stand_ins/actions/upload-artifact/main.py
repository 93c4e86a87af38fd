"""Stand-in for actions/upload-artifact: zips into ``$ASSAY_ACT_STORE/artifacts/<run>/<attempt>``.

Beside ``<id>.zip`` lies ``<id>.json`` with the name, id, digest and size, which the API front and
the download stand-in read. Hidden files, the folder that paths are relative to, name clashes and
missing files are treated as the real action treats them.
"""

import fcntl
import glob
import hashlib
import json
import os
import re
import sys
import zipfile
from datetime import datetime, timezone, UTC
from pathlib import Path

WILDCARD = re.compile(r"[*?\[]")


def setting(name: str) -> str:
    return os.environ.get("STAND_IN_" + name, "").strip()


def fail(message: str) -> None:
    print("::error title=upload-artifact (stand-in)::" + message)
    sys.exit(1)


def root_of(pattern: str) -> Path:
    """The part of a pattern before its first wildcard: what paths inside are relative to."""
    literal = []
    for part in Path(pattern).parts:
        if WILDCARD.search(part):
            break
        literal.append(part)
    return Path(*literal)


def hidden(file: Path, workspace: Path) -> bool:
    inside = file.relative_to(workspace) if workspace in file.parents else Path(file.name)
    return any(part.startswith(".") for part in inside.parts)


def matches(pattern: str) -> "set[Path]":
    found = set()
    for match in glob.glob(pattern, recursive=True, include_hidden=True):
        path = Path(match)
        if path.is_dir():
            found.update(file for file in path.rglob("*") if file.is_file())
        else:
            found.add(path)
    return found


def search(patterns: "list[str]", workspace: Path) -> "tuple[Path, list[Path]]":
    """The common root and the files to upload, sorted."""
    chosen, roots = set(), []
    for pattern in patterns:
        full = os.path.normpath(os.path.join(workspace, os.path.expanduser(pattern.lstrip("!"))))
        if pattern.startswith("!"):
            chosen -= matches(full)
        else:
            roots.append(root_of(full))
            chosen |= matches(full)
    if setting("INCLUDE_HIDDEN_FILES") != "true":
        chosen = {file for file in chosen if not hidden(file, workspace)}
    if not roots:
        return workspace, []
    if len(roots) == 1:
        root = roots[0] if roots[0].is_dir() else roots[0].parent
    else:
        root = Path(os.path.commonpath([str(path) for path in roots]))
        root = root if root.is_dir() else root.parent
    return root, sorted(chosen)


def next_id(store: Path) -> int:
    """A number no other artifact of this store has, whichever job asks first."""
    with open(store / "next-id", "a+", encoding="utf-8") as counter:
        fcntl.flock(counter, fcntl.LOCK_EX)
        counter.seek(0)
        number = int(counter.read() or "1")
        counter.truncate(0)
        counter.write(str(number + 1))
    return number


def clear_name(folder: Path, name: str) -> None:
    for record in folder.glob("*.json"):
        if json.loads(record.read_text(encoding="utf-8"))["name"] != name:
            continue
        if setting("OVERWRITE") != "true":
            fail(f"an artifact named '{name}' already exists on this run (409 Conflict)")
        record.with_suffix(".zip").unlink()
        record.unlink()


def write_zip(target: Path, root: Path, files: "list[Path]") -> str:
    level = int(setting("COMPRESSION_LEVEL") or "6")
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as archive:
        for file in files:
            archive.write(file, file.relative_to(root).as_posix())
    return hashlib.sha256(target.read_bytes()).hexdigest()


def main() -> None:
    name = setting("NAME")
    bad = re.search(r'[":<>|*?\r\n\\/]', name)
    if not name or bad:
        fail(
            f"the artifact name '{name}' is empty or holds one of \" : < > | * ? \\ / or a newline"
        )
    workspace = Path(os.environ["GITHUB_WORKSPACE"]).resolve()
    patterns = [line.strip() for line in setting("PATH").splitlines() if line.strip()]
    root, files = search(patterns, workspace)
    if not files:
        message = "No files were found with the provided path: {}".format(setting("PATH"))
        if setting("IF_NO_FILES_FOUND") == "error":
            fail(message)
        if setting("IF_NO_FILES_FOUND") != "ignore":
            print("::warning title=upload-artifact (stand-in)::" + message)
        return
    run, attempt = os.environ["GITHUB_RUN_ID"], os.environ["GITHUB_RUN_ATTEMPT"]
    store = Path(os.environ["ASSAY_ACT_STORE"], "artifacts")
    folder = store / run / attempt
    folder.mkdir(parents=True, exist_ok=True)
    clear_name(folder, name)
    number = next_id(store)
    archive = folder / ("%d.zip" % number)
    digest = write_zip(archive, root, files)
    record = {
        "id": number,
        "name": name,
        "digest": "sha256:" + digest,
        "size_in_bytes": archive.stat().st_size,
        "created_at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "retention_days": int(setting("RETENTION_DAYS") or "0"),
        "run_id": int(run),
        "run_attempt": int(attempt),
        "head_sha": os.environ.get("GITHUB_SHA", ""),
    }
    archive.with_suffix(".json").write_text(json.dumps(record), encoding="utf-8")
    address = "%s/%s/actions/runs/%s/artifacts/%d" % (
        os.environ.get("GITHUB_SERVER_URL", "https://github.com"),
        os.environ.get("GITHUB_REPOSITORY", ""),
        run,
        number,
    )
    with open(os.environ["GITHUB_OUTPUT"], "a", encoding="utf-8") as out:
        out.write(
            "artifact-id=%d\nartifact-url=%s\nartifact-digest=%s\n" % (number, address, digest)
        )
    print("artifact '%s' (%d): %d files, sha256 %s" % (name, number, len(files), digest))


if __name__ == "__main__":
    main()
